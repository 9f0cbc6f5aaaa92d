"""Functions that multiply x by a gate between 0 and 1, which opens as x grows."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from distnet.errors import ShapeError
from distnet.ops.dtypes import floating
from distnet.ops.nn.entry_function import entry_function
from distnet.ops.nn.gaussian import normal_density, normal_distribution, normal_tail
from distnet.ops.nn.pieces import exp, tanh, within
from distnet.ops.nn.squashing import hard_sigmoid, sigmoid
from distnet.ops.operators import PRIMITIVES
from distnet.ops.primitive import primitive
from distnet.ops.spread import along
from distnet.types import Array, ArrayLike, Shape

_TANH_SCALE = math.sqrt(2 / math.pi)
_TANH_CUBIC = 0.044715
_MISH_LIMIT = 20.0
"""From here on Mish is x to double precision, and its terms still fit in single precision."""


def _tanh_of(x: Any) -> tuple[Any, Any]:
    """``tanh(u)`` for the gate ``(1 + tanh(u)) / 2``, and ``x^2``."""
    square = x * x
    return tanh(_TANH_SCALE * x * (1 + _TANH_CUBIC * square)), square


def _gelu_slope(x: Any, approximate: bool) -> Any:
    if not approximate:
        return normal_density(x) * x + normal_distribution.of(x)
    t, square = _tanh_of(x)
    slope = 0.5 * _TANH_SCALE * (1 - t * t) * (1 + 3 * _TANH_CUBIC * square)
    return slope * x + (0.5 + 0.5 * t)


@entry_function(_gelu_slope, saves_input=True, is_long=True)
def gelu(x: Array, out: Array, approximate: bool = True) -> None:
    """Gaussian error linear unit: ``x P(X <= x)`` for a standard normal X.

    Args:
        approximate: ``0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x**3)))`` instead.

    Source: Hendrycks and Gimpel, 2016 (arXiv:1606.08415), section 2.
    """
    if approximate:
        np.multiply(x, 0.5 + 0.5 * _tanh_of(x)[0], out=out)
        return
    size = np.abs(x)
    size *= normal_tail(size)
    np.clip(x, 0, np.inf, out=out)
    out -= size


def _silu_slope(x: Any) -> Any:
    gate = sigmoid.of(x)
    return ((1 - gate) * x + 1) * gate


@entry_function(_silu_slope, saves_input=True)
def silu(x: Array, out: Array) -> None:
    """Swish: ``x sigmoid(x)``.

    Source: Ramachandran et al., 2017 (arXiv:1710.05941), with beta = 1.
    """
    sigmoid.write(x, out)
    out *= x


swish = silu


@entry_function(lambda x: within(x, -3, 3) * x * (1 / 6) + hard_sigmoid.of(x), saves_input=True)
def hard_silu(x: Array, out: Array) -> None:
    """Hard swish: ``x clip(x / 6 + 1/2, 0, 1)``.

    Source: Howard et al., 2019 (arXiv:1905.02244), section 5.2.
    """
    hard_sigmoid.write(x, out)
    out *= x


hard_swish = hard_silu


def _mish_terms(x: Any) -> tuple[Any, Any]:
    """With ``e = exp(x)`` and ``n = e (e + 2)`` the gate is ``n / (n + 2)``."""
    e = exp(_limited(x))
    return e, e * (e + 2)


def _limited(x: Any) -> Any:
    if isinstance(x, np.ndarray):
        return np.clip(x, -np.inf, _MISH_LIMIT)
    return PRIMITIVES["Where"](x < _MISH_LIMIT, x, _MISH_LIMIT)


def _mish_slope(x: Any) -> Any:
    e, n = _mish_terms(x)
    wide = n + 2
    return (4 * e * (e + 1) / wide * x + n) / wide


@entry_function(_mish_slope, saves_input=True, is_long=True, module="activations")
def mish(x: Array, out: Array) -> None:
    """``x tanh(log(1 + exp(x)))``.

    Source: Misra, 2019 (arXiv:1908.08681), equation 1.
    """
    _, n = _mish_terms(x)
    np.divide(n, n + 2, out=out)
    out *= x


def glu_shape(shape: Shape, axis: int) -> Shape:
    """The shape of ``glu``.

    Raises:
        ShapeError: the axis has an odd length.
    """
    axis = range(len(shape))[axis]
    extent = shape[axis]
    if extent is None:
        return shape
    if extent % 2:
        raise ShapeError(f"glu: expected an even length of axis {axis}, received the shape {shape}.")
    return (*shape[:axis], extent // 2, *shape[axis + 1 :])


@primitive(module="nn", spread=along())
def glu(x: ArrayLike, axis: int = -1) -> Array:
    """Gated linear unit: one half of x times the sigmoid of the other half, ``a sigmoid(b)``.

    Raises:
        ShapeError: the axis has an odd length.

    Source: Dauphin et al., 2017 (arXiv:1612.08083), equation 1.
    """
    x = floating(x)
    out = np.empty(glu_shape(x.shape, axis), x.dtype)  # type: ignore[type-var]
    write_glu(x, out, axis)
    return out


def write_glu(x: Array, out: Array, axis: int) -> None:
    """Write ``glu``."""
    a, b = np.split(x, 2, axis=axis)
    sigmoid.write(b, out)
    out *= a


def write_glu_gradient(dy: Array, x: Array, out: Array, axis: int) -> None:
    """Write the gradient of x."""
    a, b = np.split(x, 2, axis=axis)
    da, db = np.split(out, 2, axis=axis)
    gate = sigmoid.of(b)
    np.multiply(dy, gate, out=da)
    np.multiply(da, a * (1 - gate), out=db)


def _of_glu(dy: Any, y: Any, x: Any, axis: int) -> Any:
    half = x.shape[axis] // 2
    before = (slice(None),) * (axis % x.ndim)
    a, b = x[(*before, slice(None, half))], x[(*before, slice(half, None))]
    gate = sigmoid.of(b)
    da = dy * gate
    halves = [da, da * (a * (1 - gate))]
    if isinstance(da, np.ndarray):
        return np.concatenate(halves, axis=axis)
    return PRIMITIVES["Concatenate"](halves, axis=axis)


glu.has_gradients(_of_glu)
