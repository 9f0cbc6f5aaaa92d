"""Random numbers by address: the same address gives the same numbers, whoever asks and when.

An address ``(seed, purpose, ...)`` is hashed to the key of a counter-based generator (Philox). No generator state
needs saving, and a rank draws only the rows it holds. If the user sets no seed, the ranks of the job agree on one
before the first draw.

Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011 (Philox 4x64).
"""

from __future__ import annotations

import functools
import hashlib
import random as python_random
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field

import numpy as np

from distnet import comm
from distnet.comm import scope
from distnet.errors import ArgumentError
from distnet.types import Array

BITS_PER_BLOCK = 8
"""32-bit words in one Philox 4x64 block."""


@dataclass
class _Count:
    """Counts 0, 1, 2 ... what all ranks do, and -1, -2 ... what this rank does alone, within a callback."""

    shared: int = 0
    alone: int = 0

    def next(self) -> int:
        if scope.is_alone():
            self.alone -= 1
            return self.alone
        self.shared += 1
        return self.shared - 1


@dataclass
class _State:
    seed: int | None = None
    users: int | None = None
    builds: _Count = field(default_factory=_Count)
    calls: _Count = field(default_factory=_Count)


_state = _State()


def set_random_seed(seed: int) -> None:
    """Seed distnet, Python's ``random`` and NumPy's global generator.

    Args:
        seed: an integer in [0, 2**32).

    Raises:
        ArgumentError: any other value.

    Source: ``keras.utils.set_random_seed``.
    """
    if not isinstance(seed, int | np.integer) or isinstance(seed, bool) or not 0 <= seed < 2**32:
        raise ArgumentError(f"set_random_seed: expected an integer in [0, 2**32), received {seed!r}.")
    set_job_seed(int(seed))
    _state.users = int(seed)
    python_random.seed(int(seed))
    np.random.seed(int(seed))


def set_job_seed(seed: int) -> None:
    """Set the seed that all ranks share, and restart the counts of layers and calls."""
    _state.seed, _state.builds, _state.calls = seed, _Count(), _Count()


def job_seed() -> int:
    """The seed that begins every address: set by the user or else drawn once, the same on every rank.

    If none is set, the first call joins the job, and so is collective.
    """
    if _state.seed is None:
        _state.seed = comm.world().common_seed
    return _state.seed


def users_seed() -> int | None:
    """The seed given to ``set_random_seed``; None where it has not been called."""
    return _state.users


def next_build_index() -> int:
    """A new number for each layer that this program builds, so that equal layers start from different weights."""
    return _state.builds.next()


@contextmanager
def builds_uncounted() -> Iterator[None]:
    """Within the block layers are built that have no weights, and take no numbers from others."""
    before = copy(_state.builds)
    try:
        yield
    finally:
        _state.builds = before


def next_call_index() -> int:
    """A new number for each call outside training that draws random numbers, of a layer or an initializer."""
    return _state.calls.next()


@functools.lru_cache(maxsize=4096)
def key(*address: int | str) -> int:
    """The 128-bit Philox key of an address."""
    words = tuple(word if isinstance(word, str) else int(word) for word in address)
    digest = hashlib.blake2b(repr(words).encode(), digest_size=16).digest()
    return int.from_bytes(digest, "little")


def generator(*address: int | str) -> np.random.Generator:
    """A generator that starts at ``address``."""
    return np.random.Generator(np.random.Philox(key=key(*address)))


def row_bits(address: tuple[int | str, ...], step: int, first_row: int, rows: int, width: int) -> Array:
    """32 random bits for each entry of some rows of a global batch.

    Args:
        address: what the numbers are for; its hash is cached.
        step: training step, the third word of the counter.
        first_row: index in the global batch of the first row wanted.
        rows: number of rows wanted.
        width: entries of one row.

    Returns:
        (rows, width) uint32; row ``r`` is the same in every call that covers it.
    """
    return random_bits(key(*address), step, first_row, rows, width)


def random_bits(philox_key: int, step: int, first_row: int, rows: int, width: int) -> Array:
    """``row_bits`` for the hash of an address."""
    blocks = -(-width // BITS_PER_BLOCK)
    philox = np.random.Philox(key=philox_key, counter=[first_row * blocks, 0, step, 0])
    words = philox.random_raw(rows * blocks * 4).view(np.uint32)
    return words.reshape(rows, blocks * BITS_PER_BLOCK)[:, :width]
