"""Whether all ranks hold the same arrays, entry by entry: checksums of parts of about a megabyte.

The first megabytes are compared before training. The rest is read by a thread that works a fiftieth of the time, and
compared when all ranks have read it. A CRC-32 takes about 0.2 ms for a megabyte, and no memory.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

import numpy as np

from distnet.checksums import checksum
from distnet.comm import Communicator
from distnet.errors import ReplicaError
from distnet.parallel.differences import listed
from distnet.parallel.replicas import are_equal, remedy
from distnet.types import Array

_PART_BYTES = 1 << 20
_AT_ONCE_BYTES = 16 << 20
"""Compared before training."""
_MOST_BYTES = 4 << 30
"""Of more bytes only some parts are read, evenly spread."""
_MOST_IN_A_CALL = 32 << 20
"""Of what is evaluated or predicted."""
_SHARE_OF_TIME = 0.02
"""That the thread works."""
_SHORTEST_SLEEP_S = 0.001


@dataclass(frozen=True)
class _Part:
    what: str
    name: str
    array: Array
    start: int
    stop: int

    def rows(self) -> Array:
        """These rows, in memory without gaps."""
        return np.ascontiguousarray(self.array[self.start : self.stop])

    def checksum(self) -> int:
        """Of the rows."""
        return checksum(self.array[self.start : self.stop])


class DataChecksums:
    """The checksums of some arrays, as far as they are known.

    Args:
        communicator: the ranks, all with arrays of equal shapes and dtypes.
        arrays: (what they belong to, such as "the training data", their name, the array).
        most: bytes to read; of more only some parts are read.
    """

    def __init__(
        self, communicator: Communicator, arrays: Sequence[tuple[str, str, Array]], most: int = _MOST_BYTES
    ) -> None:
        self.communicator = communicator
        by_size = sorted(arrays, key=lambda named: named[2].nbytes)
        parts = [part for what, name, array in by_size for part in _parts(what, name, array)]
        self._every = max(1, -(-sum(array.nbytes for *_, array in arrays) // most))
        self._parts = parts[:: self._every]
        self._known = np.zeros(len(self._parts), np.int64)
        self._done = self._compared = 0
        self._spent_s = 0.0

    @property
    def is_read(self) -> bool:
        """Whether this rank has read all."""
        return self._done == len(self._parts)

    @property
    def is_compared(self) -> bool:
        """Whether the ranks have compared all."""
        return self._compared == len(self._parts)

    def read(self, most: int = _AT_ONCE_BYTES) -> None:
        """Read the next bytes, of any number up to ``most``."""
        stop = min(self._done + max(1, most // _PART_BYTES), len(self._parts))
        if self._done == stop:
            return
        start = time.thread_time()
        while self._done < stop:
            self._read_one()
        self._spent_s += time.thread_time() - start

    def compare(self) -> None:
        """Fail unless the ranks' arrays are equal, as far as all of them have read; every rank calls it.

        Raises:
            ReplicaError: they differ; the message names the array, the place and the ranks.
        """
        if self.is_compared or self.communicator.size == 1:
            return
        here = self._done  # the thread goes on reading meanwhile
        if are_equal(self.communicator, here << 32 | checksum(self._known[self._compared : here])):
            self._compared = here
            return
        done = np.zeros(self.communicator.size, np.int64)
        done[self.communicator.rank] = here
        self.communicator.allreduce(done)
        known = self._known[self._compared : done.min()]
        if not are_equal(self.communicator, checksum(known)):
            each = self.communicator.allgather_object(known)
            self._fail(self._compared + next(i for i, sums in enumerate(zip(*each, strict=True)) if len(set(sums)) > 1))
        self._compared = int(done.min())

    def begin_anew(self) -> None:
        """Know of nothing that it was compared, as where ranks died meanwhile: some may have, others not."""
        self._compared = 0

    @contextmanager
    def in_background(self) -> Iterator[None]:
        """Within the block a thread reads what is left."""
        if self.is_read or self.communicator.size == 1:
            yield
            return
        is_ended = threading.Event()
        thread = threading.Thread(target=self._read_slowly, args=(is_ended,), name="distnet-checksums", daemon=True)
        thread.start()
        try:
            yield
        finally:
            is_ended.set()
            thread.join()

    def _read_one(self) -> None:
        self._known[self._done] = self._parts[self._done].checksum()
        self._done += 1

    def _read_slowly(self, is_ended: threading.Event) -> None:
        is_ended.wait(self._spent_s / _SHARE_OF_TIME)  # what was read at once is of this share, too
        while not self.is_read and not is_ended.is_set():
            start = time.thread_time()
            self._read_one()
            worked = time.thread_time() - start
            is_ended.wait(max(worked / _SHARE_OF_TIME, _SHORTEST_SLEEP_S))

    def _fail(self, number: int) -> None:
        """Tell where the first part that differs does."""
        part, ranks = self._parts[number], self.communicator
        sums = ranks.allgather_object(part.checksum())
        other = next((rank for rank, each in enumerate(sums) if each != sums[0]), None)
        if other is None:
            raise ReplicaError(
                f"the ranks do not train the same thing: {part.what}, {part.name}, rows {part.start} to "
                f"{part.stop - 1}, changed on a rank while it was read. {remedy(part.what)}"
            )
        rows = part.rows()
        first, second = (ranks.broadcast_object(rows, root) for root in (0, other))
        differ = _unequal(first, second)
        places = np.argwhere(differ.reshape(len(first), -1).any(1))
        entry = tuple(np.argwhere(differ)[0])
        held = rows[entry]
        values = ranks.allgather_object(held.item() if isinstance(held, np.generic) else held)
        row = [part.start + int(entry[0]), *map(int, entry[1:])]
        rest = f", every {_ordinal(self._every)} megabyte of the data being compared" if self._every > 1 else ""
        raise ReplicaError(
            f"the ranks do not train the same thing: {part.what}, {part.name}{row}, is {listed(values)} ({len(places)} "
            f"of rows {part.start} to {part.stop - 1} differ{rest}). {remedy(part.what)}"
        )


def compare_data(communicator: Communicator, arrays: Sequence[tuple[str, Array]], what: str = "the data") -> None:
    """Fail unless every rank has the same arrays; of more than 32 MB some parts are compared.

    Raises:
        ReplicaError: they differ.
    """
    if communicator.size > 1:
        checksums = DataChecksums(communicator, [(what, *named) for named in arrays], _MOST_IN_A_CALL)
        checksums.read(_MOST_IN_A_CALL)
        checksums.compare()


def _parts(what: str, name: str, array: Array) -> Iterator[_Part]:
    rows = max(1, _PART_BYTES // max(1, array.nbytes // max(1, len(array))))
    return (_Part(what, name, array, start, min(start + rows, len(array))) for start in range(0, len(array), rows))


def _unequal(some: Array, others: Array) -> Array:
    """Which entries differ in a bit: NaN is equal to the same NaN."""
    if some.dtype.kind == "O":
        return np.asarray(some != others)
    of_bytes = (array.reshape(-1, 1).view(np.uint8) for array in (some, others))
    return cast(Array, np.not_equal(*of_bytes).any(1).reshape(some.shape))


def _ordinal(number: int) -> str:
    return {2: "second", 3: "third"}.get(number, f"{number}th")
