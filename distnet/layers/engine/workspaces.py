"""Memory that the steps of a training use again: each call's own, and what calls of a backward pass get in turn."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable
from typing import Any, TypeVar, cast

import numpy as np

from distnet.layers.engine.large_pages import LargePages
from distnet.types import Array, DType

T = TypeVar("T")


class ShortLived:
    """Gives calls arrays whose memory others get as soon as nobody will read them.

    A pass takes the same memory each time, because it makes the same calls: so a plan finds its arrays where they were.

    Args:
        pages: give the memory, to others, too.
    """

    def __init__(self, pages: LargePages | None = None) -> None:
        self._pages = pages or LargePages()
        self._blocks: list[Array] = []
        self._taken: dict[Hashable, tuple[Array, Array]] = {}

    def begin(self) -> None:
        """Say that a pass begins: nobody reads what the last one left."""
        self._taken = {}

    def get(self, call: tuple[int, ...], name: str, shape: tuple[int, ...], dtype: DType) -> Array:
        """An array with arbitrary content, the same one for the same arguments until it is let go."""
        key = call, name, shape, np.dtype(dtype)
        if key in self._taken:
            return self._taken[key][1]
        nbytes = math.prod(shape) * key[-1].itemsize
        taken = {id(block) for block, _ in self._taken.values()}
        block = min((b for b in self._blocks if b.size >= nbytes and id(b) not in taken), key=len, default=None)
        if block is None:
            block = self._pages.empty(nbytes, np.dtype(np.uint8))
            self._blocks.append(block)
        array = block[:nbytes].view(dtype).reshape(shape)
        self._taken[key] = block, array
        return array

    def keep(self, read: Iterable[Array]) -> None:
        """Let go of all arrays that are no memory of these, which later calls read."""
        wanted = list(read)
        self._taken = {
            key: (block, array)
            for key, (block, array) in self._taken.items()
            if any(np.may_share_memory(block, a) for a in wanted)
        }

    @property
    def blocks(self) -> list[Array]:
        """The memory."""
        return list(self._blocks)


class Workspaces:
    """What every step uses again: arrays, as large as the largest batch so far, and facts that do not change."""

    def __init__(self) -> None:
        self._arrays: dict[tuple[tuple[int, ...], str, DType], Array] = {}
        self._wholes: dict[int, Array] = {}
        self._facts: dict[Hashable, Any] = {}
        self.moves = 0
        """How often an array became too small, and others had to take its place."""
        self._pages = LargePages()
        self.short_lived = ShortLived(self._pages)
        """For what calls of a backward pass hand to each other."""

    def get(self, call: tuple[int, ...], name: str, shape: tuple[int, ...], dtype: DType) -> Array:
        """An array of ``shape`` whose content is whatever was last written there."""
        key = call, name, dtype
        latest = self._arrays.get(key)
        if latest is not None and latest.shape == shape:
            return latest
        size = math.prod(shape)
        whole = None if latest is None else latest.base
        if whole is None or whole.size < size:
            self.moves += whole is not None
            self._wholes.pop(id(whole), None)
            whole = self._pages.empty(size, dtype)
            self._wholes[id(whole)] = whole
        made = self._arrays[key] = whole[:size].reshape(shape)
        return made

    def holds(self, a: Array) -> bool:
        """Whether it is one of the arrays."""
        return id(a.base) in self._wholes

    @property
    def wholes(self) -> list[Array]:
        """The memory of the arrays, without what is used in turn."""
        return list(self._wholes.values())

    @property
    def nbytes(self) -> int:
        """Bytes of all memory."""
        return sum(whole.nbytes for whole in (*self.wholes, *self.short_lived.blocks))

    def once(self, key: Hashable, find: Callable[[], T]) -> T:
        """What ``find`` gives, found once for each key: for what depends on the model alone, which no step changes."""
        if key not in self._facts:
            self._facts[key] = find()
        return cast(T, self._facts[key])
