"""What a loss function is: a value per sample of targets and predictions, and its gradient on demand."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Concatenate, Generic, ParamSpec, TypeAlias, cast

from distnet.losses.alignment import as_floating, same_shape
from distnet.results import as_result
from distnet.types import Array, ArrayLike

P = ParamSpec("P")

Pullback: TypeAlias = Callable[[], Array]
"""Computes ``d values / d y_pred``, in the shape of ``y_pred``, from what the values left behind."""

Formula: TypeAlias = Callable[Concatenate[Array, Array, P], tuple[Array, Pullback]]
"""``(y_true, y_pred, **options) -> (values, pullback)`` of arrays that are aligned already."""

Alignment: TypeAlias = Callable[[str, Array, Array, Mapping[str, object]], tuple[Array, Array]]
"""``(name, y_true, y_pred, options) -> (y_true, y_pred)``: checked, and of the shapes a formula expects."""


class LossFunction(Generic[P]):
    """A function of ``(y_true, y_pred)`` that gives values and, asked, their gradient.

    Losses ask for both, metrics for the values alone; the formula is written once. Called as a function
    it is Keras's: one value per sample.
    """

    __name__: str

    def __init__(self, formula: Formula[P], align: Alignment) -> None:
        functools.update_wrapper(self, formula)
        self._formula = formula
        self._align = align
        self._options = tuple(inspect.signature(formula).parameters)[2:]

    def __call__(self, y_true: ArrayLike, y_pred: ArrayLike, *args: P.args, **kwargs: P.kwargs) -> Array:
        """The values: the shape of ``y_pred`` without the axis that is reduced."""
        return cast(Array, as_result(self.values(y_true, y_pred, *args, **kwargs)))

    def __reduce__(self) -> str:
        """Pickled and copied as a function is: by its name."""
        return self.__name__

    def values(self, y_true: ArrayLike, y_pred: ArrayLike, *args: P.args, **kwargs: P.kwargs) -> Array:
        """As a call, as a plain array."""
        y_true, y_pred = self.align(y_true, y_pred, *args, **kwargs)
        return self._formula(y_true, y_pred, *args, **kwargs)[0]

    def values_and_gradient(
        self, y_true: ArrayLike, y_pred: ArrayLike, *args: P.args, **kwargs: P.kwargs
    ) -> tuple[Array, Array]:
        """The values, and their gradient in the shape and dtype of ``y_pred``."""
        y_pred = as_floating(y_pred)
        aligned_true, aligned_pred = self.align(y_true, y_pred, *args, **kwargs)
        values, pullback = self._formula(aligned_true, aligned_pred, *args, **kwargs)
        return values, pullback().reshape(y_pred.shape)

    def align(self, y_true: ArrayLike, y_pred: ArrayLike, *args: P.args, **kwargs: P.kwargs) -> tuple[Array, Array]:
        """The arrays as the formula takes them.

        Raises:
            ShapeError: their shapes do not fit each other.
            DataError: a label is no class.
        """
        options = {**dict(zip(self._options, args, strict=False)), **kwargs}
        return self._align(self.__name__, cast(Array, y_true), as_floating(y_pred), options)


def loss_function(align: Alignment = same_shape) -> Callable[[Formula[P]], LossFunction[P]]:
    """Decorate a formula: the result is called with any arrays that ``align`` can make fit."""
    return lambda formula: LossFunction(formula, align)
