"""Class numbers as vectors, and whether a class is among the likeliest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from distnet import config
from distnet.errors import ArgumentError
from distnet.ops.primitive import Primitive, primitive
from distnet.ops.spread import is_spread, rowwise
from distnet.types import Array, ArrayLike


def _behind_rows(function: Primitive, operands: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """Rows of numbers, if the new axis is not the first."""
    (x,), axis = operands, options["axis"]
    return rowwise(function, operands, options) if x.ndim and axis % (x.ndim + 1) else None


def _not_sparse(where: str, sparse: bool) -> None:
    if sparse:
        raise ArgumentError(f"ops.{where}: sparse: distnet has no sparse tensors. Leave it out.")


@primitive(1, module="nn", spread=_behind_rows)
def one_hot(x: ArrayLike, num_classes: int, axis: int = -1, dtype: str | None = None, sparse: bool = False) -> Array:
    """Class numbers as vectors; a number out of range gives zeros.

    Shapes:
        (...) -> (..., num_classes), the new axis at ``axis``.

    Source: ``keras.ops.one_hot``.
    """
    _not_sparse("one_hot", sparse)
    is_class = np.asarray(x)[..., None] == np.arange(num_classes)
    return np.moveaxis(is_class.astype(dtype or config.floatx()), -1, axis)


def _of_rows_of_numbers(function: Primitive, operands: Sequence[Any], options: Mapping[str, Any]) -> Any:
    (x,) = operands
    return rowwise(function, operands, options) if x.ndim > 1 and options["axis"] == -1 else None


@primitive(1, module="nn", spread=_of_rows_of_numbers)
def multi_hot(
    x: ArrayLike, num_classes: int | None = None, axis: int = -1, dtype: str | None = None, sparse: bool = False,
    num_tokens: int | None = None,
) -> Array:  # fmt: skip
    """Rows of class numbers as one vector for each row, with 1 for each class that occurs.

    Shapes:
        (N, T) -> (N, num_classes); (T,) -> (num_classes,).

    Source: ``keras.ops.multi_hot``.
    """
    _not_sparse("multi_hot", sparse)
    classes = num_tokens if num_classes is None else num_classes
    if classes is None:
        raise ArgumentError("ops.multi_hot: expected num_classes, received none.")
    numbers = np.asarray(x)
    each = one_hot.value(numbers.astype(np.int64), classes, axis, dtype)
    return np.asarray(each.max(axis=1 if numbers.ndim > 1 else 0))


def _by_both(function: Primitive, operands: Sequence[Any], options: Mapping[str, Any]) -> Any:
    return rowwise(function, operands, options) if all(map(is_spread, operands)) else None


@primitive(2, module="math", kind="InTopK", spread=_by_both)
def in_top_k(targets: ArrayLike, predictions: ArrayLike, k: int) -> Array:
    """Whether each class number is among the k with the largest predictions; ties count.

    Shapes:
        targets (...), predictions (..., C) -> (...) bool.

    Source: ``keras.ops.in_top_k``.
    """
    given, scores = np.asarray(targets), np.asarray(predictions)
    own = np.take_along_axis(scores, given[..., None], axis=-1)
    own = np.where(np.isnan(own), -np.inf, own)
    return np.asarray(1 + np.count_nonzero(scores > own, axis=-1) <= k)
