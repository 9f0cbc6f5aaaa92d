"""Losses made from a user's function, and the registry of all losses."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from distnet.errors import ArgumentError, DistnetError, ShapeError
from distnet.losses import differentiated, of_tensors
from distnet.losses.alignment import as_floating
from distnet.losses.base import Loss, Pullback
from distnet.losses.loss_function import LossFunction
from distnet.naming import name_of
from distnet.ops.tensor import Rows, Tensor
from distnet.registry import LEFT_OUT, Registry, to_json
from distnet.types import Array, ArrayLike, Json


@dataclass(eq=False)
class FunctionLoss(Loss):
    """A loss made from a user's function, with its name.

    Args:
        fn: ``f(y_true, y_pred)`` over ``distnet.ops`` that returns one value per row or time step, or one number; or a
            function of arrays that returns one value per row, and the gradient of each in the shape of ``y_pred``.
    """

    fn: Callable[..., Any]
    _states_gradient: bool | None = field(default=None, init=False, repr=False, metadata=LEFT_OUT)

    @property
    def is_differentiated(self) -> bool:
        return not self._states_gradient

    def default_name(self) -> str:
        """The function's name."""
        return name_of(self.fn)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """What the function returns for tensors or arrays."""
        return super().call(y_true, y_pred) if self._states_gradient else self.fn(y_true, y_pred)

    def _called(self, y_true: Tensor, y_pred: Tensor) -> Any:
        return self.fn(*of_tensors.in_one_rank(y_true, y_pred))

    def values_and_gradient(self, y_true: Array, y_pred: Array) -> tuple[Array, Array]:
        values, pullback = self.of_placed_rows(y_true, y_pred, None)
        return values, pullback(1.0)

    def of_placed_rows(self, y_true: Array, y_pred: Array, rows: Rows | None) -> tuple[Array, Pullback]:
        if not self._states_gradient:
            try:
                made = differentiated.values_and_pullback(self.name, self.fn, y_true, y_pred, rows, is_in_one_rank=True)
            except differentiated.ReturnedPair:
                self._states_gradient = True
            except (DistnetError, AttributeError, TypeError):
                if self._states_gradient is False or not self._gives_pair(y_true, y_pred):
                    raise
                self._states_gradient = True
            else:
                self._states_gradient = False
                return made
        return self._stated(y_true, y_pred)

    def validate(self, y_true: ArrayLike, y_pred: ArrayLike) -> None:
        if self._states_gradient is None and self._gives_pair(np.asarray(y_true)[:1], as_floating(y_pred)[:1]):
            self._states_gradient = True
        super().validate(y_true, y_pred)

    def _gives_pair(self, y_true: Array, y_pred: Array) -> bool:
        """Whether the function takes arrays, and states its gradient by itself."""
        try:
            with warnings.catch_warnings(action="ignore"):
                result = self.fn(y_true, y_pred)
        except (DistnetError, AttributeError, TypeError, ValueError):  # it may be written for tensors alone
            return False
        return isinstance(result, tuple) and len(result) == 2

    def _stated(self, y_true: Array, y_pred: Array) -> tuple[Array, Pullback]:
        result = self.fn(y_true, y_pred)
        if not isinstance(result, tuple) or len(result) != 2:
            raise ArgumentError(
                f"loss {self.name}: expected (values, gradient) as before, received {type(result).__name__}."
            )
        values, gradient = np.asarray(result[0]), np.asarray(result[1], dtype=y_pred.dtype)
        if gradient.shape != y_pred.shape or values.shape[:1] != y_pred.shape[:1]:
            raise ShapeError(
                f"loss {self.name}: expected values of shape {y_pred.shape[:-1]} and a gradient of shape "
                f"{y_pred.shape}, received {values.shape} and {gradient.shape}. Do not reduce over rows."
            )
        return values, lambda upstream: gradient * self._spread(upstream, values, gradient.shape)

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


LOSSES: Registry[Loss] = Registry("loss", Loss, adapt=of_function, module="keras.losses")
"""Every loss by name."""
