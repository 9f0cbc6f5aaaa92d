"""Losses made from a user's function, and the registry of all losses."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from distnet.errors import ArgumentError, ShapeError
from distnet.losses.base import Loss
from distnet.losses.loss_function import LossFunction
from distnet.naming import name_of
from distnet.registry import Registry, to_json
from distnet.types import Array, Json


@dataclass(eq=False)
class FunctionLoss(Loss):
    """A loss made from a user's function ``f(y_true, y_pred) -> (values, gradient)``, with its name.

    Args:
        fn: returns one value per sample, and the gradient of each in the shape of ``y_pred``.
    """

    fn: Callable[[Array, Array], tuple[Array, Array]]

    def default_name(self) -> str:
        """The function's name."""
        return name_of(self.fn)

    def values_and_gradient(self, y_true: Array, y_pred: Array) -> tuple[Array, Array]:
        result = self.fn(y_true, y_pred)
        if not isinstance(result, tuple) or len(result) != 2:
            raise ArgumentError(
                f"loss {self.name}: expected (values, gradient), received {type(result).__name__}. distnet has no "
                "automatic differentiation: return one value per row and its gradient, of the shape of y_pred."
            )
        values, gradient = np.asarray(result[0]), np.asarray(result[1], dtype=y_pred.dtype)
        if gradient.shape != y_pred.shape or values.shape[:1] != y_pred.shape[:1]:
            raise ShapeError(
                f"loss {self.name}: expected values of shape {y_pred.shape[:-1]} and a gradient of shape "
                f"{y_pred.shape}, received {values.shape} and {gradient.shape}. Do not reduce over rows."
            )
        return values, gradient

    def as_json(self) -> Json:
        """The function's name, by which custom_objects has it, or its own configuration."""
        return to_json(self.fn)


def of_function(fn: Callable[..., Any]) -> Loss:
    """The loss that a function stands for: one of this package's, or a user's own."""
    if isinstance(fn, LossFunction):
        return fn.cls()
    if isinstance(fn, functools.partial) and isinstance(fn.func, LossFunction) and not fn.args:
        return fn.func.cls(**fn.keywords, name=name_of(fn))
    return FunctionLoss(fn)


LOSSES: Registry[Loss] = Registry("loss", Loss, adapt=of_function, module="keras.losses")  # type: ignore[type-abstract]
"""Every loss by name."""
