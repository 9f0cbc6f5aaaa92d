"""Rows of arrays, gathered into memory used again: by a thread while the batch before trains, where that pays."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeAlias

from distnet.data.batch import Batch
from distnet.types import Array, DType

Room: TypeAlias = Callable[[int, int, tuple[int, ...], DType], Array]
"""Gives memory for the rows of input ``i``: of the input's number, that of one of two sets, a shape and a dtype."""

Gather: TypeAlias = Callable[[int], Callable[[], Batch]]
"""Takes the number of a set of memory, finds that memory, and returns what puts the next batch there."""

LEAST_S = 300e-6
"""What gathering a batch must take for a thread to do it: handing it over takes 40 to 100 us."""


@dataclass(frozen=True)
class Feeding:
    """Where the rows of batches go, and who gathers them.

    Args:
        room: gives the memory.
        has_core: whether a core is free for a thread.
    """

    room: Room
    has_core: bool

    def in_order(self, batches: Iterable[Gather]) -> Generator[Batch, None, None]:
        """Each batch; its rows stay until the next but one is asked for.

        An error is raised where its batch's turn comes. When the iterator is closed, what has begun ends first.
        """
        left = iter(batches)
        shortest = float("inf")
        for number, gather in enumerate(left, 1):
            begin = time.perf_counter()
            batch = gather(0)()
            shortest = min(shortest, time.perf_counter() - begin)
            yield batch
            if number >= 2 and self.has_core and shortest >= LEAST_S:
                yield from _ahead(left)
                return


def _ahead(batches: Iterator[Gather]) -> Generator[Batch, None, None]:
    """Each batch, gathered by a thread while the one before is at work; the batch before the first lies in set 0."""
    thread = ThreadPoolExecutor(1, "distnet-feeding")
    try:
        first = next(batches, None)
        coming, number = None if first is None else thread.submit(first(1)), 1
        while coming is not None:
            batch, following = coming.result(), next(batches, None)
            number = 1 - number
            coming = None if following is None else thread.submit(following(number))
            yield batch
    finally:
        thread.shutdown(cancel_futures=True)
