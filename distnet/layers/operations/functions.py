"""What an elementary function of tensors is: its value and its gradients, under Keras's names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from distnet.activations import Activation
from distnet.types import Array

OF_NUMPY, OF_NN, OF_CORE, OF_MATH = (f"keras.src.ops.{room}" for room in ("numpy", "nn", "core", "math"))
"""Keras 3's modules of operations."""

ONE, TWO = ("x",), ("x1", "x2")
"""The names of a function's operands."""


@dataclass(frozen=True)
class Differentiable:
    """An elementary function.

    Args:
        value: ``value(*operands, **options)``; an array, or a list of them.
        gradients: ``gradients(dy, y, *operands, **options)``, one for each operand, in the shape of y or of the
            operand; a list of them if the operand is a list. None if y is piecewise constant.
        operands: names of the arguments that can be tensors.
        options: names of the others, with their defaults; those of Keras's class.
        module: where Keras 3 has its class.
    """

    value: Callable[..., Any]
    gradients: Callable[..., tuple[Any, ...]] | None = None
    operands: tuple[str, ...] = ONE
    options: Mapping[str, Any] = field(default_factory=dict)
    module: str = OF_NUMPY


def sloped(
    value: Callable[[Array], Array], slope: Callable[[Array, Array], Any], module: str = OF_NUMPY
) -> Differentiable:
    """A function of each entry, with its derivative ``slope(x, y)``."""
    return Differentiable(value, lambda dy, y, x: (dy * slope(x, y),), module=module)


def of_activation(kind: Any, **options: Any) -> Differentiable:
    """An activation's class, or an activation, with its options and their defaults."""

    def made(given: Mapping[str, Any]) -> Activation:
        activation: Activation = kind(**given) if isinstance(kind, type) else kind
        return activation

    def gradients(dy: Array, y: Array, x: Array, **given: Any) -> tuple[Array]:
        dx, activation = np.empty_like(x), made(given)
        activation.backward(dy, x if activation.saves_input else y, dx)
        return (dx,)

    return Differentiable(lambda x, **given: made(given)(x), gradients, options=options, module=OF_NN)


def summed_to(gradient: Array, shape: tuple[int, ...]) -> Array:
    """The gradient of an array of ``shape`` that was broadcast to the gradient's shape."""
    extra = gradient.ndim - len(shape)
    repeated = [i + extra for i, n in enumerate(shape) if n == 1 != gradient.shape[i + extra]]
    total = gradient.sum(axis=(*range(extra), *repeated), keepdims=True) if extra or repeated else gradient
    return np.asarray(total).reshape(shape)
