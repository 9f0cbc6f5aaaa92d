"""Keras 2's backend functions of each entry and along axes, where they differ from those of ``ops``."""

from __future__ import annotations

from typing import Any

from distnet import ops
from distnet.ops.operators import PRIMITIVES


def sqrt(x: Any) -> Any:
    """The square root; 0 of negative numbers."""
    return ops.sqrt(ops.maximum(x, 0.0))


def pow(x: Any, a: Any) -> Any:
    """``x`` to the power of ``a``."""
    return ops.power(x, a)


def clip(x: Any, min_value: Any, max_value: Any) -> Any:
    """``x`` between two numbers; of these the larger one wins where they are the wrong way round."""
    if isinstance(min_value, int | float) and isinstance(max_value, int | float) and max_value < min_value:
        max_value = min_value
    lower = x if min_value is None else ops.maximum(x, min_value)
    return lower if max_value is None else ops.minimum(lower, max_value)


def relu(x: Any, alpha: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Any:
    """``x`` above the threshold, up to ``max_value``; ``alpha (x - threshold)`` below."""
    if max_value is None and not alpha and not threshold:
        return ops.relu(x)
    return PRIMITIVES["ReLU"](x, negative_slope=alpha, max_value=max_value, threshold=threshold)


def elu(x: Any, alpha: float = 1.0) -> Any:
    """``x`` above 0, ``alpha (e^x - 1)`` below."""
    return ops.elu(x, alpha)


def hard_sigmoid(x: Any) -> Any:
    """``0.2 x + 0.5`` between 0 and 1: Keras 2's."""
    return clip(ops.add(ops.multiply(x, 0.2), 0.5), 0.0, 1.0)


def softmax(x: Any, axis: int = -1) -> Any:
    """``e^x`` over its sum along an axis."""
    return ops.softmax(x, axis)


def argmax(x: Any, axis: int = -1) -> Any:
    """The index of the largest entry along an axis."""
    return ops.argmax(x, axis)


def argmin(x: Any, axis: int = -1) -> Any:
    """The index of the smallest entry along an axis."""
    return ops.argmin(x, axis)


def cumsum(x: Any, axis: int = 0) -> Any:
    """Sums of the entries so far along an axis."""
    return ops.cumsum(x, axis=axis)


def cumprod(x: Any, axis: int = 0) -> Any:
    """Products of the entries so far along an axis."""
    return ops.cumprod(x, axis=axis)


def l2_normalize(x: Any, axis: int | None = None) -> Any:
    """``x / max(||x||, 1e-6)``: squares below 1e-12 count as 1e-12, as in TensorFlow."""
    squares = ops.sum(ops.square(x), axis=axis, keepdims=True)
    return ops.divide(x, ops.sqrt(ops.maximum(squares, 1e-12)))


def in_top_k(predictions: Any, targets: Any, k: int) -> Any:
    """Whether the class is among the ``k`` likeliest, row by row."""
    return ops.in_top_k(targets, predictions, k)


def binary_crossentropy(target: Any, output: Any, from_logits: bool = False) -> Any:
    """The crossentropy of each entry."""
    return ops.binary_crossentropy(target, output, from_logits=from_logits)


def categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Any:
    """The crossentropy of distributions along an axis."""
    return ops.categorical_crossentropy(target, output, from_logits=from_logits, axis=axis)


def sparse_categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Any:
    """The crossentropy of class numbers and distributions along an axis."""
    return ops.sparse_categorical_crossentropy(target, output, from_logits=from_logits, axis=axis)


def batch_normalization(
    x: Any, mean: Any, var: Any, beta: Any, gamma: Any, axis: int = -1, epsilon: float = 1e-3
) -> Any:
    """``gamma (x - mean) / sqrt(var + epsilon) + beta``; ``gamma`` and ``beta`` may be None."""
    y = (x - mean) * ops.rsqrt(ops.add(var, epsilon))
    y = y if gamma is None else y * gamma
    return y if beta is None else y + beta


def normalize_batch_in_training(
    x: Any, gamma: Any, beta: Any, reduction_axes: Any, epsilon: float = 1e-3
) -> tuple[Any, Any, Any]:
    """The batch, normalized over some axes, with its mean and variance."""
    axes = tuple(reduction_axes)
    mean, var = ops.mean(x, axis=axes, keepdims=True), ops.var(x, axis=axes, keepdims=True)
    kept = tuple(1 if i in axes else n for i, n in enumerate(x.shape))
    scale, shift = (None if part is None else ops.reshape(part, kept) for part in (gamma, beta))
    y = batch_normalization(x, mean, var, shift, scale, epsilon=epsilon)
    return y, ops.squeeze(mean, axes), ops.squeeze(var, axes)
