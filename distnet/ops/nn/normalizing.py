"""Statistics, and normalization by them."""

from __future__ import annotations

from typing import Any

import numpy as np

from distnet import config
from distnet.errors import ArgumentError
from distnet.ops.compositions import composition
from distnet.ops.operators import PRIMITIVES
from distnet.ops.reductions import mean
from distnet.ops.smooth import square


def _rsqrt(x: Any) -> Any:
    return PRIMITIVES["Rsqrt"](x)


@composition(1, module="nn", returns_many=True)
def moments(x: Any, axes: Any, keepdims: bool = False, synchronized: bool = False) -> tuple[Any, Any]:
    """The mean and the variance over axes; over the batch, those of the rows of all ranks.

    Args:
        synchronized: accepted for Keras's sake: statistics of the batch are always those of all ranks.

    Source: ``keras.ops.moments``.
    """
    axis = tuple(axes) if isinstance(axes, list | tuple) else axes
    center = mean(x, axis=axis, keepdims=True)
    spread = mean(square(x - center), axis=axis, keepdims=keepdims)
    return (center if keepdims else PRIMITIVES["Squeeze"](center, axis)), spread


@composition(5, kind="BatchNorm", module="nn")
def _batch_normalized(
    x: Any, mean: Any, variance: Any, offset: Any, scale: Any, axis: int, epsilon: float = 1e-3
) -> Any:
    shape = tuple(n if i == axis % len(x.shape) else 1 for i, n in enumerate(x.shape))
    inverse = _rsqrt(PRIMITIVES["Reshape"](variance, shape) + epsilon)
    if scale is not None:
        inverse = inverse * PRIMITIVES["Reshape"](scale, shape)
    rest = -PRIMITIVES["Reshape"](mean, shape) * inverse
    if offset is not None:
        rest = rest + PRIMITIVES["Reshape"](offset, shape)
    return x * inverse + rest


def batch_normalization(
    x: Any, mean: Any, variance: Any, axis: int, offset: Any = None, scale: Any = None, epsilon: float = 1e-3
) -> Any:
    """``(x - mean) / sqrt(variance + epsilon) * scale + offset`` for vectors along an axis.

    Source: ``keras.ops.batch_normalization``.
    """
    return _batch_normalized(x, mean, variance, offset, scale, axis=axis, epsilon=epsilon)


@composition(3, kind="LayerNorm", module="nn")
def layer_normalization(
    x: Any, gamma: Any = None, beta: Any = None, axis: Any = -1, epsilon: float | None = None, rms_scaling: bool = False
) -> Any:
    """``(x - mean) / sqrt(variance + epsilon) * gamma + beta``, the statistics being those over axes.

    Args:
        epsilon: by default ``keras.config.epsilon()``.
        rms_scaling: divide by the root of the variance alone, as old Keras did; x is not centered.

    Source: ``keras.ops.layer_normalization``.
    """
    x, ndim = _floating(x), len(np.shape(x) if not hasattr(x, "shape") else x.shape)
    axes = tuple(sorted(a % ndim for a in (axis if isinstance(axis, list | tuple) else (axis,))))
    shape = tuple(n if i in axes else 1 for i, n in enumerate(x.shape))
    gamma, beta = (v if v is None else PRIMITIVES["Reshape"](v, shape) for v in (gamma, beta))
    center, spread = moments(x, axes, keepdims=True)
    inverse = _rsqrt(spread + (config.epsilon() if epsilon is None else epsilon))
    if gamma is not None:
        inverse = inverse * gamma
    if rms_scaling:
        return x * inverse
    rest = -center * inverse
    return x * inverse + (rest if beta is None else rest + beta)


@composition(2, kind="RMSNorm", module="nn")
def rms_normalization(x: Any, scale: Any = None, axis: Any = -1, epsilon: float | None = None) -> Any:
    """``x / sqrt(mean(x^2) + epsilon) * scale``, the mean being that over axes.

    Args:
        epsilon: by default ``keras.config.epsilon()``.

    Source: ``keras.ops.rms_normalization``.
    """
    x = _floating(x)
    if not x.ndim:
        x = PRIMITIVES["ExpandDims"](x, 0)
    axis = tuple(axis) if isinstance(axis, list | tuple) else axis
    size = mean(square(x), axis=axis, keepdims=True)
    made = x * _rsqrt(size + (config.epsilon() if epsilon is None else epsilon))
    return made if scale is None else made * scale


@composition(1, module="nn")
def normalize(x: Any, axis: Any = -1, order: int = 2, epsilon: float | None = None) -> Any:
    """``x / max(norm(x), epsilon)``, the norm being that of vectors along an axis.

    Args:
        order: of the norm, at least 1.
        epsilon: by default ``keras.config.epsilon()``.

    Source: ``keras.ops.normalize``.
    """
    if not isinstance(order, int) or order < 1:
        raise ArgumentError(f"ops.normalize: expected an integer order of at least 1, received {order!r}.")
    x, least = _floating(x), config.epsilon() if epsilon is None else epsilon
    if not x.ndim:
        x = PRIMITIVES["ExpandDims"](x, 0)
    axis = tuple(axis) if isinstance(axis, list | tuple) else axis
    if order == 2:
        inverse = _rsqrt(PRIMITIVES["Sum"](square(x), axis=axis, keepdims=True))
        return x * PRIMITIVES["Minimum"](inverse, 1.0 / least)
    if isinstance(axis, tuple):
        raise ArgumentError(f"ops.normalize: expected one axis for the order {order}, received {axis}.")
    powers = PRIMITIVES["Sum"](PRIMITIVES["Absolute"](x) ** order, axis=axis, keepdims=True)
    return x / PRIMITIVES["Maximum"](powers if order == 1 else powers ** (1.0 / order), least)


def _floating(x: Any) -> Any:
    """x as a tensor or array of floating point numbers."""
    x = x if hasattr(x, "dtype") else np.asarray(x)
    return x if x.dtype.kind == "f" else PRIMITIVES["Cast"](x, config.floatx())
