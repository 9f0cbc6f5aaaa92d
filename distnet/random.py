"""Random numbers by address: the same address gives the same numbers, whoever asks and when.

An address ``(seed, purpose, ...)`` is hashed to the key of a counter-based generator (Philox). Nothing
of a generator need be saved, and a rank draws only the rows it holds.

Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011 (Philox 4x64).
"""

from __future__ import annotations

import functools
import hashlib
import random as python_random
import secrets
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from distnet.errors import ArgumentError
from distnet.types import Array

_BITS_PER_BLOCK = 8
"""32-bit words in one Philox 4x64 block."""


def _by_chance() -> int:
    return secrets.randbits(32)


@dataclass
class _State:
    seed: int | None = None
    source: Callable[[], int] = _by_chance
    builds: int = 0
    calls: int = 0


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
    python_random.seed(int(seed))
    np.random.seed(int(seed))


def set_job_seed(seed: int) -> None:
    """Set the seed that all ranks share and count layers and calls from 0 again."""
    _state.seed, _state.builds, _state.calls = seed, 0, 0


def job_seed() -> int:
    """The seed that all addresses start with: set by the user or, once, by chance."""
    if _state.seed is None:
        _state.seed = _state.source()
    return _state.seed


def set_seed_source(source: Callable[[], int]) -> None:
    """Say where ``job_seed`` takes a seed from when nobody has set one; by default from chance."""
    _state.source = source


def has_job_seed() -> bool:
    """Whether a seed was set or drawn already."""
    return _state.seed is not None


def next_build_index() -> int:
    """0, 1, 2 ... for the layers that this program builds: equal layers start from different weights."""
    _state.builds += 1
    return _state.builds - 1


def next_call_index() -> int:
    """0, 1, 2 ... for what this program draws outside of any model, such as an initializer called by hand."""
    _state.calls += 1
    return _state.calls - 1


@functools.lru_cache(maxsize=4096)
def key(*address: int | str) -> int:
    """The 128-bit Philox key of an address."""
    words = tuple(word if isinstance(word, str) else int(word) for word in address)
    digest = hashlib.blake2b(repr(words).encode(), digest_size=16).digest()
    return int.from_bytes(digest, "little")


def generator(*address: int | str) -> np.random.Generator:
    """A generator that starts afresh at ``address``."""
    return np.random.Generator(np.random.Philox(key=key(*address)))


def row_bits(address: tuple[int | str, ...], step: int, first_row: int, rows: int, width: int) -> Array:
    """32 random bits for each entry of some rows of a global batch.

    Args:
        address: what the numbers are for; hashed once and remembered.
        step: training step, the third word of the counter.
        first_row: index in the global batch of the first row wanted.
        rows: number of rows wanted.
        width: entries of one row.

    Returns:
        (rows, width) uint32; row ``r`` is the same in every call that covers it.
    """
    blocks = -(-width // _BITS_PER_BLOCK)
    philox = np.random.Philox(key=key(*address), counter=[first_row * blocks, 0, step, 0])
    words = philox.random_raw(rows * blocks * 4).view(np.uint32)
    return words.reshape(rows, blocks * _BITS_PER_BLOCK)[:, :width]
