"""One optimizer for some weights of a model, and another for others."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar, Self, TypeAlias, cast

import numpy as np

from distnet.errors import ArgumentError
from distnet.naming import snake_case
from distnet.optimizers.base import OPTIMIZERS, Optimizer
from distnet.optimizers.loss_scale import LossScaleOptimizer
from distnet.optimizers.variable_group import VariableGroup
from distnet.optimizers.wrapping import OptimizerOfOthers
from distnet.registry import registered_name, to_json
from distnet.types import Json
from distnet.variables import Span, Variable, Variables

_REMEDY = "Use that of one of its optimizers."


class OptimizerMap(MutableMapping[str, Optimizer]):
    """Optimizers by the paths of the variables that they are for.

    A key is the path of a variable, such as ``"sequential/dense/kernel"``, or else a regular expression that matches
    the whole of it, such as ``".*/dense_1/.*"``.

    Args:
        default_optimizer: for the variables that no key names.
        optimizer_map: key -> optimizer.

    Source: ``keras.optimizers.OptimizerMap``.
    """

    keras_module = "keras.optimizers"

    def __init__(self, default_optimizer: Optimizer, optimizer_map: dict[str, Optimizer] | None = None) -> None:
        self.default_optimizer = _checked("default_optimizer", default_optimizer)
        if optimizer_map is not None and not isinstance(optimizer_map, dict):
            raise ArgumentError(
                f"OptimizerMap.optimizer_map: expected a dict of optimizers by key, received {optimizer_map!r:.100}."
            )
        self._optimizers: dict[str, Optimizer] = {}
        for key, optimizer in (optimizer_map or {}).items():
            self[key] = optimizer

    def __getitem__(self, key: str) -> Optimizer:
        """The optimizer for the variable of this path.

        Raises:
            ArgumentError: several keys match the path.
        """
        if key in self._optimizers:
            return self._optimizers[key]
        matching = self._matching(key)
        if len(matching) > 1:
            raise ArgumentError(f"OptimizerMap: expected one key that matches {key!r}, received {matching}.")
        return self._optimizers[matching[0]] if matching else self.default_optimizer

    def __setitem__(self, key: str, optimizer: Optimizer) -> None:
        if not isinstance(key, str):
            raise ArgumentError(f"OptimizerMap: expected the path of a variable as key, received {key!r}.")
        if key in self._optimizers:
            raise ArgumentError(f"OptimizerMap: has {key!r} already. Delete it first to give it another optimizer.")
        try:
            re.compile(key)
        except re.error as error:
            raise ArgumentError(f"OptimizerMap: expected a regular expression, received {key!r}: {error}.") from None
        self._optimizers[key] = _checked(repr(key), optimizer)

    def __delitem__(self, key: str) -> None:
        del self._optimizers[key]

    def __len__(self) -> int:
        return len(self._optimizers)

    def __iter__(self) -> Iterator[str]:
        return iter(self._optimizers)

    def __call__(self, variable: Variable) -> Optimizer:
        """The optimizer for a variable.

        Raises:
            ArgumentError: several keys match its path; a key matches it only without the name of its model.
        """
        key = next(iter([] if variable.path in self._optimizers else self._matching(variable.local_path)), None)
        key = variable.local_path if variable.local_path in self._optimizers else key
        if variable.scope and key is not None and self[variable.path] is self.default_optimizer:
            raise ArgumentError(
                f"OptimizerMap: the key {key!r} matches {variable.local_path!r}, but not the variable's whole path, "
                f"{variable.path!r}. Begin it with {variable.scope!r}, or with '.*'."
            )
        return self[variable.path]

    def _matching(self, path: str) -> list[str]:
        return [pattern for pattern in self._optimizers if re.fullmatch(pattern, path)]

    def get_config(self) -> dict[str, Json]:
        """The optimizers as JSON."""
        optimizers = {key: OPTIMIZERS.with_module(to_json(optimizer)) for key, optimizer in self._optimizers.items()}
        default = OPTIMIZERS.with_module(to_json(self.default_optimizer))
        return {"default_optimizer": default, "optimizer_map": cast(Json, optimizers)}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Make the map that ``get_config`` described, here or in Keras."""
        optimizers = {key: OPTIMIZERS.get(spec) for key, spec in config["optimizer_map"].items()}
        return cls(OPTIMIZERS.get(config["default_optimizer"]), optimizers)


