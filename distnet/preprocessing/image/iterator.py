"""Endless batches of images, epoch after epoch; any part of any batch can be computed by itself."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np

from distnet import addresses
from distnet.arguments import check_integer, check_option
from distnet.errors import ArgumentError, DataError
from distnet.preprocessing.image.pictures import save_img
from distnet.types import Array


class ImageMaker(Protocol):
    """What an iterator needs of its ``ImageDataGenerator``."""

    dtype: str | None
    data_format: str | None
    validation_split: float

    def make(self, x: Array, address: tuple[int | str, ...], epoch: int, rows: Array) -> Array:
        """Images of a data set, changed at random and standardized."""


class Iterator(ABC):
    """A sequence of the batches of one epoch, and an iterator over the batches of all epochs.

    The order of an epoch's rows has the address (seed, epoch), and the change of an image (seed, epoch, row):
    ``rows`` computes any part of any batch, with the same result on every rank.

    Args:
        n: number of rows.
        batch_size: rows in a batch; the last one of an epoch may have fewer.
        shuffle: whether each epoch has an order of its own.
        seed: of order and changes: iterators with the same seed agree; without one, each has its own.

    Source: ``keras.preprocessing.image.Iterator``.
    """

    white_list_formats = ("png", "jpg", "jpeg", "bmp", "ppm", "tif", "tiff")

    def __init__(self, n: int, batch_size: int, shuffle: bool, seed: int | None) -> None:
        where = type(self).__name__
        check_integer(f"{where}: batch_size", batch_size, 1)
        check_option(f"{where}: shuffle", shuffle, (True, False))
        if seed is not None:
            check_integer(f"{where}: seed", seed, 0)
        if n == 0:
            raise DataError(f"{where}: expected at least one image, received none.")
        self.n = n
        self.batch_size = int(batch_size)
        self.shuffle = shuffle
        self.seed = seed
        self.epoch = 0
        self.batch_index = 0
        self.total_batches_seen = 0
        self._call = None if seed is not None else addresses.next_call_index()
        self._order: tuple[int, Array] | None = None

    def __len__(self) -> int:
        return math.ceil(self.n / self.batch_size)

    def __getitem__(self, index: int) -> Any:
        self.total_batches_seen += 1
        return self.rows(self.epoch, index, slice(0, self.global_rows(index)))

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        if self.batch_index >= len(self):
            self.on_epoch_end()
            self.reset()
        self.batch_index += 1
        return self[self.batch_index - 1]

    def next(self) -> Any:
        """The next batch."""
        return next(self)

    def on_epoch_end(self) -> None:
        """Go to the next epoch, with another order and other changes."""
        self.epoch += 1

    def reset(self) -> None:
        """Let ``next`` start again at the epoch's first batch."""
        self.batch_index = 0

    def rows(self, epoch: int, batch: int, part: slice) -> Any:
        """Rows of one batch: ``x``, ``(x, y)`` or ``(x, y, sample_weight)``; no other rows are computed.

        Args:
            epoch: number of the epoch, from 0.
            batch: number of the batch in it.
            part: rows of the batch.

        Raises:
            ArgumentError: the epoch has no such batch.
        """
        self.global_rows(batch)
        start = batch * self.batch_size
        return self._take(self._order_of(epoch)[start : start + self.batch_size][part], epoch)

    def global_rows(self, batch: int) -> int:
        """Number of rows of a batch.

        Raises:
            ArgumentError: an epoch has no such batch.
        """
        if not 0 <= batch < len(self):
            raise ArgumentError(f"{type(self).__name__}: expected a batch from 0 to {len(self) - 1}, received {batch}.")
        return min(self.batch_size, self.n - batch * self.batch_size)

    @property
    def index_array(self) -> Array:
        """The rows in the order of the current epoch."""
        return self._order_of(self.epoch)

    @abstractmethod
    def _take(self, index: Array, epoch: int) -> Any:
        """These rows, as they are in this epoch."""

    @cached_property
    def address(self) -> tuple[int | str, ...]:
        """Where the addresses of the order and the changes begin."""
        if self._call is None:
            return ("images", int(self.seed or 0))
        return ("images", addresses.job_seed(), self._call)

    def _order_of(self, epoch: int) -> Array:
        if self._order is None or self._order[0] != epoch:
            rng = addresses.generator(*self.address, "shuffle", epoch)
            self._order = (epoch, rng.permutation(self.n) if self.shuffle else np.arange(self.n))
        return self._order[1]


def save_batch(x: Array, index: Array, epoch: int, to: tuple[Path, str, str], data_format: str) -> None:
    """Write the images of a batch as pictures, each named by its row and epoch.

    Args:
        to: folder, which is created; prefix of the names; format.
    """
    folder, prefix, file_format = to
    folder.mkdir(parents=True, exist_ok=True)
    for image, row in zip(x, index, strict=True):
        save_img(folder / f"{prefix}_{row}_{epoch}.{file_format}", image, data_format)
