"""Losses made of a loss function of this package's or of a function of the user, and their registry."""

from __future__ import annotations

import dataclasses
import functools
from abc import ABC
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, cast

import numpy as np

from distnet.activations import Activation
from distnet.errors import ArgumentError, ShapeError
from distnet.losses.alignment import as_floating
from distnet.losses.base import Loss
from distnet.losses.loss_function import LossFunction
from distnet.naming import name_of
from distnet.registry import Registry, to_json
from distnet.types import Array, ArrayLike, Json


class BuiltInLoss(Loss, ABC):
    """A loss whose values are a loss function's; its own fields are the function's options."""

    function: ClassVar[LossFunction[...]]
    has_function_name: ClassVar[bool] = True
    """Whether Keras finds the loss by the name of its function."""

    def default_name(self) -> str:
        """The function's name."""
        return self.function.__name__

    def of_logits(self, activation: Activation) -> Loss | None:
        """With ``from_logits``, for the crossentropy that belongs to the activation, over the last axis."""
        belongs = vars(type(self)).get("logits_of") == activation and getattr(self, "axis", -1) == -1
        if not belongs or getattr(self, "from_logits", True):
            return None
        return cast(Loss, dataclasses.replace(cast(Any, self), from_logits=True))

    def values_and_gradient(self, y_true: Array, y_pred: Array) -> tuple[Array, Array]:
        return self.function.values_and_gradient(y_true, y_pred, **self.options())

    def validate(self, y_true: ArrayLike, y_pred: ArrayLike) -> None:
        self.function.align(y_true, as_floating(y_pred), **self.options())

    def options(self) -> dict[str, object]:
        """The function's options."""
        return {name: getattr(self, name) for name in _option_names(type(self))}

    @property
    def couples_rows(self) -> bool:
        axis = getattr(self, "axis", -1)
        return axis is None or 0 in (axis if isinstance(axis, list | tuple) else (axis,))


@functools.cache
def _option_names(cls: type[BuiltInLoss]) -> tuple[str, ...]:
    base = {f.name for f in dataclasses.fields(Loss)}
    return tuple(f.name for f in dataclasses.fields(cls) if f.name not in base)


@dataclass(eq=False)
class FunctionLoss(Loss):
    """A user's function ``f(y_true, y_pred) -> (values, gradient)`` as a loss, named after it.

    Args:
        fn: gives one value per sample, and the gradient of each in the shape of ``y_pred``.
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
        """The function's name, by which it is found again in custom_objects, or its own configuration."""
        return to_json(self.fn)


def of_function(fn: Callable[..., Any]) -> Loss:
    """The loss that a function means: one of this package's, or a user's own."""
    if isinstance(fn, LossFunction):
        return LOSSES.get(fn.__name__)
    if isinstance(fn, functools.partial) and isinstance(fn.func, LossFunction) and not fn.args:
        kind = cast("type[Loss]", LOSSES.find(fn.func.__name__))
        return kind(**fn.keywords, name=name_of(fn))
    return FunctionLoss(fn)


LOSSES: Registry[Loss] = Registry("loss", Loss, adapt=of_function, module="keras.losses")  # type: ignore[type-abstract]
"""Every loss by name."""
