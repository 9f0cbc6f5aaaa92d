"""SipHash-2-4, a hash with a key, by which Keras puts strings into bins where a ``salt`` is given.

Source: J.-P. Aumasson, D. J. Bernstein, SipHash: a fast short-input PRF, 2012.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from distnet.layers.preprocessing.equal_lengths import MASK, by_length, word64
from distnet.types import Array

_START = (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573)


def keyed_hashes(strings: Sequence[bytes], key: tuple[int, int]) -> Array:
    """The hash of each string, as ``uint64``.

    Args:
        key: two integers, of which 64 bits count.
    """
    return by_length(strings, partial(_of_length, (key[0] & MASK, key[1] & MASK)))


def _of_length(key: tuple[int, int], rows: Array) -> Array:
    length = rows.shape[1]
    padded = np.zeros((len(rows), length // 8 * 8 + 8), np.uint8)
    padded[:, :length] = rows
    padded[:, -1] = length & 0xFF
    v = [np.full(len(rows), start ^ key[i % 2], np.uint64) for i, start in enumerate(_START)]
    for start in range(0, padded.shape[1], 8):
        word = word64(padded, start)
        v[3] ^= word
        _rounds(v, 2)
        v[0] ^= word
    v[2] ^= np.uint64(0xFF)
    _rounds(v, 4)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def _rounds(v: list[Array], count: int) -> None:
    for _ in range(count):
        for a, b, first in ((0, 1, 13), (2, 3, 16)):
            v[a] += v[b]
            v[b] = _turned(v[b], first) ^ v[a]
        v[0] = _turned(v[0], 32)
        for a, b, second in ((2, 1, 17), (0, 3, 21)):
            v[a] += v[b]
            v[b] = _turned(v[b], second) ^ v[a]
        v[2] = _turned(v[2], 32)


def _turned(x: Array, bits: int) -> Array:
    """The bits moved to higher places, the highest to the lowest."""
    return x << np.uint64(bits) | x >> np.uint64(64 - bits)
