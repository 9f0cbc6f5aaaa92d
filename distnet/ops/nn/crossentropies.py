"""Crossentropies, and the ratio of signal to noise."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from distnet import config
from distnet.errors import ShapeError
from distnet.ops.compositions import composition
from distnet.ops.nn.encodings import one_hot
from distnet.ops.nn.simplex import log_softmax
from distnet.ops.nn.squashing import log_sigmoid
from distnet.ops.operators import PRIMITIVES
from distnet.ops.reductions import mean
from distnet.ops.smooth import log, square


def _shape(x: Any) -> tuple[int, ...]:
    return tuple(x.shape) if hasattr(x, "shape") else np.shape(x)


def _check_alike(where: str, one: Any, other: Any) -> None:
    if _shape(one) != _shape(other):
        raise ShapeError(f"ops.{where}: expected two tensors of one shape, received {_shape(one)} and {_shape(other)}.")


def _inside(p: Any) -> Any:
    """Probabilities, clipped to where their logarithms are finite."""
    epsilon = config.epsilon()
    return PRIMITIVES["Clip"](p, epsilon, 1.0 - epsilon)


@composition(2, module="nn")
def binary_crossentropy(target: Any, output: Any, from_logits: bool = False) -> Any:
    """``-(t log(p) + (1 - t) log(1 - p))`` of each entry; p is clipped to [epsilon, 1 - epsilon].

    Args:
        from_logits: whether ``output`` are logits z, with ``p = sigmoid(z)``.

    Source: ``keras.ops.binary_crossentropy``.
    """
    _check_alike("binary_crossentropy", target, output)
    if from_logits:
        return -(target * log_sigmoid(output)) - (1.0 - target) * log_sigmoid(-output)
    p = _inside(output)
    return -(target * log(p) + (1.0 - target) * log(1.0 - p))


def _log_shares(output: Any, from_logits: bool, axis: int) -> Any:
    if from_logits:
        return log_softmax(output, axis=axis)
    return log(_inside(output / PRIMITIVES["Sum"](output, axis=axis, keepdims=True)))


@composition(2, module="nn")
def categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Any:
    """``-sum(t log(q))`` over the classes of one-hot targets; ``q = p / sum(p)``, clipped to [epsilon, 1 - epsilon].

    Args:
        from_logits: whether ``output`` are logits z, with ``q = softmax(z)``.
        axis: of the classes.

    Source: ``keras.ops.categorical_crossentropy``.
    """
    _check_alike("categorical_crossentropy", target, output)
    return -PRIMITIVES["Sum"](target * _log_shares(output, from_logits, axis), axis=axis)


@composition(2, module="nn")
def sparse_categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Any:
    """``-log(q[t])``, the crossentropy of class numbers; q as in ``categorical_crossentropy``.

    Shapes:
        target (...) or (..., 1), output (..., C) -> (...).

    Source: ``keras.ops.sparse_categorical_crossentropy``.
    """
    shape, of_output = _shape(target), _shape(output)
    if len(shape) == len(of_output) and shape[-1] == 1:
        target, shape = PRIMITIVES["Squeeze"](target, -1), shape[:-1]
    if shape != of_output[:-1]:
        raise ShapeError(
            "ops.sparse_categorical_crossentropy: expected class numbers in the shape of the output but for the last "
            f"axis, received {shape} and {of_output}."
        )
    numbers = PRIMITIVES["Cast"](target, "int32")
    dtype = output.dtype.name if hasattr(output, "dtype") else config.floatx()
    shares = one_hot(numbers, of_output[axis], axis=axis, dtype=dtype)
    return -PRIMITIVES["Sum"](shares * _log_shares(output, from_logits, axis), axis=axis)


@composition(2, kind="PSNR", module="nn")
def psnr(x1: Any, x2: Any, max_val: float) -> Any:
    """Peak signal-to-noise ratio in decibels, ``20 log10(max_val) - 10 log10(mean((x1 - x2)^2))``.

    Source: ``keras.ops.psnr``.
    """
    _check_alike("psnr", x1, x2)
    return 20 * math.log10(max_val) - log(mean(square(x1 - x2))) * (10 / math.log(10))
