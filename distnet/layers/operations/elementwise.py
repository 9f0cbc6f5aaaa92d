"""Functions of each entry, and of matching entries of two arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from distnet import activations
from distnet.activations import (
    CELU,
    ELU,
    GELU,
    SELU,
    HardSigmoid,
    HardSiLU,
    LeakyReLU,
    LogSigmoid,
    LogSoftmax,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Softsign,
)  # fmt: skip
from distnet.layers.operations.functions import OF_CORE, OF_MATH, ONE, TWO, Differentiable, of_activation, sloped
from distnet.types import Array


def _of_power(dy: Array, y: Array, a: Any, b: Any) -> tuple[Array, Array]:
    """``(b a^(b-1), a^b log a)``; 0 where b is 0, and where a is not positive for b.

    Source: ``jax.numpy.power``.
    """
    below = np.where(np.equal(b, 0), 0, b * np.power(a, np.where(np.equal(b, 0), 1, np.asarray(b) - 1)))
    logarithm = np.log(np.where(np.greater(a, 0), a, 1))
    return dy * below, dy * y * logarithm


def _won(a: Any, b: Any) -> Any:
    """How much of the gradient the larger of a and b gets: a's part; ties share it."""
    return np.greater(a, b) + 0.5 * np.equal(a, b)


def _clip(x: Array, x_min: Any, x_max: Any) -> Any:
    return np.minimum(np.maximum(x, x_min), x_max)


def _of_clip(dy: Array, y: Array, x: Array, x_min: Any, x_max: Any) -> tuple[Array]:
    return (dy * _won(x, x_min) * (1 - _won(np.maximum(x, x_min), x_max)),)


def _of_where(dy: Array, y: Array, condition: Array, a: Any, b: Any) -> tuple[None, Array, Array]:
    chosen = np.asarray(condition, bool)
    return None, dy * chosen, dy * ~chosen


def _cast(x: Array, dtype: str) -> Array:
    return np.asarray(x).astype(np.dtype(dtype))


def _steps(
    value: Callable[..., Any], operands: tuple[str, ...] = ONE, options: Mapping[str, Any] = {}
) -> Differentiable:
    """A piecewise constant function."""
    return Differentiable(value, None, operands, options)


def _two(value: Callable[..., Any], gradients: Callable[..., tuple[Any, ...]]) -> Differentiable:
    return Differentiable(value, gradients, TWO)


_of_quotient = _two(np.true_divide, lambda dy, y, a, b: (dy / b, -dy * y / b))

