"""Optimizers that let others make the steps: these hold the slots, and what is to be set is set on them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import ClassVar

from distnet.errors import ArgumentError
from distnet.optimizers.base import Optimizer
from distnet.optimizers.changed_settings import changes
from distnet.optimizers.variable_group import VariableGroup
from distnet.types import DType, Json
from distnet.variables import Variable, Variables

_OWN = ("name", "learning_rate")
"""The fields of every optimizer that one of others has too."""


@dataclass(eq=False, repr=False)
class OptimizerOfOthers(Optimizer, ABC):
    """Base of these optimizers. Everything that every optimizer can be given is for those within."""

    own_options: ClassVar[frozenset[str]] = frozenset()
    """Those of every optimizer's options that the class has itself."""

    def __post_init__(self) -> None:
        kind = type(self).__name__
        for f in fields(Optimizer):
            if f.init and f.name not in (*_OWN, "lr", *self.own_options) and getattr(self, f.name) != f.default:
                raise ArgumentError(f"{kind}.{f.name}: cannot be given here. Give it to the optimizer within.")
        super().__post_init__()
        self.scalars["learning_rate"] = 0.0  # Keras lists one

    @property
    @abstractmethod
    def inner(self) -> Mapping[str, Optimizer]:
        """The optimizers within, by where Keras has them."""

    @property
    def is_elementwise(self) -> bool:
        """Never: a step is made with all gradients at hand."""
        return False

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self.inner.values()))})"

    def initial_slots(self) -> dict[str, float]:
        return {}

    def within(self, store: Variables) -> Iterator[tuple[Optimizer, Variables]]:
        yield self, VariableGroup(store, [])
        for _, optimizer, group in self.children(store):
            yield from optimizer.within(group)

    def follow(self, old: Variables, new: Variables) -> None:
        self._layout = None
        Optimizer.build(self, new)

    def rehearse(self, dtype: DType) -> None:
        for optimizer in self.inner.values():
            optimizer.rehearse(dtype)

    def settings(self) -> dict[str, Json]:
        return {name: optimizer.settings() for name, optimizer in self.inner.items()}

    def check_settings(self, values: Mapping[str, Json]) -> None:
        for name, optimizer in self.inner.items():
            optimizer.check_settings(_of_one(values, name))

    def configure(self, values: Mapping[str, Json]) -> None:
        for name, optimizer in self.inner.items():
            optimizer.configure(changes(optimizer.settings(), _of_one(values, name)))

    def exclude_from_weight_decay(
        self, var_list: Iterable[Variable] | None = None, var_names: Iterable[str] | None = None
    ) -> None:
        """Not here.

        Raises:
            ArgumentError: always.
        """
        raise ArgumentError(f"{self.name}: decays no weights. Call it on the optimizer within.")


def _of_one(values: Mapping[str, Json], name: str) -> Mapping[str, Json]:
    value = values.get(name, {})
    if not isinstance(value, Mapping):
        raise ArgumentError(f"expected settings of the optimizer {name}, received {value!r}")
    return value
