"""Layers that adapt to data: how the data come, and that every rank adapts to the same."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np

from distnet.comm.scope import communicator, meeting
from distnet.errors import ArgumentError, ReplicaError
from distnet.types import Array

_CLOSE = 1e-4
"""How far statistics of equal data may differ on machines of different kinds."""


def batches(where: str, data: Any, steps: int | None, is_array: Callable[[Any], bool]) -> Iterator[Any]:
    """The batches of data for ``adapt``: an array is one; a ``PyDataset`` and a generator give some.

    Args:
        where: for messages.
        steps: most batches to take; None for all.
        is_array: whether a list or tuple is one array.

    Raises:
        ArgumentError: something else.
    """
    if hasattr(data, "to_numpy"):
        data = data.to_numpy()
    if (
        hasattr(data, "__array__")
        or isinstance(data, str | bytes)
        or (isinstance(data, list | tuple) and is_array(data))
    ):
        yield data
        return
    if hasattr(data, "__len__") and hasattr(data, "__getitem__") and not isinstance(data, dict):
        each: Iterator[Any] = (data[number] for number in range(len(data)))
    elif hasattr(data, "__iter__") and not isinstance(data, dict):
        each = iter(data)
    else:
        raise ArgumentError(f"{where}: adapt: expected an array, a list or batches, received {data!r:.100}.")
    for number, batch in enumerate(each):
        if steps is not None and number >= steps:
            return
        yield _inputs(batch)


class Adapts(Protocol):
    """A layer that learns from batches."""

    name: str

    def reset_state(self) -> None: ...

    def as_array(self, value: Any) -> Array: ...

    def update_state(self, data: Any) -> None: ...


def take_all(layer: Adapts, data: Any, steps: int | None) -> None:
    """Let a layer forget what it counted, and count all of the data; of one array of one axis each entry is a row.

    Raises:
        ArgumentError: there are no data.
    """
    layer.reset_state()
    any_rows = False
    for batch in batches(layer.name, data, steps, lambda given: True):
        array = layer.as_array(batch)
        is_whole = batch is data or hasattr(data, "to_numpy")
        layer.update_state(array.reshape(-1, 1) if is_whole and array.ndim == 1 else array)
        any_rows |= bool(array.size)
    if not any_rows:
        raise ArgumentError(f"{layer.name}: adapt: expected data, received none.")


def on_every_rank(where: str, adapt: Callable[[], None]) -> None:
    """Adapt on each rank; an error on one is an error on all.

    Raises:
        Exception: what ``adapt`` raised on the first rank where it did.
    """
    with meeting(f"{where}.adapt"):
        adapt()


def check_tokens(where: str, tokens: Sequence[Any], weights: Array | None = None) -> None:
    """Fail unless every rank has learned the same tokens.

    Raises:
        ReplicaError: they differ.
    """
    ranks = communicator()
    if ranks.size == 1:
        return
    numbers = [] if weights is None else weights.tolist()
    each = ranks.allgather_object((len(tokens), _digest(repr(list(tokens))), numbers and _digest(repr(numbers))))
    other = next((rank for rank, known in enumerate(each) if known != each[0]), None)
    if other is not None:
        raise ReplicaError(
            f"{where}: adapt: the ranks saw different data: rank 0 found {each[0][0]} tokens, rank {other} "
            f"{each[other][0]}, or others, or more of some. Pass the same data, all of it, on every rank."
        )


def as_on_root(where: str, statistics: Array) -> Array:
    """Rank 0's statistics, after a check that the other ranks have about the same.

    Raises:
        ReplicaError: they do not.
    """
    ranks = communicator()
    if ranks.size == 1:
        return statistics
    each = ranks.allgather_object(statistics)
    for rank, own in enumerate(each):
        if own.shape != each[0].shape or not np.allclose(own, each[0], _CLOSE, _CLOSE, equal_nan=True):
            raise ReplicaError(
                f"{where}: adapt: the ranks saw different data, for rank {rank} does not have rank 0's statistics. "
                "Pass the same data, all of it, on every rank."
            )
    return each[0]


def _inputs(batch: Any) -> Any:
    """The inputs of a batch: of ``(x, y)`` or ``(x, y, sample_weight)`` the first."""
    is_pair = isinstance(batch, tuple) and len(batch) in (2, 3) and bool(getattr(batch[0], "ndim", False))
    return batch[0] if is_pair else batch


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
