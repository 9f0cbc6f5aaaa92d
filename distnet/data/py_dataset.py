"""Data that a user's class gives batch by batch."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, cast


class PyDataset(ABC):
    """A dataset that knows its number of batches and makes any one of them: a base class for your own.

    Implement ``__getitem__``, which returns the batch of a number, ``(x, y)`` or ``(x, y, sample_weight)``: always a
    *global* batch. Implement ``__len__`` or ``num_batches``, the number of batches; an endless dataset has neither, or
    None, and needs ``steps_per_epoch``.

    Args:
        workers: with more than one, a thread makes batches while earlier ones train, in order.
        use_multiprocessing: ignored: a thread does it.
        max_queue_size: most batches made ahead.

    Source: ``keras.utils.PyDataset``, in Keras 2 ``keras.utils.Sequence``.
    """

    workers: int = 1
    use_multiprocessing: bool = False
    max_queue_size: int = 10

    def __init__(self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10) -> None:
        self.workers, self.use_multiprocessing, self.max_queue_size = workers, use_multiprocessing, max_queue_size

    @abstractmethod
    def __getitem__(self, index: int) -> Any:
        """Batch number ``index``."""

    def __iter__(self) -> Iterator[Any]:
        """All batches in order."""
        count = self.num_batches
        return (self[i] for i in (itertools.count() if count is None else range(count)))

    @property
    def num_batches(self) -> int | None:
        """Number of batches, by default ``len(self)``; None for an endless dataset."""
        length = getattr(type(self), "__len__", None)
        return None if length is None else cast("int | None", length(self))

    def on_epoch_begin(self) -> None:  # noqa: B027
        """Called before each epoch."""

    def on_epoch_end(self) -> None:  # noqa: B027
        """Called after each epoch on every rank, for example to shuffle."""


Sequence = PyDataset
"""Keras 2's name for ``PyDataset``."""
