"""Metrics that users' own steps update with tensors: each row counts once, whichever rank holds it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, Protocol, TypeVar

import numpy as np

from distnet.comm.scope import communicator
from distnet.errors import DistnetError
from distnet.losses.of_tensors import are_tensors
from distnet.ops.opaque import followed
from distnet.ops.spread import own_rows
from distnet.ops.tape import unfollowed
from distnet.ops.tensor import Rows, Tensor
from distnet.results import as_result
from distnet.types import Array

P = ParamSpec("P")
R = TypeVar("R")


def of_global_batch(function: Callable[..., R], *parts: Array, rows: Rows) -> R:
    """What a user's function gives for the global batch, of which these are this rank's rows.

    It is handed tensors; one that takes NumPy's arrays, with their methods, all rows of these.
    """
    tensors = [Tensor(part, rows=rows) for part in parts]
    with unfollowed():
        try:
            return function(*tensors)
        except (AttributeError, TypeError, DistnetError):
            return function(*(as_result(tensor.numpy()) for tensor in tensors))


class OfSums(Protocol):
    """A metric whose state is a vector of sums."""

    state: Array | None

    def size(self, y_true_shape: Any, y_pred_shape: Any) -> int: ...


def apart(result: Callable[P, R]) -> Callable[P, R]:
    """The function, through which no gradients flow."""

    @functools.wraps(result)
    def computed(*args: P.args, **kwargs: P.kwargs) -> R:
        with unfollowed():
            return result(*args, **kwargs)

    return computed


def taking_tensors(update: Callable[..., Any]) -> Callable[..., Any]:
    """Let a metric's ``update_state`` take tensors, too. No gradients flow through it.

    On several ranks distnet's metrics add up the sums of the ranks' rows. One of the user's sees the global batch.
    """
    is_built_in = update.__module__.startswith("distnet.")

    @functools.wraps(update)
    def updated(metric: Any, *args: Any, **kwargs: Any) -> Any:
        if not are_tensors(*args, *kwargs.values()):
            return update(metric, *args, **kwargs)
        with unfollowed():
            given = [_followed(value) for value in (*args, *kwargs.values())]
            rows = next((t.rows for t in given if isinstance(t, Tensor) and t.rows is not None), None)
            if rows is not None and (not is_built_in or getattr(metric, "takes_tensors", False)):
                return update(metric, *args, **kwargs)
            given = [_here(value, rows) for value in given]
            positional, named = given[: len(args)], dict(zip(kwargs, given[len(args) :], strict=True))
            if rows is None:
                return update(metric, *positional, **named)
            return _add_over_ranks(metric, update, positional, named, rows)

    return updated


def _followed(value: Any) -> Any:
    tensor = followed(value)
    return value if tensor is None else tensor


def _here(value: Any, rows: Rows | None) -> Any:
    """This rank's rows of a tensor or array, or all of what has no rows."""
    if isinstance(value, Tensor):
        return value.value if rows is None or value.rows is not None else _here(value.value, rows)
    if rows is None or value is None or not np.ndim(value) or np.shape(value)[0] != rows.total:
        return value
    return own_rows(value, rows)


def _add_over_ranks(metric: OfSums, update: Callable[..., Any], args: list[Any], named: Any, rows: Rows) -> None:
    before, metric.state = metric.state, None
    try:
        if rows.count:
            update(metric, *args, **named)
        shapes = [np.shape(value) for value in (*args, *named.values())]
        own = metric.state
        total = np.zeros(metric.size(shapes[0], shapes[1 if len(shapes) > 1 else 0])) if own is None else own.copy()
    finally:
        metric.state = before
    communicator().allreduce(total)
    metric.state = total if before is None else before + total
