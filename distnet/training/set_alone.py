"""What callbacks set on rank 0 besides weights and optimizers, and how the other ranks set it, too."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from distnet.assignments import Noted
from distnet.errors import ReplicaError
from distnet.layers.engine.abstract_layer import AbstractLayer
from distnet.layers.engine.numbered_variables import known_by
from distnet.types import Array
from distnet.variables import Variable

_OWN = frozenset(
    ("stop_training", "stop_evaluating", "stop_predicting", "input_shape", "built_shape", "activity_penalties", "calls",
     "initial_weights", "history", "totals", "batch_steps", "fit_steps", "training_state", "store", "name")
)  # fmt: skip
"""What distnet sets itself, also while a callback predicts, or has the ranks share otherwise."""

_PLAIN = (bool, int, float, str, bytes, type(None), np.generic, np.ndarray)


@dataclass
class SetAlone:
    """Values that one rank has set.

    Args:
        attributes: (number of the layer within the model, name) -> value: plain data.
        variables: number of the variable -> its path and value.
    """

    attributes: dict[tuple[int, str], Any] = field(default_factory=dict)
    variables: dict[int, tuple[str, Array]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.attributes or self.variables)

    def take(self, noted: Noted, model: Any, shared: Collection[Variable]) -> None:
        """Add what was noted of the model, its layers, and variables that every rank has.

        Args:
            shared: the variables that the ranks share by other means.
        """
        numbers = {id(layer): i for i, layer in enumerate(_layers(model))} if noted.attributes else {}
        for owner, name in noted.attributes:
            is_open = not name.startswith("_") and name not in _OWN
            if is_open and id(owner) in numbers and _is_plain(value := getattr(owner, name, np.empty(0, object))):
                self.attributes[numbers[id(owner)], name] = value
        others = {id(variable) for variable in shared} if noted.variables else set()
        for variable in noted.variables:
            if variable.number is not None and id(variable) not in others:
                self.variables[variable.number] = variable.path, variable.value.copy()

    def apply(self, model: Any, rank: int) -> None:
        """Set the same here.

        Raises:
            ReplicaError: this rank does not know a variable: the ranks made others.
        """
        layers = list(_layers(model)) if self.attributes else []
        for (number, name), value in self.attributes.items():
            setattr(layers[number], name, value)
        for number, (path, value) in self.variables.items():
            variable = known_by(number)
            if variable is None or (variable.path, variable.shape) != (path, value.shape):
                raise ReplicaError(
                    f"rank {rank}: a callback on rank 0 assigned {path}, of shape {value.shape}, which is not known "
                    "here. Make the same variables, layers and models on every rank, in the same order."
                )
            variable.assign(value)


def _layers(model: Any) -> Iterator[AbstractLayer]:
    """The model and the layers within, each once, in the same order on every rank."""
    waiting, seen = [model], set[int]()
    while waiting:
        layer = waiting.pop()
        if id(layer) not in seen:
            seen.add(id(layer))
            yield layer
            waiting += reversed([inner for _, inner in layer.inner_layers()])


def _is_plain(value: Any) -> bool:
    """Whether it is a number, a text, an array, or a list, tuple or dict of these."""
    if isinstance(value, Mapping):
        return all(_is_plain(part) for part in (*value, *value.values()))
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    return isinstance(value, _PLAIN) and getattr(value, "dtype", np.dtype(bool)).kind != "O"
