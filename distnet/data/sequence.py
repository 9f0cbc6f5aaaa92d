"""Data that a user's class gives batch by batch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any


class PyDataset(ABC):
    """A dataset that knows how many batches it has and makes any one of them: base of your own.

    Implement ``__len__``, the number of batches, and ``__getitem__``, the batch of a number: ``(x, y)`` or
    ``(x, y, sample_weight)``, a *global* batch whatever the number of ranks.

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
    def __len__(self) -> int:
        """Number of batches."""

    @abstractmethod
    def __getitem__(self, index: int) -> Any:
        """Batch number ``index``."""

    def __iter__(self) -> Iterator[Any]:
        """All batches in order."""
        return (self[i] for i in range(len(self)))

    @property
    def num_batches(self) -> int:
        """Number of batches: Keras 3's name of ``len``."""
        return len(self)

    def on_epoch_begin(self) -> None:  # noqa: B027
        """Called before each epoch."""

    def on_epoch_end(self) -> None:  # noqa: B027
        """Called after each epoch, for example to shuffle; on every rank alike."""


Sequence = PyDataset
"""Keras 2's name of ``PyDataset``."""
