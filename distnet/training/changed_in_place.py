"""What callbacks change in place on rank 0: entries of lists, dicts, arrays and objects that layers and losses have.

Nothing tells of such a change. What could be changed so is compared before and after the callbacks: pickled, or by a
digest of that.
"""

from __future__ import annotations

import hashlib
import pickle
import types
from collections import deque
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from typing import Any

import numpy as np

from distnet.layers.engine.abstract_layer import AbstractLayer
from distnet.losses import Loss

OF_DISTNET = frozenset(
    ("stop_training", "stop_evaluating", "stop_predicting", "input_shape", "built_shape", "activity_penalties", "calls",
     "initial_weights", "history", "totals", "batch_steps", "batch_checks", "fit_steps", "kept_inference",
     "training_state", "store", "name", "graph", "optimizer", "built_shapes", "trace", "written")
)  # fmt: skip
"""What distnet sets itself, also while a callback predicts, or has the ranks share otherwise."""

_PRIVATE = frozenset(
    ("_variables", "_training_state", "_entry", "_entries", "_ends", "_made", "_compilation", "_objective", "_inputs",
     "_outputs", "_added_ends", "_added_metrics", "_form", "_address", "_building", "_path", "loss")
)  # fmt: skip

_CONTAINERS = (list, dict, set, bytearray, deque, np.ndarray, np.random.Generator, np.random.RandomState)
_FIXED = (type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType, types.MethodType)

Key = tuple[int, str]
"""The number of an owner, and the name of its attribute."""

_NOT_COMPARED = b""

_DIGEST_BYTES = 16
_LONGEST = 65536
"""Pickles of more bytes are known by their digests."""

Pickle = Callable[[Any, Any], None]
"""Writes a value to a file, with layers and variables by their numbers."""


class HoldsTensor(pickle.PicklingError):
    """What layers keep of their last call, which is another one on each rank."""


def owners_of(layers: Sequence[AbstractLayer], losses: Any) -> list[Any]:
    """Whose attributes are compared: the model and its layers, then the objects among the model's losses."""
    return [*layers, *(loss for loss in _leaves(losses) if isinstance(loss, Loss) or is_changeable(loss))]


class Compared:
    """The attributes of some owners that may change in place.

    Args:
        owners: in the same order on every rank.
        write: pickles a value.
    """

    def __init__(self, owners: Sequence[Any], write: Pickle) -> None:
        self.owners, self._write = owners, write
        self._keys: list[Key] = []
        self._sizes: list[int] = []

    def look(self) -> dict[Key, bytes | None]:
        """What they hold, pickled, or the digest of that; None where it cannot be pickled."""
        sizes = [len(vars(owner)) for owner in self.owners]
        if sizes != self._sizes:
            self._keys, self._sizes = list(self._found()), sizes
        return {key: self._content(vars(self.owners[key[0]]).get(key[1])) for key in self._keys}

    def changed_since(self, before: Mapping[Key, bytes | None]) -> dict[Key, bytes | None]:
        """The attributes that differ, with what they held; none that could not be compared.

        New ones of layers are known already.
        """
        after = self.look().items()
        new = {
            key: None for key, _ in after if key not in before and not isinstance(self.owners[key[0]], AbstractLayer)
        }
        return new | {
            key: before[key] for key, now in after if before.get(key) and now not in (before[key], _NOT_COMPARED)
        }

    def look_again(self) -> None:
        """Look at all attributes the next time: what was a number may be a list by then."""
        self._sizes = []

    def _found(self) -> Iterator[Key]:
        for number, owner in enumerate(self.owners):
            for name, value in vars(owner).items():
                is_own = name in OF_DISTNET or name in _PRIVATE
                if not is_own and (is_changeable(value) or not isinstance(owner, AbstractLayer)):
                    yield number, name

    def _content(self, value: Any) -> bytes | None:
        kept = PickleDigest()
        try:
            self._write(value, kept)
        except HoldsTensor:
            return _NOT_COMPARED
        except Exception:  # a class of the user's own may do anything when it is pickled
            return None
        return kept.content()


class PickleDigest:
    """A file that keeps what is written as long as it is short, and its digest then."""

    def __init__(self) -> None:
        self._digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
        self._parts: list[bytes] = []
        self._size = 0

    def write(self, part: Any) -> int:
        """Add a part."""
        self._digest.update(part)
        self._size += len(part)
        if self._size <= _LONGEST:
            self._parts.append(bytes(part))
        return len(part)

    def content(self) -> bytes:
        """All that was written, or its digest."""
        return b"".join(self._parts) if self._size <= _LONGEST else self._digest.digest()


def is_whole(content: bytes | None) -> bool:
    """Whether it is all that was written."""
    return content is not None and len(content) > _DIGEST_BYTES


def put(owner: Any, name: str, value: Any) -> None:
    """Make the attribute what it is on rank 0: in place, if it is of the same kind, for others may have it, too."""
    present = vars(owner).get(name)
    brought = brought_to(present, value)
    if brought is not present or brought is None:
        setattr(owner, name, brought)


def brought_to(present: Any, value: Any) -> Any:
    """``present``, changed in place to what ``value`` holds; or ``value``, if it is of another kind."""
    if type(present) is not type(value):
        return value
    if isinstance(present, MutableMapping):
        present.clear()
        present.update(value)
    elif isinstance(present, list | bytearray):
        present[:] = value
    elif isinstance(present, set):
        present.clear()
        present |= value
    elif isinstance(present, np.ndarray) and (present.shape, present.dtype) == (value.shape, value.dtype):
        np.copyto(present, value)
    elif is_its_attributes(present):
        vars(present).clear()
        vars(present).update(vars(value))
    else:
        return value
    return present


def is_changeable(value: Any) -> bool:
    """Whether it may change in place, and nothing of distnet's keeps it alike on all ranks."""
    return isinstance(value, _CONTAINERS) or _is_plain_object(value)


def _is_plain_object(value: Any) -> bool:
    """Whether it is of a class that is neither distnet's nor derived from one of these."""
    if isinstance(value, _FIXED) or not hasattr(value, "__dict__"):
        return False
    return not any(cls.__module__.startswith("distnet.") for cls in type(value).__mro__)


def is_its_attributes(value: Any) -> bool:
    """Whether it is an object of a class that is not distnet's, with no state besides its attributes."""
    own = {"__reduce_ex__", "__reduce__", "__setstate__", "__slots__"}
    return _is_plain_object(value) and not any(own & vars(cls).keys() for cls in type(value).__mro__[:-1])


def _leaves(structure: Any) -> Iterator[Any]:
    if isinstance(structure, Mapping):
        structure = list(structure.values())
    if isinstance(structure, list | tuple):
        for part in structure:
            yield from _leaves(part)
    else:
        yield structure
