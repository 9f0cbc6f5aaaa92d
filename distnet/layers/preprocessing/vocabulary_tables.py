"""The places of tokens in a vocabulary, found for many tokens at once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import repeat
from typing import Any

import numpy as np

from distnet.types import Array

_MOST_ENTRIES = 1 << 22
"""Of a table that has a place for each integer between the least and the greatest."""


class Table(ABC):
    """A vocabulary without its special tokens.

    Args:
        tokens: each once.
        start: the index of the first.
    """

    def __init__(self, tokens: list[Any], start: int) -> None:
        self.tokens, self.start = tokens, start

    def __len__(self) -> int:
        return len(self.tokens)

    @abstractmethod
    def places(self, keys: Any, default: int) -> Array:
        """The index of each key; ``default`` where the vocabulary lacks it."""

    @abstractmethod
    def where_equal(self, keys: Any, token: Any) -> Array:
        """Where the keys are this token."""


class StringTable(Table):
    """Of bytes; keys come as a list."""

    def __init__(self, tokens: list[bytes], start: int) -> None:
        super().__init__(tokens, start)
        self._index = dict(zip(tokens, range(start, start + len(tokens)), strict=True))

    def places(self, keys: Sequence[bytes], default: int) -> Array:
        return np.fromiter(map(self._index.get, keys, repeat(default)), np.int64, len(keys))

    def where_equal(self, keys: Sequence[bytes], token: bytes) -> Array:
        return np.fromiter(map(token.__eq__, keys), bool, len(keys))


class IntegerTable(Table):
    """Of integers; keys come as an array."""

    def __init__(self, tokens: list[int], start: int) -> None:
        super().__init__(tokens, start)
        known = np.array(tokens, np.int64)
        self._order = np.argsort(known)
        self._sorted = known[self._order]
        least, greatest = (int(known.min()), int(known.max())) if tokens else (0, -1)
        self._least, self._dense = least, None
        if greatest - least < min(_MOST_ENTRIES, 16 * len(tokens) + 1024):
            self._dense = np.full(greatest - least + 1, -1, np.int64)
            self._dense[known - least] = np.arange(len(tokens)) + start

    def places(self, keys: Array, default: int) -> Array:
        made = np.full(keys.shape, default, np.int64)
        if self._dense is not None:
            inside = (keys >= self._least) & (keys <= self._least + (len(self._dense) - 1))
            at = self._dense[keys[inside] - self._least]
            made[inside] = np.where(at < 0, default, at)
            return made
        nearest = np.minimum(np.searchsorted(self._sorted, keys), len(self.tokens) - 1)
        known = self._sorted[nearest] == keys
        made[known] = self._order[nearest[known]] + self.start
        return made

    def where_equal(self, keys: Array, token: int) -> Array:
        return np.equal(keys, token)
