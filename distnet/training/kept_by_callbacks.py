"""What callbacks keep on rank 0, and scripts read after ``fit``, given to the other ranks.

That is attributes of theirs, and the names of the script, global or of a function, that their code uses.
"""

from __future__ import annotations

import hashlib
import io
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import CellType, ModuleType
from typing import Any, NamedTuple

from distnet.comm import Communicator
from distnet.errors import ReplicaError
from distnet.layers.engine.abstract_layer import AbstractLayer
from distnet.registry.users_names import users_functions, variables_of
from distnet.training.changed_in_place import brought_to, put
from distnet.training.set_alone import read, write

SHORT_BYTES = 1 << 16
"""Pickles of values up to this length are worth sending after each epoch."""
LONG_BYTES = 1 << 26
"""Longer ones stay on rank 0."""

_OF_EVERY_RANK = frozenset(("model", "_model", "params"))
_GLOBAL = -1
_DIGEST_BYTES = 16


class Place(NamedTuple):
    """Where a value is kept.

    Args:
        kind: of a callback, the class; of a global, its module.
        number: the callback's among those of its class; -1 for a global.
        name: of the attribute or variable.
        is_of_function: whether it is a variable of a function that a function of the callback stands in.
    """

    kind: str
    number: int
    name: str
    is_of_function: bool = False


class KeptByCallbacks:
    """The values that callbacks keep, the same on all ranks where they can be sent.

    Callbacks are known by their classes and their order among those of one class, for some may be on rank 0 only. What
    a rank has from elsewhere stays its own: rank 0's value is taken once it changes there, unless it changed here, too.

    Args:
        communicator: the ranks.
        callbacks: this rank's.
        layers: by number, for values that refer to them.
    """

    def __init__(self, communicator: Communicator, callbacks: Iterable[Any], layers: Sequence[AbstractLayer]) -> None:
        self.communicator, self.layers = communicator, layers
        self._callbacks: dict[tuple[str, int], Any] = {}
        numbers = Counter[str]()
        for callback in callbacks:
            kind = type(callback).__qualname__
            self._callbacks[kind, numbers[kind]] = callback
            numbers[kind] += 1
        self._digests = {place: _digest(content) for place, content in self._contents(LONG_BYTES)}
        self._lately: set[Place] = set()
        self._told: dict[tuple[int, str], Any] = {}

    def note_told(self, variables: Iterable[tuple[Any, str]]) -> None:
        """Owners and names of what this rank was told of before a step: it did not change these itself."""
        self._told.update({(id(owner), name): owner for owner, name in variables})

    def share(self, longest: int) -> None:
        """Give every rank what rank 0's callbacks have changed since; all ranks call it.

        What cannot be pickled, such as an open file, stays as it is on each rank.

        Args:
            longest: bytes of a pickled value; longer ones wait for a call that allows more.

        Raises:
            ReplicaError: this rank does not know what a value is made of.
        """
        sent = self.communicator.broadcast_object(self._changed(longest) if self.communicator.rank == 0 else {})
        self._lately |= sent.keys()
        if self.communicator.rank == 0:
            return
        owners = self._owners()
        for place, owner in owners.items() if self._told else ():
            if place in self._digests and (id(owner), place.name) in self._told:
                self._note(place, owner)
        self._told.clear()
        for place, content in sent.items():
            owner = self._owner(place, owners)
            if owner is not None and not self._is_changed_here(place, owner):
                _give(owner, place.name, self._made(place, content))
                self._note(place, owner)

    def forget_lately(self) -> None:
        """Every rank has what was shared before."""
        self._lately.clear()

    def share_again(self) -> None:
        """Some ranks may have missed what was shared lately, where one died: what rank 0 has of it is to be shared."""
        if self.communicator.rank == 0:
            for place in self._lately:
                self._digests.pop(place, None)

    def _changed(self, longest: int) -> Mapping[Place, bytes]:
        contents = ((place, content, _digest(content)) for place, content in self._contents(longest))
        changed = {
            place: (content, digest) for place, content, digest in contents if self._digests.get(place) != digest
        }
        self._digests |= {place: digest for place, (_, digest) in changed.items()}
        self._lately |= changed.keys()  # also where a rank dies before all have it
        return {place: content for place, (content, _) in changed.items()}

    def _contents(self, longest: int) -> Iterator[tuple[Place, bytes]]:
        for place, owner in self._owners().items():
            content = self._pickled(_value(owner, place.name), longest)
            if content is not None:
                yield place, content

    def _owners(self) -> dict[Place, Any]:
        """Every place, with the object, module or cell that holds its value."""
        owners: dict[Place, Any] = {}
        for key, callback in self._callbacks.items():
            attributes = getattr(callback, "__dict__", {})
            owners |= {Place(*key, name): callback for name in attributes if name not in _OF_EVERY_RANK}
            for name, holder, _ in variables_of(users_functions(callback)):
                is_global = isinstance(holder, ModuleType)
                owners[Place(holder.__name__, _GLOBAL, name) if is_global else Place(*key, name, True)] = holder
        return owners

    def _owner(self, place: Place, owners: Mapping[Place, Any]) -> Any | None:
        """What holds, or is to hold, the value on this rank, if it has that."""
        if place.number == _GLOBAL:
            return sys.modules.get(place.kind)
        return owners.get(place) if place.is_of_function else self._callbacks.get((place.kind, place.number))

    def _is_changed_here(self, place: Place, owner: Any) -> bool:
        """Whether this rank's own code changed the value, which another rank's must not replace."""
        if place not in self._digests:
            return False
        content = self._pickled(_value(owner, place.name), LONG_BYTES)
        return content is None or _digest(content) != self._digests[place]

    def _note(self, place: Place, owner: Any) -> None:
        content = self._pickled(_value(owner, place.name), LONG_BYTES)
        if content is not None:
            self._digests[place] = _digest(content)

    def _pickled(self, value: Any, longest: int) -> bytes | None:
        file = _Bounded(longest)
        try:
            write(value, file, self.layers)
        except Exception:  # a class of the user's own may do anything when it is pickled
            return None
        return file.getvalue()

    def _made(self, place: Place, content: bytes) -> Any:
        try:
            return read(content, self.layers)
        except Exception as error:  # a class of the user's own may do anything when it is made again
            raise ReplicaError(
                f"rank {self.communicator.rank}: {place.kind}.{place.name}, which a callback on rank 0 changed, "
                f"cannot be read here: {type(error).__name__}: {error}. Define the same classes on every rank."
            ) from error


def _value(owner: Any, name: str) -> Any:
    return owner.cell_contents if isinstance(owner, CellType) else vars(owner).get(name)


def _give(owner: Any, name: str, value: Any) -> None:
    if isinstance(owner, CellType):
        owner.cell_contents = brought_to(owner.cell_contents, value)
    else:
        put(owner, name, value)


class _TooLongError(Exception):
    """More was written than there is room for."""


class _Bounded(io.BytesIO):
    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def write(self, part: Any) -> int:
        written = super().write(part)
        if self.tell() > self._most:
            raise _TooLongError
        return written


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=_DIGEST_BYTES).digest()