ELEMENTWISE: dict[str, Differentiable] = {
    "Absolute": sloped(np.abs, lambda x, y: np.where(x >= 0, 1, -1)),
    "Negative": sloped(np.negative, lambda x, y: -1),
    "Square": sloped(np.square, lambda x, y: 2 * x),
    "Sqrt": sloped(np.sqrt, lambda x, y: 0.5 / y),
    "Rsqrt": sloped(lambda x: 1 / np.sqrt(x), lambda x, y: -0.5 * y / x, OF_MATH),
    "Reciprocal": sloped(np.reciprocal, lambda x, y: -y * y),
    "Exp": sloped(np.exp, lambda x, y: y),
    "Exp2": sloped(np.exp2, lambda x, y: y * np.log(2)),
    "Expm1": sloped(np.expm1, lambda x, y: y + 1),
    "Log": sloped(np.log, lambda x, y: 1 / x),
    "Log2": sloped(np.log2, lambda x, y: 1 / (x * np.log(2))),
    "Log10": sloped(np.log10, lambda x, y: 1 / (x * np.log(10))),
    "Log1p": sloped(np.log1p, lambda x, y: 1 / (1 + x)),
    "Sin": sloped(np.sin, lambda x, y: np.cos(x)),
    "Cos": sloped(np.cos, lambda x, y: -np.sin(x)),
    "Tan": sloped(np.tan, lambda x, y: 1 + y * y),
    "Arcsin": sloped(np.arcsin, lambda x, y: 1 / np.sqrt(1 - x * x)),
    "Arccos": sloped(np.arccos, lambda x, y: -1 / np.sqrt(1 - x * x)),
    "Arctan": sloped(np.arctan, lambda x, y: 1 / (1 + x * x)),
    "Sinh": sloped(np.sinh, lambda x, y: np.cosh(x)),
    "Cosh": sloped(np.cosh, lambda x, y: np.sinh(x)),
    "Tanh": sloped(np.tanh, lambda x, y: 1 - y * y),
    "Arcsinh": sloped(np.arcsinh, lambda x, y: 1 / np.sqrt(x * x + 1)),
    "Arctanh": sloped(np.arctanh, lambda x, y: 1 / (1 - x * x)),
    **{name: of_activation(cls, **options) for name, cls, options in (
        ("Relu", ReLU, {}), ("Relu6", activations.relu6, {}), ("Sigmoid", Sigmoid, {}), ("Silu", SiLU, {}),
        ("Softplus", Softplus, {}), ("Softsign", Softsign, {}), ("LogSigmoid", LogSigmoid, {}), ("Selu", SELU, {}),
        ("HardSigmoid", HardSigmoid, {}), ("HardSilu", HardSiLU, {}), ("LeakyRelu", LeakyReLU, {"negative_slope": 0.2}),
        ("Elu", ELU, {"alpha": 1.0}), ("Celu", CELU, {"alpha": 1.0}), ("Gelu", GELU, {"approximate": True}),
        ("Softmax", Softmax, {"axis": -1}), ("LogSoftmax", LogSoftmax, {"axis": -1}),
    )},
    "ReLU": replace(
        of_activation(ReLU, negative_slope=0.0, max_value=None, threshold=0.0),
        module="keras.src.activations.activations",
    ),
    "Add": _two(np.add, lambda dy, y, a, b: (dy, dy)),
    "Subtract": _two(np.subtract, lambda dy, y, a, b: (dy, -dy)),
    "Multiply": _two(np.multiply, lambda dy, y, a, b: (dy * b, dy * a)),
    "Divide": _of_quotient,
    "TrueDivide": _of_quotient,
    "Power": _two(np.power, _of_power),
    "Maximum": _two(np.maximum, lambda dy, y, a, b: (dy * _won(a, b), dy * _won(b, a))),
    "Minimum": _two(np.minimum, lambda dy, y, a, b: (dy * _won(b, a), dy * _won(a, b))),
    "Mod": _two(np.mod, lambda dy, y, a, b: (dy, -dy * np.floor_divide(a, b))),
    "Arctan2": _two(np.arctan2, lambda dy, y, a, b: (dy * b / (a * a + b * b), -dy * a / (a * a + b * b))),
    "Logaddexp": _two(np.logaddexp, lambda dy, y, a, b: (dy * np.exp(a - y), dy * np.exp(b - y))),
    "Clip": Differentiable(_clip, _of_clip, options={"x_min": None, "x_max": None}),
    "Where": Differentiable(np.where, _of_where, ("condition", "x1", "x2")),
    "Cast": Differentiable(_cast, lambda dy, y, x, dtype: (dy,), options={"dtype": None}, module=OF_CORE),
    **{name: _steps(function) for name, function in (
        ("Floor", np.floor), ("Ceil", np.ceil), ("Sign", np.sign), ("Isnan", np.isnan), ("Isinf", np.isinf),
        ("Isfinite", np.isfinite), ("LogicalNot", np.logical_not), ("OnesLike", np.ones_like),
        ("ZerosLike", np.zeros_like),
    )},
    **{name: _steps(function, TWO) for name, function in (
        ("FloorDivide", np.floor_divide), ("Equal", np.equal), ("NotEqual", np.not_equal), ("Greater", np.greater),
        ("GreaterEqual", np.greater_equal), ("Less", np.less), ("LessEqual", np.less_equal),
        ("LogicalAnd", np.logical_and), ("LogicalOr", np.logical_or), ("LogicalXor", np.logical_xor),
    )},
    "Round": _steps(np.round, options={"decimals": 0}),
}  # fmt: skip
