"""Class weights and sample weights -> one weight a row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from distnet.errors import ArgumentError, ShapeError
from distnet.types import Array, ArrayLike


def row_weights(
    y: Array | None, sample_weight: ArrayLike | None, class_weight: Mapping[Any, float] | None
) -> Array | None:
    """The weight of each row; None where all weigh 1.

    Args:
        y: targets, (N,), (N, 1) of class numbers or (N, C) one-hot; needed for class weights.
        sample_weight: (N,) or (N, ...).
        class_weight: class number -> weight; other classes weigh 1.

    Raises:
        ArgumentError: both are given, or a weight is not a number.
        ShapeError: the number of weights is not the number of rows of ``y``.

    Source: ``keras.Model.fit``.
    """
    if sample_weight is not None and class_weight is not None:
        raise ArgumentError("fit: expected sample_weight or class_weight, received both. Multiply them into one.")
    if sample_weight is not None:
        weights = _numbers(sample_weight)
        if weights.ndim == 0 or (y is not None and len(weights) != len(y)):
            rows = "" if y is None else f" {len(y)}"
            raise ShapeError(f"sample_weight: expected{rows} rows, one for each of y, received {weights.shape}.")
        return weights
    if class_weight is None or y is None:
        return None
    return _class_weights(y, class_weight)


def _numbers(sample_weight: ArrayLike) -> Array:
    try:
        return np.asarray(sample_weight, np.float64)
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"sample_weight: expected numbers, one for each row, received {error}.") from None


def _class_weights(y: Array, class_weight: Mapping[Any, float]) -> Array:
    if not isinstance(class_weight, Mapping):
        raise ArgumentError(f"class_weight: expected a dict of class number -> weight, received {class_weight!r}.")
    if y.ndim > 2:
        raise ShapeError(f"class_weight: expected targets of shape (N,), (N, 1) or (N, C), received {y.shape}.")
    is_one_hot = y.ndim == 2 and y.shape[1] > 1
    labels = np.argmax(y, axis=1) if is_one_hot else np.rint(y.reshape(-1)).astype(np.int64)
    weights = np.ones(len(labels), np.float64)
    for label, weight in class_weight.items():
        try:
            weights[labels == int(label)] = float(weight)
        except (TypeError, ValueError):
            raise ArgumentError(
                f"class_weight: expected class numbers and weights, received {label!r}: {weight!r}."
            ) from None
    return weights
