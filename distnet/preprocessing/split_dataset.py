"""Datasets cut in two."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from distnet import addresses
from distnet.arguments import check_integer, check_option, is_integer
from distnet.errors import ArgumentError, DataError
from distnet.pipelines.batching_stages import Batched
from distnet.pipelines.dataset import Dataset
from distnet.pipelines.elements import Element, stacked

_SEEDS = 10**6


def split_dataset(
    dataset: Any,
    left_size: float | None = None,
    right_size: float | None = None,
    shuffle: bool = False,
    seed: int | None = None,
    preferred_backend: str | None = None,
) -> tuple[Dataset, Dataset]:
    """Two datasets: the first rows, and the last ones, of a dataset or of arrays, all of which is kept in memory.

    Args:
        dataset: a ``Dataset``, an array, or a list or tuple of arrays of equally many rows.
        left_size, right_size: rows of each, as an integer, or as a fraction of all; None for what the other leaves.
        shuffle: whether rows are shuffled first.
        seed: of that.
        preferred_backend: has no effect.

    Returns:
        Datasets of rows; of batches where ``dataset`` has been put into batches last.

    Raises:
        ArgumentError: a size is invalid, or ``dataset`` is something else.
        DataError: a part would have no rows.

    Source: ``keras.utils.split_dataset``; the order for a seed is Keras's.
    """
    check_option("split_dataset: shuffle", shuffle, (True, False))
    rows = _rows(dataset)
    left, right = _sizes(left_size, right_size, len(rows))
    if shuffle:
        random.Random(_agreed_seed() if seed is None else check_integer("split_dataset: seed", seed, 0)).shuffle(rows)
    parts = [Dataset.from_tensor_slices(stacked(part)) for part in (rows[:left], rows[-right:])]
    if isinstance(dataset, Dataset) and isinstance(dataset.stage, Batched):
        parts = [part.batch(dataset.stage.size) for part in parts]
    return parts[0], parts[1]


def _agreed_seed() -> int:
    address = addresses.job_seed(), "split of a dataset", addresses.next_call_index()
    return int(addresses.generator(*address).integers(_SEEDS))


def _rows(dataset: Any) -> list[Element]:
    if isinstance(dataset, Dataset):
        is_batched = isinstance(dataset.stage, Batched)
        rows = list((dataset.unbatch() if is_batched else dataset).as_numpy_iterator())
    elif isinstance(dataset, np.ndarray):
        rows = list(dataset)
    elif isinstance(dataset, list | tuple) and dataset and all(isinstance(part, np.ndarray) for part in dataset):
        lengths = [len(part) for part in dataset]
        if len(set(lengths)) > 1:
            raise DataError(f"split_dataset: expected arrays of equally many rows, received {lengths}.")
        rows = list(zip(*dataset, strict=True))
    else:
        raise ArgumentError(
            "split_dataset: expected a Dataset, an array, or a list or tuple of arrays, received "
            f"{type(dataset).__name__}."
        )
    if not rows:
        raise DataError("split_dataset: expected at least one row, received none.")
    return rows


def _sizes(left: float | None, right: float | None, rows: int) -> tuple[int, int]:
    """Rows of the two parts."""
    if left is None and right is None:
        raise ArgumentError("split_dataset: expected left_size, right_size or both, received neither.")
    for what, size in (("left_size", left), ("right_size", right)):
        if size is not None and not _is_size(size, rows):
            raise ArgumentError(
                f"split_dataset: {what}: expected an integer from 1 to {rows - 1}, or a fraction between 0 and 1, "
                f"received {size!r}."
            )
    if isinstance(left, float) and isinstance(right, float) and left + right > 1:
        raise ArgumentError(f"split_dataset: expected fractions that sum to at most 1, received {left} and {right}.")
    of_left, of_right = (round(size * rows) if isinstance(size, float) else size for size in (left, right))
    first = rows - int(of_right or 0) if of_left is None else int(of_left)
    last = rows - first if of_right is None else int(of_right)
    if first + last > rows:
        raise ArgumentError(f"split_dataset: expected sizes that sum to at most {rows}, received {first} and {last}.")
    if not first or not last:
        raise DataError(f"split_dataset: {first} and {last} of {rows} rows: expected at least one in each part.")
    return first, last


def _is_size(size: object, rows: int) -> bool:
    if isinstance(size, float):
        return 0 < size < 1
    return is_integer(size) and 0 < int(size) < rows  # type: ignore[call-overload]
