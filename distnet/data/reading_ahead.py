"""Batches that are made by threads while earlier ones train."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from itertools import islice
from typing import Any, Self, TypeVar

Place = TypeVar("Place")
T = TypeVar("T")


@dataclass(frozen=True)
class ReadingAhead:
    """How far ahead batches of a sequence are made, and by how many threads.

    Args:
        workers: threads; with 1, as in Keras 3, the training makes each batch itself when it comes to it.
        max_queue_size: most batches that are made, or being made, and not yet trained on.
    """

    workers: int = 1
    max_queue_size: int = 10

    def or_of(self, sequence: Any) -> Self:
        """What a ``PyDataset`` says itself, unless more workers were asked for here."""
        workers, size = getattr(sequence, "workers", None), getattr(sequence, "max_queue_size", None)
        if not isinstance(workers, int) or workers <= self.workers:
            return self
        return type(self)(workers, size if isinstance(size, int) else self.max_queue_size)

    def in_order(self, make: Callable[[Place], T], places: Iterable[Place], in_parallel: bool) -> Iterator[T]:
        """``make`` of each place; an error is raised where that place's turn comes.

        When the iterator is closed, what has not begun is not made, and what has begun ends first.

        Args:
            in_parallel: whether several may be made at once; else one after the other, in order.
        """
        if self.workers <= 1:
            yield from map(make, places)
            return
        waiting: deque[Future[T]] = deque()
        left, context = iter(places), copy_context()
        threads = ThreadPoolExecutor(self.workers if in_parallel else 1, "distnet-reading-ahead")
        try:
            while True:
                for place in islice(left, max(self.max_queue_size, 1) - len(waiting)):
                    waiting.append(threads.submit(context.copy().run, make, place))
                if not waiting:
                    return
                yield waiting.popleft().result()
        finally:
            threads.shutdown(cancel_futures=True)
