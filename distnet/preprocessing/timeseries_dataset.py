"""Windows of a time series."""

from __future__ import annotations

import numpy as np

from distnet import addresses
from distnet.arguments import check_integer, check_option
from distnet.errors import ArgumentError, DataError
from distnet.pipelines.dataset import Dataset
from distnet.pipelines.elements import as_element, read_only
from distnet.pipelines.row_stages import SeriesWindows, Slices, Zipped
from distnet.preprocessing.labelled_files import check_format
from distnet.types import ArrayLike

_WHERE = "timeseries_dataset_from_array"
_SEEDS = 10**6
_BATCHES_THAT_WAIT = 8
_ROWS_THAT_WAIT = 1024


def timeseries_dataset_from_array(
    data: ArrayLike,
    targets: ArrayLike | None,
    sequence_length: int,
    sequence_stride: int = 1,
    sampling_rate: int = 1,
    batch_size: int | None = 128,
    shuffle: bool = False,
    seed: int | None = None,
    start_index: int | None = None,
    end_index: int | None = None,
    format: str = "tf",
) -> Dataset:
    """A dataset of windows of a time series, with the target of each window's first time.

    Shapes:
        Batches ``(windows, targets)``: (N, sequence_length, ...) and (N, ...); windows alone without targets.

    Args:
        data: (time, ...).
        targets: (time, ...): entry i belongs to the window that begins at i; or None.
        sequence_length: times of a window.
        sequence_stride: times from one window's begin to the next.
        sampling_rate: times from one entry of a window to the next.
        batch_size: windows of a batch; None for windows by themselves.
        shuffle: whether windows come in a random order, another one in each pass.
        seed: of that order.
        start_index, end_index: the first time that is used, and the first behind those.
        format: ``"tf"``.

    Raises:
        ArgumentError: an argument is out of range.
        DataError: no window fits.
        AbsentError: another ``format`` is wanted.

    Source: ``keras.utils.timeseries_dataset_from_array``; the order for a seed is Keras's.
    """
    check_format(_WHERE, format)
    check_option(f"{_WHERE}: shuffle", shuffle, (True, False))
    steps = as_element(data)
    begin, end = _bounds(len(steps), start_index, end_index)
    length = check_integer(f"{_WHERE}: sequence_length", sequence_length, 1)
    stride, rate = (
        _below(what, value, len(steps))
        for what, value in (("sequence_stride", sequence_stride), ("sampling_rate", sampling_rate))
    )
    of_windows = None if targets is None else as_element(targets)
    count = end - begin - (length - 1) * rate
    count = count if of_windows is None else min(count, len(of_windows))
    if count < 1:
        raise DataError(
            f"{_WHERE}: expected at least one window of {length} times, {rate} apart, received {end - begin} times, "
            "in which none fits."
        )
    starts = np.arange(0, count, stride)
    if shuffle:
        seed = _agreed_seed() if seed is None else check_integer(f"{_WHERE}: seed", seed, 0)
        np.random.RandomState(seed).shuffle(starts)
    windows = SeriesWindows(read_only(steps[begin:end]), starts, length, rate)
    if of_windows is None:
        dataset = Dataset(windows)
    else:
        of_windows = of_windows[begin:end]
        if starts.max() >= len(of_windows):
            raise DataError(
                f"{_WHERE}: targets: expected one for each of the {count} windows, received {len(of_windows)} from "
                f"start_index on."
            )
        dataset = Dataset(Zipped((windows, Slices(of_windows[starts]))))
    if shuffle:
        dataset = dataset.shuffle(_ROWS_THAT_WAIT if batch_size is None else batch_size * _BATCHES_THAT_WAIT, seed)
    return dataset if batch_size is None else dataset.batch(batch_size)


def _agreed_seed() -> int:
    address = addresses.job_seed(), "windows of a series", addresses.next_call_index()
    return int(addresses.generator(*address).integers(_SEEDS))


def _bounds(times: int, start: int | None, end: int | None) -> tuple[int, int]:
    """The first time that is used, and the first behind those."""
    begin = 0 if start is None else check_integer(f"{_WHERE}: start_index", start, 0)
    if begin >= times:
        raise ArgumentError(f"{_WHERE}: start_index: expected one below the {times} times, received {begin}.")
    if not end:
        return begin, times
    check_integer(f"{_WHERE}: end_index", end, 1)
    if not begin < end < times:
        raise ArgumentError(
            f"{_WHERE}: end_index: expected one above start_index={begin} and below the {times} times, received {end}."
        )
    return begin, int(end)


def _below(what: str, value: object, times: int) -> int:
    if check_integer(f"{_WHERE}: {what}", value, 1) >= times:
        raise ArgumentError(f"{_WHERE}: {what}: expected one below the {times} times, received {value}.")
    return int(value)  # type: ignore[call-overload,no-any-return]
