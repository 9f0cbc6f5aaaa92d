"""Numbers of byte strings, computed for all strings of one length at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from distnet.types import Array

OfLength: TypeAlias = Callable[[Array], Array]
"""Takes the bytes of n strings of one length, (n, length), and gives n numbers."""

MASK = (1 << 64) - 1
"""What keeps Python's integers within 64 bits."""


def by_length(strings: Sequence[bytes], of_length: OfLength) -> Array:
    """A ``uint64`` for each string; each distinct string is looked at once."""
    distinct = list(dict.fromkeys(strings))
    if len(distinct) < len(strings):
        numbers = dict(zip(distinct, by_length(distinct, of_length).tolist(), strict=True))
        return np.fromiter(map(numbers.__getitem__, strings), np.uint64, len(strings))
    made = np.empty(len(distinct), np.uint64)
    lengths = np.fromiter(map(len, distinct), np.int64, len(distinct))
    for length in np.unique(lengths).tolist():
        places = np.flatnonzero(lengths == length)
        joined = b"".join([distinct[place] for place in places.tolist()])
        made[places] = of_length(np.frombuffer(joined, np.uint8).reshape(len(places), length))
    return made


def word64(rows: Array, start: int) -> Array:
    """The eight bytes from ``start`` on of each row, the lowest first."""
    return np.ascontiguousarray(rows[:, start : start + 8]).view("<u8")[:, 0].astype(np.uint64)


def word32(rows: Array, start: int) -> Array:
    """The four bytes from ``start`` on of each row, the lowest first."""
    return np.ascontiguousarray(rows[:, start : start + 4]).view("<u4")[:, 0].astype(np.uint64)
