"""Losses written over ``distnet.ops``, which state values alone: the tape gives their pullback."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias, cast

import numpy as np

from distnet.errors import ArgumentError, DistnetError
from distnet.losses.alignment import same_rank
from distnet.losses.weighting import over_values
from distnet.ops.operators import PRIMITIVES
from distnet.ops.spread import own_rows, summed
from distnet.ops.tape import following, gradients, watched
from distnet.ops.tensor import Rows, TapeNode, Tensor
from distnet.types import Array, ArrayLike

Pullback: TypeAlias = Callable[[Array | float], Array]
"""Maps the gradient with respect to the values, one number for all or one for each, to that of ``y_pred``."""


class ReturnedPair(Exception):  # noqa: N818 - a result, for the one caller that knows what it means
    """A function returned a tuple of two: values and gradient, which it states by itself."""


def values_and_pullback(
    name: str,
    function: Callable[[Any, Any], Any],
    y_true: Array,
    y_pred: Array,
    rows: Rows | None,
    is_in_one_rank: bool = False,
) -> tuple[Array, Pullback]:
    """The values that a user's function gives, and their pullback.

    On several ranks the function sees the global batch. Its values are those of this rank's rows, or one number, which
    all ranks share.

    Args:
        name: of the loss, for messages.
        function: of ``(y_true, y_pred)``.
        y_true: targets of this rank's rows.
        y_pred: predictions.
        rows: which rows of the global batch these are; None if this is all of it.
        is_in_one_rank: whether (N,) beside (N, 1) becomes (N, 1) first, as Keras does it for functions.

    Raises:
        ArgumentError: it returned no values.
        ReturnedPair: it returned two things.
    """
    y_true = np.asarray(y_true, y_pred.dtype)
    targets, outputs = same_rank(y_true, y_pred) if is_in_one_rank else (y_true, y_pred)
    leaf = watched(Tensor(outputs, rows=rows))
    with following(), naming_the_loss(name):
        returned = function(Tensor(targets, rows=rows), leaf)
        if isinstance(returned, tuple) and len(returned) == 2:
            raise ReturnedPair
        values = _one_a_row(as_values(name, returned, y_pred), leaf.shape[0], rows)

    def pullback(upstream: Array | float) -> Array:
        dy = np.broadcast_to(np.asarray(upstream, values.dtype), values.value.shape)
        source = cast(TapeNode, leaf.node), 0
        gradient = gradients([(values, dy)], [source]).shared.get(source)
        return np.zeros_like(y_pred) if gradient is None else cast(Array, gradient).reshape(y_pred.shape)

    return values.value, pullback


@contextmanager
def naming_the_loss(name: str) -> Iterator[None]:
    """Within the block errors about tensors say in which loss they arise."""
    try:
        yield
    except DistnetError as error:
        if not str(error).startswith(f"loss {name}: "):
            error.args = (f"loss {name}: {error}", *error.args[1:])
        raise


def as_values(name: str, returned: Any, y_pred: Any) -> Tensor:
    """What a function returned, as a tensor.

    Raises:
        ArgumentError: it is no number and no array of numbers.
    """
    if isinstance(returned, Tensor):
        return returned
    try:
        values = np.asarray(None if returned is None else returned, y_pred.dtype)
    except (TypeError, ValueError):
        values = np.empty(0, object)
    if returned is None or values.dtype.kind != "f":
        raise ArgumentError(
            f"loss {name}: expected one value for each row, or one number, received {returned!r:.100}. "
            "Return the values."
        )
    return Tensor(values)


def _one_a_row(values: Tensor, total: int, rows: Rows | None) -> Tensor:
    """This rank's rows of values of which there is one, or several, for each row; else their mean, as one number."""
    if values.rows is not None or not values.ndim:
        return values
    if values.shape[0] != total:
        return cast(Tensor, PRIMITIVES["Mean"](values))
    return values if rows is None else cast(Tensor, own_rows(values, rows))


def factor_of_one_number(
    reduction: str | None, weight: ArrayLike | None, mask: ArrayLike | None, counts_masked: bool, rows: Rows | None
) -> float:
    """What a loss of one number for the whole batch is multiplied by, with these weights and mask of this rank's rows.

    Source: ``keras.src.losses.loss.reduce_weighted_values``, which broadcasts the number to the weights' shape.
    """
    if weight is None and (mask is None or reduction != "sum"):
        return 1.0
    kept = np.ones((), np.float64) if mask is None else np.asarray(mask, np.float64)
    counted = np.ones((), np.float64) if weight is None else np.asarray(weight, np.float64)
    ndim = max(kept.ndim, counted.ndim)
    weighed = over_values(kept, ndim) * over_values(counted, ndim)
    sums = np.array(
        [weighed.sum(), weighed.size, kept.sum() if mask is not None and not counts_masked else kept.size, kept.size]
    )
    total, entries, valid, all_kept = (sums if rows is None else summed(sums)).tolist()
    if reduction == "sum":
        return float(total)
    if reduction == "mean_with_sample_weight":
        return float(total != 0)
    return float(total / entries * (all_kept / valid)) if entries and valid else 0.0
