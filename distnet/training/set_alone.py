"""What callbacks set on rank 0 besides weights and optimizers, and how the other ranks set it, too."""

from __future__ import annotations

import io
import pickle
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from distnet import activations
from distnet.assignments import UNSET, Noted
from distnet.errors import ArgumentError, ReplicaError
from distnet.layers.engine.abstract_layer import AbstractLayer
from distnet.layers.engine.numbered_variables import known_by
from distnet.ops.tensor import Tensor
from distnet.optimizers.base import Optimizer
from distnet.training.changed_in_place import OF_DISTNET, HoldsTensor, Key, is_whole, put
from distnet.types import Array
from distnet.variables import Variable

_PLAIN = (bool, int, float, str, bytes, type(None), np.generic, np.ndarray)


@dataclass(frozen=True)
class Sent:
    """What one rank has set, as the others are told.

    Args:
        attributes: numbers of their owners, names, values, and whether they changed in place, pickled.
        variables: number of the variable -> its path and value.
    """

    attributes: bytes
    variables: Mapping[int, tuple[str, Array]]

    def apply(self, layers: Sequence[AbstractLayer], owners: Sequence[Any], rank: int) -> None:
        """Set the same here.

        Args:
            layers: by number.
            owners: of attributes: the layers, then others, by number.

        Raises:
            ReplicaError: this rank does not know a variable, or what a value is made of: the ranks made others.
        """
        for number, name, value, is_in_place in _received(self.attributes, layers, rank) if self.attributes else ():
            (put if is_in_place else setattr)(owners[number], name, value)
        for number, (path, value) in self.variables.items():
            variable = known_by(number)
            if variable is None or (variable.path, variable.shape) != (path, value.shape):
                raise ReplicaError(
                    f"rank {rank}: a callback on rank 0 assigned {path}, of shape {value.shape}, which is not known "
                    "here. Make the same variables, layers and models on every rank, in the same order."
                )
            variable.assign(value)


@dataclass
class SetAlone:
    """Values that one rank has set.

    Args:
        attributes: (number of the owner, name) -> value.
        variables: number of the variable -> its path and value.
    """

    attributes: dict[Key, Any] = field(default_factory=dict)
    variables: dict[int, tuple[str, Array]] = field(default_factory=dict)
    in_place: dict[Key, bytes | None] = field(default_factory=dict)
    """The attributes that are the objects that they were, with other content, and what they held before, pickled."""
    _before: dict[Key, Any] = field(default_factory=dict, init=False)

    def __bool__(self) -> bool:
        return bool(self.attributes or self.variables)

    def take(self, noted: Noted, layers: Sequence[AbstractLayer], shared: Collection[Variable]) -> None:
        """Add what was noted of the model, its layers, and variables that every rank has.

        Args:
            layers: the model and those within.
            shared: the variables that the ranks share by other means.
        """
        numbers = {id(layer): i for i, layer in enumerate(layers)} if noted.attributes else {}
        for owner, name, before, is_by_callback in noted.attributes:
            if id(owner) in numbers and name not in OF_DISTNET and hasattr(owner, name):
                key, value = (numbers[id(owner)], name), getattr(owner, name)
                if is_by_callback or (not name.startswith("_") and _is_plain(value)):
                    self.attributes[key] = value
                    self._before.setdefault(key, before)
        others = {id(variable) for variable in shared} if noted.variables else set()
        for variable in noted.variables:
            if variable.number is not None and id(variable) not in others:
                self.variables[variable.number] = variable.path, variable.value.copy()

    def take_changed(self, changed: Mapping[Key, bytes | None], owners: Sequence[Any]) -> None:
        """Add attributes that have changed in place, unless they were set, with what they held before."""
        for key, content in changed.items():
            if key not in self.attributes:
                self.in_place[key] = content
                self.attributes[key] = vars(owners[key[0]])[key[1]]

    def to_send(self, layers: Sequence[AbstractLayer], owners: Sequence[Any]) -> Sent:
        """The same in a form that can be sent.

        Raises:
            ArgumentError: a value cannot be sent; the attribute is again what it was.
        """
        values = [(*key, value, key in self.in_place) for key, value in self.attributes.items()]
        try:
            return Sent(_pickled(values, layers) if values else b"", self.variables)
        except Exception:
            for key, value in list(self.attributes.items()):
                self._check_one(key, value, layers, owners)
            raise

    def _check_one(self, key: Key, value: Any, layers: Sequence[AbstractLayer], owners: Sequence[Any]) -> None:
        """Fail if the value cannot be sent, with an attribute that was set as it was on every rank."""
        owner, name = owners[key[0]], key[1]
        try:
            _pickled(value, layers)
        except Exception as error:  # a class of the user's own may do anything when it is pickled
            did = f"changed, in place, {name}" if key in self.in_place else f"set {name}"
            said = f"{_name_of(owner)}: a callback {did} to {value!r:.100}, which cannot be sent to the other ranks"
            self._undo(key, owner, layers)
            raise ArgumentError(
                f"{said}: {error}. Callbacks run on rank 0 alone: set {name} on every rank before fit, or to something "
                "that the ranks know by name, such as a function of a module."
            ) from error

    def _undo(self, key: Key, owner: Any, layers: Sequence[AbstractLayer]) -> None:
        """Let an attribute be again what it was; what changed in place, and is very long, stays."""
        name, content = key[1], self.in_place.get(key)
        del self.attributes[key]
        before = self._before.get(key, UNSET)
        if content is not None:
            if is_whole(content):
                put(owner, name, read(content, layers))
        elif before is not UNSET:
            setattr(owner, name, before)
        elif name in vars(owner):
            delattr(owner, name)


