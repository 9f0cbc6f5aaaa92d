"""Functions that reduce axes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from distnet.layers.operations.functions import OF_MATH, Differentiable
from distnet.types import Array

_AXES = {"axis": None, "keepdims": False}


def _kept(y: Array, x: Array, axis: Any, keepdims: bool) -> Array:
    """``y`` with the reduced axes of x as axes of 1."""
    if keepdims:
        return np.asarray(y)
    axes = range(x.ndim) if axis is None else axis if isinstance(axis, list | tuple) else (axis,)
    return np.expand_dims(y, tuple(a % x.ndim for a in axes))


def _reduced(value: Callable[..., Any], slope: Callable[[Array, Array, float], Any]) -> Differentiable:
    """A reduction with ``slope(x, y, n)``, the derivative by each entry of the n that were reduced to one."""

    def of_entries(x: Array, axis: Any, keepdims: bool) -> Any:
        return value(x, axis=tuple(axis) if isinstance(axis, list) else axis, keepdims=keepdims)

    def gradients(dy: Array, y: Array, x: Array, axis: Any, keepdims: bool) -> tuple[Array]:
        kept = _kept(y, x, axis, keepdims)
        n = math.prod(a // max(b, 1) for a, b in zip(x.shape[1:], kept.shape[1:], strict=True))
        return (_kept(dy, x, axis, keepdims) * np.broadcast_to(slope(x, kept, n), x.shape),)

    return Differentiable(of_entries, gradients, options=_AXES)


def _share(x: Array, y: Array, n: float) -> Array:
    """Ties share the gradient."""
    wins = x == y
    axes = tuple(i for i, (a, b) in enumerate(zip(x.shape, y.shape, strict=True)) if a != b)
    return np.asarray(wins / np.maximum(wins.sum(axis=axes, keepdims=True), 1))


def _deviation(x: Array, y: Array) -> Array:
    """x less its mean over the axes that are 1 in y."""
    axes = tuple(i for i, (a, b) in enumerate(zip(x.shape, y.shape, strict=True)) if a != b)
    return np.asarray(x - x.mean(axis=axes, keepdims=True))


def _logsumexp(x: Array, axis: Any, keepdims: bool) -> Any:
    top = x.max(axis=axis, keepdims=True)
    y = top + np.log(np.exp(x - top).sum(axis=axis, keepdims=True))
    return y if keepdims else np.squeeze(y, axis)


def _steps(value: Callable[..., Any]) -> Differentiable:
    return Differentiable(value, None, options=_AXES)


_maximum, _minimum = _reduced(np.max, _share), _reduced(np.min, _share)
_of_logsumexp = _reduced(_logsumexp, lambda x, y, n: np.exp(x - y))

REDUCTIONS: dict[str, Differentiable] = {
    "Sum": _reduced(np.sum, lambda x, y, n: 1.0),
    "Mean": _reduced(np.mean, lambda x, y, n: 1 / n),
    "Var": _reduced(np.var, lambda x, y, n: 2 * _deviation(x, y) / n),
    "Std": _reduced(np.std, lambda x, y, n: _deviation(x, y) / (n * y)),
    "Max": _maximum,
    "Min": _minimum,
    "Amax": _maximum,
    "Amin": _minimum,
    "Logsumexp": Differentiable(_of_logsumexp.value, _of_logsumexp.gradients, options=_AXES, module=OF_MATH),
    "Any": _steps(np.any),
    "All": _steps(np.all),
    "Argmax": _steps(np.argmax),
    "Argmin": _steps(np.argmin),
}
