"""What a step's code reads, and callbacks change on rank 0: the other ranks have it before the step that reads it.

Every hook is followed by a comparison of what the model, its losses, its metrics and its regularizers read, and by a
message only where something changed.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import CellType
from typing import Any

import numpy as np

from distnet.errors import ArgumentError, ReplicaError
from distnet.layers.engine.abstract_layer import AbstractLayer
from distnet.ops.tensor import Tensor
from distnet.registry.users_code import is_of_user
from distnet.training.changed_in_place import PickleDigest, brought_to, is_changeable, is_its_attributes, is_whole, put
from distnet.training.read_in_steps import CodeReading, HeldByNone, ReadPlace, parts_of, reading_of
from distnet.training.set_alone import NumberingPickler, read, write

_SCALARS = (bool, int, float, complex, str, bytes, type(None))
_SET, _TENSOR, _GONE = "set", "set, as a tensor,", "deleted"
_OF_MODEL = frozenset(("model", "_model", "params"))


class _Missing:
    """Stands for a variable that is not there."""


class _Same:
    """A value that is compared by identity, which is kept so that no other takes its place."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.value is self.value

    def __hash__(self) -> int:
        return id(self.value)


class ToldBeforeSteps:
    """The variables that code of a step reads, as callbacks leave them.

    Args:
        model: whose code it is.
        callbacks: this rank's; only what code of theirs can reach is searched for changes within.
        layers: by number, for values that refer to them.
    """

    def __init__(self, model: Any, callbacks: Sequence[Any], layers: Sequence[AbstractLayer]) -> None:
        self.layers = layers
        self._model, self._callbacks = model, callbacks
        self._is_on = any(map(_may_run_users_code, callbacks))
        self._reading: CodeReading | None = None
        self._sizes: list[int] = []
        self._compared_within: dict[str, Any] = {}
        self._changed: dict[str, Any] = {}
        """Names, with what was there before."""

    @property
    def has_changed(self) -> bool:
        """Whether callbacks changed something that the other ranks have not."""
        return bool(self._changed)

    def look(self) -> dict[str, Any]:
        """What is there now, in a form that can be compared; nothing where no callback has code of the user's."""
        if not self._is_on:
            return {}
        return {name: self._content(name, place.value(_Missing)) for name, place in self._known().items()}

    def take_changed_since(self, before: Mapping[str, Any]) -> None:
        """Note what differs now."""
        if not before:
            return
        after = self.look()
        changed = {name: content for name, content in before.items() if after[name] != content}
        if self._reading is not None and self._reading.sizes != self._sizes:
            self._reading = None
            changed |= {name: _Same(_Missing) for name in self._known().keys() - before.keys()}
        elif any(not isinstance(after[name], tuple) for name in changed):
            self._reading = None  # other code may be read now
        self._changed = {**changed, **self._changed}

    def clear(self) -> None:
        """Every rank has what changed."""
        self._changed = {}

    def to_send(self) -> bytes:
        """What changed, pickled.

        Raises:
            ArgumentError: a value cannot be sent; the variable is again what it was.
        """
        places = self._known() if self._changed else {}
        values = [(name, *_told(places[name])) for name in self._changed if name in places]
        try:
            return self._pickled(values) if values else b""
        except Exception:  # a class of the user's own may do anything when it is pickled
            for name, before in list(self._changed.items()):
                self._check_one(name, before)
            raise

    def apply(self, content: bytes, rank: int) -> list[ReadPlace]:
        """Set the same here; return where.

        Raises:
            ReplicaError: this rank does not know a variable, or what a value is made of.
        """
        if not content:
            return []
        try:
            values: list[tuple[str, str, Any]] = read(content, self.layers)
        except Exception as error:  # a class of the user's own may do anything when it is made again
            raise ReplicaError(
                f"rank {rank}: what a callback on rank 0 changed cannot be read here: {type(error).__name__}: {error}. "
                "Make the same classes, functions, layers and variables on every rank."
            ) from error
        if any(name not in self._known() for name, _, _ in values):
            self._reading = None
        places = self._known()
        for name, how, value in values:
            if name not in places or not _give(places[name], how, value):
                raise ReplicaError(
                    f"rank {rank}: {name}, which a callback on rank 0 {how}, cannot be set here. Define the same "
                    "variables, functions and classes on every rank, and let the code of the model read a variable of "
                    "the script, or a keras.Variable."
                )
        return [places[name] for name, _, _ in values]

    def _known(self) -> dict[str, ReadPlace]:
        """The places, found anew where other code may be read."""
        if self._reading is None:
            self._reading = reading_of(self._model)
            self._sizes = self._reading.sizes
            reached = CodeReading(_parts_of_callbacks(self._callbacks), without=AbstractLayer).met
            values = {name: place.value() for name, place in self._reading.places.items()}
            self._compared_within = {
                name: value for name, value in values.items()
                if is_changeable(value) and not is_its_attributes(value)
                and any(id(part) in reached for part in parts_of(value))
            }  # fmt: skip
        return self._reading.places

    def _content(self, name: str, value: Any) -> Any:
        if type(value) in _SCALARS or isinstance(value, np.generic):
            return type(value), value
        return self._written(value) if self._compared_within.get(name) is value else _Same(value)

    def _written(self, value: Any) -> Any:
        """Its pickle, or a digest of that; of what cannot be pickled, that of its parts."""
        kept = PickleDigest()
        try:
            _WithoutAttributes(kept, self.layers).dump(value)
        except Exception:  # a class of the user's own may do anything when it is pickled
            return [_of_part(part) for part in parts_of(value)]
        return kept.content()

    def _pickled(self, value: Any) -> bytes:
        file = io.BytesIO()
        write(value, file, self.layers)
        return file.getvalue()

    def _check_one(self, name: str, before: Any) -> None:
        """Fail if the value cannot be sent, with the variable as it was on every rank."""
        place = self._known()[name]
        how, value = _told(place)
        try:
            self._pickled(value)
        except Exception as error:  # a class of the user's own may do anything when it is pickled
            del self._changed[name]
            self._undo(place, before)
            raise ArgumentError(
                f"{name}: a callback changed it to {value!r:.100}, which the model, its loss or a metric reads, and "
                f"which cannot be sent to the other ranks: {error}. Callbacks run on rank 0 alone: let the code read a "
                "number, an array, a list or dict of these, or a keras.Variable, and change that."
            ) from error

    def _undo(self, place: ReadPlace, before: Any) -> None:
        """Let a variable be again what it was; what changed within, and is very long, stays."""
        if isinstance(before, bytes):
            if is_whole(before):
                _give(place, _SET, read(before, self.layers))
        elif isinstance(before, _Same):
            _give(place, _GONE if before.value is _Missing else _SET, before.value)
        elif isinstance(before, tuple):
            _give(place, _SET, before[1])