def _name_of(owner: Any) -> str:
    return str(getattr(owner, "name", None) or type(owner).__name__)


def layers_of(model: Any) -> list[AbstractLayer]:
    """The model and the layers within, each once, in the same order on every rank."""
    return list(_walked(model))


def _walked(model: Any) -> Iterator[AbstractLayer]:
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


class NumberingPickler(pickle.Pickler):
    """Names what every rank has: the model's layers, numbered variables, and the activations that programs compare."""

    def __init__(self, file: Any, layers: Sequence[AbstractLayer]) -> None:
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self._numbers = {id(layer): number for number, layer in enumerate(layers)}

    def persistent_id(self, value: Any) -> tuple[str, Any] | None:
        if isinstance(value, activations.Activation) and id(value) in _names_of_activations():
            return "activation", _names_of_activations()[id(value)]
        if isinstance(value, AbstractLayer):
            if id(value) not in self._numbers:
                raise pickle.PicklingError(f"the layer {value.name} is none that the model had")
            return "layer", self._numbers[id(value)]
        if isinstance(value, Variable):
            if value.number is None or known_by(value.number) is not value:
                raise pickle.PicklingError(f"the variable {value.path} was not made on every rank")
            return "variable", value.number
        if isinstance(value, Tensor):
            raise HoldsTensor("it holds a tensor")
        if isinstance(value, Optimizer):
            raise pickle.PicklingError(f"it holds a {type(value).__name__}")
        return None


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, layers: Sequence[AbstractLayer]) -> None:
        super().__init__(file)
        self._layers = layers

    def persistent_load(self, pid: Any) -> Any:
        kind, key = pid
        if kind == "activation":
            return getattr(activations, key)
        if kind == "layer":
            return self._layers[key]
        variable = known_by(key)
        if variable is None:
            raise LookupError("a variable that is not known here")
        return variable


@cache
def _names_of_activations() -> Mapping[int, str]:
    public = {name: getattr(activations, name) for name in activations.__all__}
    return {id(value): name for name, value in public.items() if isinstance(value, activations.Activation)}


def write(value: Any, file: Any, layers: Sequence[AbstractLayer]) -> None:
    """Pickle a value to a file; layers and variables by their numbers."""
    NumberingPickler(file, layers).dump(value)


def read(content: bytes, layers: Sequence[AbstractLayer]) -> Any:
    """What ``write`` wrote, with this rank's layers and variables."""
    return _Unpickler(io.BytesIO(content), layers).load()


def _pickled(values: Any, layers: Sequence[AbstractLayer]) -> bytes:
    file = io.BytesIO()
    write(values, file, layers)
    return file.getvalue()


def _received(data: bytes, layers: Sequence[AbstractLayer], rank: int) -> list[tuple[int, str, Any, bool]]:
    try:
        values: list[tuple[int, str, Any, bool]] = read(data, layers)
    except Exception as error:  # a class of the user's own may do anything when it is made again
        raise ReplicaError(
            f"rank {rank}: what a callback on rank 0 set cannot be read here: {type(error).__name__}: {error}. Make "
            "the same classes, functions, layers and variables on every rank."
        ) from error
    return values