Choice: TypeAlias = OptimizerMap | Callable[[Variable], Optimizer]
"""What tells the optimizer of a variable."""


class NoLearningRate:
    """The field ``learning_rate`` where there is none."""

    def __get__(self, instance: MultiOptimizer | None, owner: type) -> None:
        if instance is not None:
            raise AttributeError(f"{instance.name}: has no learning rate. {_REMEDY}")

    def __set__(self, instance: MultiOptimizer, value: object) -> None:
        if value is not None:
            raise AttributeError(f"{type(instance).__name__}: has no learning rate to set to {value!r}. {_REMEDY}")


@OPTIMIZERS.register()
@dataclass(eq=False, repr=False)
class MultiOptimizer(OptimizerOfOthers):
    """Lets different optimizers update different variables.

    Args:
        optimizer_map: an ``OptimizerMap``, or a function of a variable that gives its optimizer.
        loss_scale_factor: that of all optimizers within.

    Source: ``keras.optimizers.MultiOptimizer``.
    """

    own_options: ClassVar = frozenset({"loss_scale_factor"})

    optimizer_map: Choice
    _: KW_ONLY
    learning_rate: NoLearningRate = NoLearningRate()  # type: ignore[assignment]
    lr: NoLearningRate = NoLearningRate()  # type: ignore[assignment]

    def __post_init__(self) -> None:
        if not callable(self.optimizer_map) or isinstance(self.optimizer_map, type | Optimizer):
            raise ArgumentError(
                "MultiOptimizer.optimizer_map: expected an OptimizerMap, or a function of a variable that gives an "
                f"optimizer, received {self.optimizer_map!r}."
            )
        super().__post_init__()
        self._groups: list[VariableGroup] = []
        self._chosen: dict[int, tuple[Variable, Optimizer]] = {}
        chosen = self.optimizer_map
        known = [*chosen.values(), chosen.default_optimizer] if isinstance(chosen, OptimizerMap) else []
        self.optimizers: list[Optimizer] = list({id(optimizer): optimizer for optimizer in known}.values())
        self._scale_all()

    @property
    def inner(self) -> Mapping[str, Optimizer]:
        by_path: dict[str, Optimizer] = {}
        for optimizer in self.optimizers:
            kind = snake_case(type(optimizer).__name__)
            before = sum(type(other) is type(optimizer) for other in by_path.values())
            by_path[f"optimizers/{kind}_{before}" if before else f"optimizers/{kind}"] = optimizer
        return by_path

    @property
    def variables(self) -> list[Variable]:
        """Its count of steps, Keras's learning rate, which means nothing, and those of the optimizers within."""
        own = self.as_variables({"iteration": np.int64(self.iterations), "learning_rate": np.float64(0)})
        return [*own, *(variable for optimizer in self.optimizers for variable in optimizer.variables)]

    def children(self, store: Variables) -> Iterable[tuple[str, Optimizer, Variables]]:
        return [(*named, group) for named, group in zip(self.inner.items(), self._groups, strict=True)]

    def build(self, store: Variables) -> None:
        super().build(store)
        self._groups = self._divided(store)
        for optimizer, group in self._used():
            optimizer.build(group)

    def follow(self, old: Variables, new: Variables) -> None:
        before = {id(optimizer): group for optimizer, group in self._used()}
        super().follow(old, new)
        self._groups = self._divided(new)
        for optimizer, group in self._used():
            if id(optimizer) in before:
                optimizer.follow(before[id(optimizer)], group)
            else:
                optimizer.build(group)

    def set_iterations(self, updates: int) -> None:
        """Refuse: each of its optimizers has a number of its own.

        Raises:
            AttributeError: always.
        """
        raise AttributeError(f"{self.name}: has no iterations to set to {updates}. {_REMEDY}")

    def take_step(self, store: Variables) -> None:
        if not self.built:
            self.build(store)
        self._scale_all()
        for optimizer, group in self._used():
            group.gather()
            optimizer.advance(group)
            group.scatter()
            optimizer.finish(group)
        self.scalars["iteration"] += 1

    def finalize_variable_values(self, store: Variables) -> None:
        for optimizer, group in self._used():
            group.gather()
            optimizer.finalize_variable_values(group)
            group.scatter()

    def overwrite_learning_rate(self, value: float) -> None:
        raise AttributeError(f"{self.name}: has no learning rate to set to {value!r}. {_REMEDY}")

    def get_config(self) -> dict[str, Json]:
        chosen = self.optimizer_map
        spec: Json = {"class_name": "OptimizerMap", "config": {}}
        if isinstance(chosen, OptimizerMap):
            spec = {
                "module": "keras.optimizers",
                "class_name": "OptimizerMap",
                "config": chosen.get_config(),
                "registered_name": None,
            }
        else:
            name = registered_name(chosen)
            spec = {"module": "builtins", "class_name": "function", "config": name, "registered_name": name}
        return {"name": self.name, "optimizer_map": spec, "loss_scale_factor": self.loss_scale_factor}

    @classmethod
    def from_config(cls, config: Mapping[str, Json]) -> Self:
        """Make the optimizer that ``get_config`` described, here or in Keras."""
        given: dict[str, Any] = dict(config)
        spec = given.get("optimizer_map")
        if isinstance(spec, Mapping):
            is_map = spec.get("class_name") == "OptimizerMap"
            inner = cast(Any, spec.get("config"))
            given["optimizer_map"] = OptimizerMap.from_config(inner) if is_map else OPTIMIZERS.find(str(inner))
        return super().from_config(given)

    def _divided(self, store: Variables) -> list[VariableGroup]:
        """The variables of each optimizer; a function may name further optimizers."""
        spans: dict[int, list[Span]] = {id(optimizer): [] for optimizer in self.optimizers}
        for span in store.trainable():
            optimizer = self._optimizer_of(span.variable)
            if id(optimizer) not in spans:
                self.optimizers.append(optimizer)
                spans[id(optimizer)] = []
            spans[id(optimizer)].append(span)
        self._scale_all()
        return [VariableGroup(store, spans[id(optimizer)]) for optimizer in self.optimizers]

    def _optimizer_of(self, variable: Variable) -> Optimizer:
        """The optimizer that was chosen for a variable when it was first seen."""
        if id(variable) not in self._chosen:
            self._chosen[id(variable)] = variable, _checked(variable.path, self.optimizer_map(variable))
        return self._chosen[id(variable)][1]

    def _used(self) -> list[tuple[Optimizer, VariableGroup]]:
        """The optimizers that have variables."""
        pairs = zip(self.optimizers, self._groups, strict=False)
        return [(optimizer, group) for optimizer, group in pairs if group.spans]

    def _scale_all(self) -> None:
        for optimizer in self.optimizers:
            optimizer.loss_scale_factor = self.loss_scale_factor


def _checked(where: str, optimizer: object) -> Optimizer:
    """``optimizer`` as one that may stand within a ``MultiOptimizer``.

    Raises:
        ArgumentError: it may not.
    """
    if not isinstance(optimizer, Optimizer) or isinstance(optimizer, LossScaleOptimizer | MultiOptimizer):
        raise ArgumentError(
            f"MultiOptimizer: expected an optimizer for {where}, other than MultiOptimizer and LossScaleOptimizer, "
            f"received {optimizer!r}."
        )
    return optimizer
