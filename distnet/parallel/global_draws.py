"""Whether code of the user's that draws from NumPy's or Python's global generator draws the same on all ranks."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Sequence

import numpy as np

from distnet.errors import ReplicaError
from distnet.parallel.differences import listed

WHAT = "the state of the global generators that code of the model drew from"
_REMEDY = (
    "A layer, loss, metric or train_step called np.random or random, of which each rank has its own. Draw from "
    "keras.random, which gives a row the same numbers whatever the number of ranks. Or give numpy.random and random "
    "one seed on every rank: call np.random.seed(0), and random.seed(0), at the top of the script, or start it with "
    "'distnet run -n N script.py'; then draw the same number of values on every rank, none for each row, and in "
    "callbacks, which run on rank 0 alone, from a generator of their own, such as np.random.default_rng(0)."
)


class GlobalDraws:
    """What one rank's steps drew from the global generators: a checksum of the states that they drew in."""

    def __init__(self) -> None:
        self.checksum = 0
        """0 where nothing was drawn."""
        self._before = (0, 0)

    def begin(self) -> None:
        """A step begins."""
        self._before = _states()

    def end(self) -> None:
        """A step ends."""
        for before, now in zip(self._before, _states(), strict=True):
            if before != now:
                self.checksum = zlib.crc32(struct.pack("q", before), self.checksum) or 1

    def forget(self) -> None:
        """Begin anew: ranks may have met errors at different places."""
        self.checksum = 0

    @property
    def told(self) -> tuple[tuple[str, int], ...]:
        """What is compared with other ranks', for ``StepChecks``; nothing where nothing was drawn."""
        return ((WHAT, self.checksum),) if self.checksum else ()


def draws_differ(checksums: Sequence[int | None]) -> ReplicaError:
    """The error where ranks drew in different states.

    Args:
        checksums: of each rank's draws.
    """
    held = [each and f"checksum {each:08x}" for each in checksums]
    return ReplicaError(f"the ranks do not compute the same thing: {WHAT} differs: {listed(held)}. {_REMEDY}")


def _states() -> tuple[int, int]:
    """What decides the next numbers of NumPy's and of Python's global generator."""
    of_numpy, of_python = np.random.get_state(legacy=False), random.getstate()
    state, gauss = of_numpy["state"], struct.pack("d", of_numpy.get("gauss", 0.0))
    entries = zlib.crc32(state["key"].tobytes(), zlib.crc32(gauss)) if "key" in state else 0
    rest = {name: part for name, part in state.items() if name != "key"}
    return zlib.crc32(repr(rest).encode(), entries), hash((of_python[1], of_python[2] or 0.0))
