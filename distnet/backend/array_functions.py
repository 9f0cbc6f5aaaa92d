"""Keras 2's backend functions of arrays whose names, argument orders or defaults differ from NumPy's."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

import numpy as np

from distnet.types import Array, ArrayLike


def argmax(x: ArrayLike, axis: int = -1) -> Any:
    """The index of the largest entry along an axis."""
    return np.argmax(x, axis)


def argmin(x: ArrayLike, axis: int = -1) -> Any:
    """The index of the smallest entry along an axis."""
    return np.argmin(x, axis)


def concatenate(tensors: Sequence[ArrayLike], axis: int = -1) -> Array:
    """Arrays joined along an axis, by default the last one."""
    return np.concatenate([np.asarray(x) for x in tensors], axis)


def flatten(x: ArrayLike) -> Array:
    """All entries along one axis."""
    return np.ravel(x)


def batch_flatten(x: ArrayLike) -> Array:
    """(N, ...) -> (N, entries of a row)."""
    array = np.asarray(x)
    return array.reshape(len(array), -1)


def gather(reference: ArrayLike, indices: ArrayLike) -> Any:
    """The rows with these indices."""
    return np.take(reference, np.asarray(indices), axis=0)


def l2_normalize(x: ArrayLike, axis: int | None = None) -> Array:
    """``x / max(||x||, 1e-6)``: squares below 1e-12 count as 1e-12, as in TensorFlow."""
    squares = np.sum(np.square(x), axis=axis, keepdims=True)
    return np.asarray(x / np.sqrt(np.maximum(squares, 1e-12)))


def permute_dimensions(x: ArrayLike, pattern: Sequence[int]) -> Array:
    """The array with its axes in another order."""
    return np.transpose(x, pattern)


def pow(x: ArrayLike, a: float) -> Any:
    """``x`` to the power of ``a``."""
    return np.power(x, a)


def repeat(x: ArrayLike, n: int) -> Array:
    """(N, C) -> (N, n, C)."""
    return np.repeat(np.asarray(x)[:, None], n, axis=1)


def repeat_elements(x: ArrayLike, rep: int, axis: int) -> Array:
    """Each entry ``rep`` times along an axis."""
    return np.repeat(x, rep, axis)


def switch(condition: ArrayLike, then_expression: Any, else_expression: Any) -> Any:
    """``then_expression`` where the condition holds, ``else_expression`` elsewhere."""
    then, other = (x() if builtins.callable(x) else x for x in (then_expression, else_expression))
    return np.where(condition, then, other)
