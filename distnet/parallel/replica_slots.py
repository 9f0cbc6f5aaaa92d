"""The optimizers' slots of a replica, in a form that another rank can take, whatever memory they lie in there.

Slots lie in a store's order, or in that in which a loop of the user's hands gradients over; and what saves a model, as
callbacks do on rank 0 alone, moves them into the store's. So ranks that hold the same numbers may hold them at other
places, and in arrays of other lengths. What is sent says which variable lies where, and is taken variable by variable.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np

from distnet.errors import ReplicaError
from distnet.optimizers import Optimizer
from distnet.training_state import TrainingState
from distnet.types import Array
from distnet.variables import Span, Variable, VariableStore

Key: TypeAlias = int | str
"""By which all ranks know a variable: its place among the model's, or the path of one that is not the model's."""


class ReplicatedModel(Protocol):
    """A model, as what makes its replicas alike sees it."""

    name: str
    optimizer: Optimizer | None
    training_state: TrainingState
    store: VariableStore | None

    @property
    def variables(self) -> list[Any]: ...


def optimizers_of(model: ReplicatedModel) -> Iterator[Optimizer]:
    """Those of the model, and those within them."""
    for optimizer in _own_optimizers(model):
        yield from _within(optimizer, model)


@dataclass(frozen=True)
class _Placed:
    """Where the slots of one optimizer lie.

    Args:
        variables: that have slots.
        starts: where those of each begin.
        slots: name, length and dtype of each.
    """

    variables: tuple[Key, ...]
    starts: tuple[int, ...]
    slots: tuple[tuple[str, int, str], ...]


@dataclass(frozen=True)
class HeldSlots:
    """Which slots a replica holds, without their values.

    Args:
        built_for: of each optimizer that is no other one's the variables; None before its first step.
        placed: of each optimizer, those within others among them.
    """

    built_for: tuple[tuple[Key, ...] | None, ...]
    placed: tuple[_Placed, ...]

    @classmethod
    def of(cls, model: ReplicatedModel) -> HeldSlots:
        """Those of this rank."""
        places = _places(model)
        built_for = tuple(_keys(own, places) if own.built else None for own in _own_optimizers(model))
        return cls(built_for, tuple(_placed(optimizer, places) for optimizer in optimizers_of(model)))

    def empty(self) -> list[Array]:
        """Memory for their values, in the order of ``slots_of``."""
        return [np.empty(entries, dtype) for placed in self.placed for _, entries, dtype in placed.slots]

    def take(self, model: ReplicatedModel, values: Sequence[Array]) -> None:
        """Have these slots with these values, and no others.

        Raises:
            ReplicaError: this rank's model or optimizers are others.
        """
        places = _places(model)
        for own, keys in zip(_own_optimizers(model), self.built_for, strict=True):
            if keys is None:
                for inner in _within(own, model):
                    inner.forget()
            elif not own.built or keys != _keys(own, places):
                own.hold([_variable(key, model, own) for key in keys])
        values_left = iter(values)
        for optimizer, placed in zip(optimizers_of(model), self.placed, strict=True):
            spans = {_key(span.variable, places): span for span in _spans(optimizer)}
            if spans.keys() != set(placed.variables) or sorted(optimizer.slots) != [name for name, *_ in placed.slots]:
                raise ReplicaError(
                    f"{model.name}: the ranks' optimizers {optimizer.name!r} hold the state of different variables: "
                    f"expected {', '.join(name for name, *_ in placed.slots) or 'none'} of {len(placed.variables)} "
                    f"variables, received {', '.join(sorted(optimizer.slots)) or 'none'} of {len(spans)}. Make a new "
                    "model and a new optimizer."
                )
            for name, *_ in placed.slots:
                _write(optimizer.slots[name], next(values_left), placed, spans)


def slots_of(model: ReplicatedModel) -> list[Array]:
    """The values of ``HeldSlots.of``: the memory itself."""
    return [slot for optimizer in optimizers_of(model) for _, slot in sorted(optimizer.slots.items())]


def _own_optimizers(model: ReplicatedModel) -> list[Optimizer]:
    given = [model.optimizer, *(value for value in vars(model).values() if value is not model.optimizer)]
    return [optimizer for optimizer in given if isinstance(optimizer, Optimizer)]


def _within(optimizer: Optimizer, model: ReplicatedModel) -> Iterator[Optimizer]:
    if model.store is None:
        yield optimizer
    else:
        yield from (inner for inner, _ in optimizer.within(model.store))


def _placed(optimizer: Optimizer, places: Mapping[int, int]) -> _Placed:
    slots = tuple((name, slot.size, slot.dtype.str) for name, slot in sorted(optimizer.slots.items()))
    return _Placed(_keys(optimizer, places), tuple(span.start for span in _spans(optimizer)), slots)


def _spans(optimizer: Optimizer) -> Sequence[Span]:
    return () if optimizer.built_for is None else optimizer.built_for.spans


def _places(model: ReplicatedModel) -> dict[int, int]:
    return {id(variable): place for place, variable in enumerate(model.variables)}


def _keys(optimizer: Optimizer, places: Mapping[int, int]) -> tuple[Key, ...]:
    return tuple(_key(span.variable, places) for span in _spans(optimizer))


def _key(variable: Variable, places: Mapping[int, int]) -> Key:
    return places.get(id(variable), variable.path)


def _variable(key: Key, model: ReplicatedModel, optimizer: Optimizer) -> Variable:
    """The variable that other ranks know by this key.

    Raises:
        ReplicaError: there is none on this rank.
    """
    others = {span.variable.path: span.variable for span in _spans(optimizer)}
    variable: Variable | None = model.variables[key] if isinstance(key, int) else others.get(key)
    if variable is None:
        raise ReplicaError(
            f"{model.name}: another rank's optimizer {optimizer.name!r} holds the state of a variable that this rank "
            f"does not have: {key}. Make the same variables on every rank, as parts of the model."
        )
    return variable


def _write(slot: Array, value: Array, placed: _Placed, spans: dict[Key, Span]) -> None:
    for key, start in zip(placed.variables, placed.starts, strict=True):
        span = spans[key]
        here, theirs = slot[span.start : span.stop], value[start : start + span.stop - span.start]
        if not np.array_equal(here, theirs, equal_nan=True):  # ranks may share its memory
            here[...] = theirs
