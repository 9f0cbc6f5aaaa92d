"""Data that a user's class gives batch by batch."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, cast


class PyDataset(ABC):
    """A dataset that knows how many batches it has and makes any one of them: base of your own.

    Implement ``__getitem__``, the batch of a number: ``(x, y)`` or ``(x, y, sample_weight)``, a *global* batch
    whatever the number of ranks; and ``__len__`` or ``num_batches``, the number of batches. One without end has
    neither, or None: an epoch is then as long as ``steps_per_epoch`` says.

    Args:
        workers, use_multiprocessing, max_queue_size: how Keras reads ahead; taken so that scripts run.

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
        """Number of batches: by default that of ``__len__``; None for a dataset without end."""
        length = getattr(type(self), "__len__", None)
        return None if length is None else cast("int | None", length(self))

    def on_epoch_begin(self) -> None:  # noqa: B027
        """Called before each epoch."""

    def on_epoch_end(self) -> None:  # noqa: B027
        """Called after each epoch, for example to shuffle; on every rank alike."""


Sequence = PyDataset
"""Keras 2's name of ``PyDataset``."""
