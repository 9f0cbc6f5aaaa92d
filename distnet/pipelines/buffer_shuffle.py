"""The order in which ``tf.data`` shuffles: by a buffer, with numbers of a counter-based generator.

Source: ``tensorflow/core/kernels/data/shuffle_dataset_op.cc``; Salmon et al., "Parallel random numbers: as easy as
1, 2, 3", SC 2011 (Philox 4x32).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count, islice
from typing import TypeVar

import numpy as np

from distnet.types import Array

T = TypeVar("T")

_ROUNDS = 10
_WORD = 0xFFFFFFFF
_FACTORS = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_STEPS = 0x9E3779B9, 0xBB67AE85
_WORDS_OF_A_BLOCK = 4
_BLOCKS_AT_ONCE = 1024


@dataclass(frozen=True)
class ShuffleSeeds:
    """The two seeds of a shuffle, each below 2^63."""

    one: int
    two: int

    def of_pass(self, number: int) -> ShuffleSeeds:
        """Those of a pass through the rows, where each has another order."""
        words = random_words(self, number // 2, 1)[number % 2 * 2 :]
        return ShuffleSeeds(int(words[0]), int(words[1]))


def random_words(seeds: ShuffleSeeds, first_block: int, blocks: int) -> Array:
    """(4 * blocks,) random words of 32 bits, as uint64."""
    mask, half = np.uint64(_WORD), np.uint64(32)
    number = np.arange(first_block, first_block + blocks, dtype=np.uint64)
    words = np.uint64(seeds.two & _WORD), np.uint64(seeds.two >> 32 & _WORD)
    a, b, c, d = number & mask, number >> half, np.full_like(number, words[0]), np.full_like(number, words[1])
    keys = [seeds.one & _WORD, seeds.one >> 32 & _WORD]
    for _ in range(_ROUNDS):
        of_a, of_c = a * _FACTORS[0], c * _FACTORS[1]
        a, b = (of_c >> half) ^ b ^ np.uint64(keys[0]), of_c & mask
        c, d = (of_a >> half) ^ d ^ np.uint64(keys[1]), of_a & mask
        keys = [(key + step) & _WORD for key, step in zip(keys, _STEPS, strict=True)]
    return np.stack([a, b, c, d], axis=1).reshape(-1)


def shuffled_by_buffer(items: Iterable[T], buffer_size: int, seeds: ShuffleSeeds) -> Iterator[T]:
    """Each item once: always one of the next ``buffer_size`` that have not come yet."""
    words = (int(word) for number in count(0, _BLOCKS_AT_ONCE) for word in random_words(seeds, number, _BLOCKS_AT_ONCE))
    left = iter(items)
    ring: list[T] = list(islice(left, buffer_size))
    # Places of the oldest of those that wait, and behind the newest, counted on without end.
    begin, end, size = 0, len(ring), len(ring)
    while begin < end:
        at = (begin + next(words) % (end - begin)) % size
        chosen, ring[at] = ring[at], ring[begin % size]
        begin += 1
        yield chosen
        for item in islice(left, 1):
            ring[end % size] = item
            end += 1


def buffer_order(rows: int, buffer_size: int, seeds: ShuffleSeeds) -> Array:
    """The rows 0, 1, 2 ... in the order of ``shuffled_by_buffer``."""
    return np.fromiter(shuffled_by_buffer(range(rows), buffer_size, seeds), np.intp, rows)