class _WithoutAttributes(NumberingPickler):
    """Writes which objects there are, but not their attributes, which are compared one by one."""

    def persistent_id(self, value: Any) -> tuple[str, Any] | None:
        return ("object", id(value)) if is_its_attributes(value) else super().persistent_id(value)


def _may_run_users_code(callback: Any) -> bool:
    """Whether a callback's class, or anything that it was given, is of the user's own."""
    return is_of_user(callback) or any(map(is_of_user, getattr(callback, "__dict__", {}).values()))


def _parts_of_callbacks(callbacks: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    for callback in callbacks:
        yield "a callback's class", type(callback)
        attributes = getattr(callback, "__dict__", {})
        yield from ((name, value) for name, value in attributes.items() if name not in _OF_MODEL)


def _of_part(part: Any) -> Any:
    if isinstance(part, np.ndarray) and part.dtype != object:
        return part.shape, part.tobytes()
    if isinstance(part, Mapping):
        return type(part), list(map(repr, part))
    return (type(part), part) if type(part) in _SCALARS else _Same(part)


def _told(place: ReadPlace) -> tuple[str, Any]:
    """How the other ranks are to change it, and what they need for that."""
    value = place.value(_Missing)
    if isinstance(value, Tensor):
        return _TENSOR, value.numpy()
    return (_GONE, None) if value is _Missing else (_SET, value)


def _give(place: ReadPlace, how: str, value: Any) -> bool:
    """Change a variable; return whether it could be."""
    owner, present = place.owner, place.value(_Missing)
    if how == _TENSOR:
        value = Tensor(value)
    if how == _GONE:
        if present is not _Missing:
            delattr(owner, "cell_contents" if isinstance(owner, CellType) else place.name)
    elif isinstance(owner, HeldByNone):
        return brought_to(present, value) is present
    elif isinstance(owner, CellType):
        owner.cell_contents = brought_to(present, value)
    else:
        put(owner, place.name, value)
    return True
