"""Losses of this package: a class that says values and gradient once, and the function and metric made from it."""

from __future__ import annotations

import dataclasses
import functools
import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, ParamSpec, Self, cast

import numpy as np

from distnet.activations import Activation
from distnet.losses.alignment import as_floating, same_shape
from distnet.losses.base import Loss, Pullback
from distnet.naming import snake_case
from distnet.results import as_result
from distnet.types import Array, ArrayLike

P = ParamSpec("P")


@dataclass(frozen=True)
class AsMetric:
    """What a loss is as a metric: the mean of its values. It has the loss's options.

    Args:
        class_name: of the metric; by default the loss's.
        name: the key in logs; by default the name of the loss's function.
        written: options that the metric's config has, though the loss's has them not.
        beside: options that no Keras's metric has, which are written beside the config.
    """

    class_name: str = ""
    name: str = ""
    written: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()


class BuiltInLoss(Loss, ABC):
    """A loss that says its values and their gradient in one formula; its own fields are the formula's options."""

    function: ClassVar[LossFunction[...]]
    has_function_name: ClassVar[bool] = True
    """Whether Keras finds the loss by the name of its function."""
    metric: ClassVar[AsMetric | None] = None
    """What the loss is as a metric, where there is one."""

    @abstractmethod
    def formula(self, y_true: Array, y_pred: Array) -> tuple[Array, Pullback]:
        """The values of arrays that are aligned, and what gives the gradient with respect to ``y_pred``.

        The gradient with respect to the values comes as one number, or with an axis of 1 where values lost one.
        """

    def align(self, y_true: ArrayLike, y_pred: Array) -> tuple[Array, Array]:
        """The arrays as the formula takes them.

        Raises:
            ShapeError: their shapes do not fit each other.
            DataError: a label is no class.
        """
        return same_shape(self.function.__name__, y_true, y_pred)

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
        values, pullback = self._pullback_of_formula(y_true, y_pred)
        return values, pullback(1.0)

    def values_and_pullback(self, y_true: Array, y_pred: Array) -> tuple[Array, Pullback]:
        if type(self).values_and_gradient is not BuiltInLoss.values_and_gradient:  # a user's class has the last word
            return super().values_and_pullback(y_true, y_pred)
        return self._pullback_of_formula(y_true, y_pred)

    def _pullback_of_formula(self, y_true: Array, y_pred: Array) -> tuple[Array, Pullback]:
        y_pred = as_floating(y_pred)
        t, p = self.align(y_true, y_pred)
        values, pullback = self.formula(t, p)
        return values, lambda upstream: pullback(self._spread(upstream, values, p.shape)).reshape(y_pred.shape)

    def validate(self, y_true: ArrayLike, y_pred: ArrayLike) -> None:
        self.align(y_true, as_floating(y_pred))

    def options(self) -> dict[str, object]:
        """The formula's options."""
        return {name: getattr(self, name) for name in option_names(type(self))}

    @classmethod
    def with_options(cls, options: Mapping[str, object]) -> Self:
        """The loss of some options, which are not checked; it is not for training."""
        loss = cls.__new__(cls)
        vars(loss).update(options)
        return loss

    @property
    def couples_rows(self) -> bool:
        axis = getattr(self, "axis", -1)
        return axis is None or 0 in (axis if isinstance(axis, list | tuple) else (axis,))


@functools.cache
def option_names(cls: type[BuiltInLoss]) -> tuple[str, ...]:
    """The names of a loss's own fields."""
    base = {f.name for f in dataclasses.fields(Loss)}
    return tuple(f.name for f in dataclasses.fields(cls) if f.name not in base)


class LossFunction(Generic[P]):
    """A loss as Keras's function of ``(y_true, y_pred)``, and of its options, that gives one value per sample.

    Args:
        loss: the class, of which it becomes the ``function``.
        order: the options by position; by default as the class has them.
    """

    __name__: str
    __signature__: inspect.Signature

    def __init__(self, loss: Callable[P, BuiltInLoss], order: str = "") -> None:
        self.loss = cast("type[BuiltInLoss]", loss)
        self.loss.function = self
        self.__name__ = self.__qualname__ = snake_case(self.loss.__name__)
        self.__module__, self.__doc__ = self.loss.__module__, self.loss.__doc__
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        given = [inspect.Parameter(name, kind) for name in ("y_true", "y_pred")]
        options = [
            inspect.Parameter(name, kind, default=getattr(self.loss, name, inspect.Parameter.empty))
            for name in order.split() or option_names(self.loss)
        ]
        self.__signature__ = inspect.Signature([*given, *options])

    def __call__(self, y_true: ArrayLike, y_pred: ArrayLike, *args: P.args, **kwargs: P.kwargs) -> Array:
        """The values: the shape of ``y_pred`` without the axis that is reduced."""
        return cast(Array, as_result(self.values_and_pullback(y_true, y_pred, *args, **kwargs)[0]))

    def __reduce__(self) -> str:
        """Pickled and copied as a function is: by its name."""
        return self.__name__

    def values_and_gradient(
        self, y_true: ArrayLike, y_pred: ArrayLike, *args: P.args, **kwargs: P.kwargs
    ) -> tuple[Array, Array]:
        """The values, and their gradient in the shape and dtype of ``y_pred``."""
        values, pullback = self.values_and_pullback(y_true, y_pred, *args, **kwargs)
        return values, pullback(1.0)

    def values_and_pullback(
        self, y_true: ArrayLike, y_pred: ArrayLike, *args: P.args, **kwargs: P.kwargs
    ) -> tuple[Array, Pullback]:
        """The values, and what gives the gradient of their weighted sum."""
        options = self.__signature__.bind(y_true, y_pred, *args, **kwargs).arguments
        loss = self.loss.with_options({name: options[name] for name in options if name not in ("y_true", "y_pred")})
        return loss.values_and_pullback(np.asarray(y_true), as_floating(y_pred))
