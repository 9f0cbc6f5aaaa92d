"""The losses of this package: each class states values and gradient once; function and metric are made from it."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, ParamSpec, cast

import numpy as np

from distnet import activations
from distnet.activations import Activation
from distnet.losses import of_tensors
from distnet.losses.alignment import as_floating, in_columns, same_shape
from distnet.losses.base import Loss, Pullback
from distnet.losses.made_function import HasFunction, MadeFunction
from distnet.losses.ready import Ready
from distnet.ops.primitive import are_placeholders
from distnet.results import as_result
from distnet.types import Array, ArrayLike

P = ParamSpec("P")


@dataclass(frozen=True)
class AsMetric:
    """What a loss is as a metric: the mean of its values. It has the loss's options.

    Args:
        class_name: of the metric; by default the loss's.
        name: the key in logs; by default the name of the loss's function.
        written: options in the metric's config that the loss's config leaves out.
        beside: options that Keras's metric lacks; they are saved next to the config.
    """

    class_name: str = ""
    name: str = ""
    written: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()


class BuiltInLoss(HasFunction, Loss, ABC):
    """A loss whose values and gradient one formula states; its own fields are the formula's options."""

    family: ClassVar[type] = Loss
    compositions: ClassVar[str] = "distnet.losses.composed_losses"
    has_function_name: ClassVar[bool] = True
    """Whether Keras finds the loss by the name of its function."""
    metric: ClassVar[AsMetric | None] = None
    """What the loss is as a metric, where there is one."""

    @abstractmethod
    def formula(self, y_true: Array, y_pred: Array) -> tuple[Array, Pullback]:
        """The values of aligned arrays, and their pullback.

        The pullback takes the gradient with respect to the values, and gives that with respect to ``y_pred``. It is
        handed one number for all values, or one for each, with an axis of 1 where the values lost one.
        """

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """One value per sample; of tensors, a tensor."""
        if type(self).values_and_gradient is not BuiltInLoss.values_and_gradient:
            return self._called_by_hand(y_true, y_pred)
        if of_tensors.are_tensors(y_true, y_pred):
            return self.function._of_tensors(self, y_true, y_pred)
        if are_placeholders(y_true, y_pred):
            return self.function._of_placeholders(self, y_true, y_pred)
        return as_result(self.stated_by_formula(np.asarray(y_true), as_floating(y_pred))[0])

    def align(self, y_true: ArrayLike, y_pred: Array) -> tuple[Array, Array]:
        """The arrays as the formula takes them.

        Raises:
            ShapeError: their shapes do not fit each other.
            DataError: a label is no class.
        """
        return same_shape(self.function.__name__, y_true, y_pred)

    def ready(self, y_true: Array, y_pred: Array) -> Ready | None:
        """The formula, whose arrays are copied where those of every batch are."""
        is_as_stated = type(self).__module__.startswith("distnet.") and not self.is_differentiated
        if not is_as_stated or self.couples_rows:
            return None
        columns, slopes = in_columns(y_pred), np.empty_like(y_pred)
        first = self.values_and_pullback(y_true, columns)[0]
        values, slopes_of_columns = np.empty_like(first), in_columns(slopes)

        def write(t: Array, factor: Any) -> None:
            made, pullback = self.values_and_pullback(t, columns)
            np.copyto(values, made)
            np.copyto(slopes_of_columns, pullback(factor))

        return Ready(write, values, slopes) if values.ndim else None

    def of_logits(self, activation: Activation) -> Loss | None:
        """With ``from_logits``, for the crossentropy that belongs to the activation, over the last axis."""
        logits_of: str = vars(type(self)).get("logits_of", "")
        belongs = bool(logits_of) and getattr(self, "axis", -1) == -1 and activation == getattr(activations, logits_of)
        if not belongs or getattr(self, "from_logits", True):
            return None
        return cast(Loss, dataclasses.replace(cast(Any, self), from_logits=True))

    def values(self, y_true: Array, y_pred: Array) -> Array:
        return self.values_and_pullback(y_true, y_pred)[0]

    def values_and_gradient(self, y_true: Array, y_pred: Array) -> tuple[Array, Array]:
        if self.is_differentiated:
            return super().values_and_gradient(y_true, y_pred)
        values, pullback = self.stated_by_formula(y_true, y_pred)
        return values, pullback(1.0)

    def _stated(self, y_true: Array, y_pred: Array) -> tuple[Array, Pullback]:
        if type(self).values_and_gradient is not BuiltInLoss.values_and_gradient:  # a user's class overrides it
            return super()._stated(y_true, y_pred)
        return self.stated_by_formula(y_true, y_pred)

    def stated_by_formula(self, y_true: Array, y_pred: Array) -> tuple[Array, Pullback]:
        """The formula's values, and the pullback to ``y_pred`` as given."""
        y_pred = as_floating(y_pred)
        t, p = self.align(y_true, y_pred)
        values, pullback = self.formula(t, p)
        return values, lambda upstream: pullback(self._spread(upstream, values, p.shape)).reshape(y_pred.shape)

    def validate(self, y_true: ArrayLike, y_pred: ArrayLike) -> None:
        self.align(y_true, as_floating(y_pred))

    @property
    def couples_rows(self) -> bool:
        axis = getattr(self, "axis", -1)
        return axis is None or 0 in (axis if isinstance(axis, list | tuple) else (axis,))


class LossFunction(MadeFunction[P]):
    """A loss as Keras's function, which gives one value per sample."""

    cls: type[BuiltInLoss]

    def _of_tensors(self, made: HasFunction, y_true: Any, y_pred: Any) -> Any:
        loss = cast(BuiltInLoss, made)
        return of_tensors.values_of(
            self.__name__, loss.stated_by_formula, loss.composition(), loss.couples_rows, y_true, y_pred
        )

    def values_and_gradient(
        self, y_true: ArrayLike, y_pred: ArrayLike, *args: P.args, **kwargs: P.kwargs
    ) -> tuple[Array, Array]:
        """The values, and their gradient in the shape and dtype of ``y_pred``."""
        loss = cast(BuiltInLoss, self.of(*args, **kwargs))
        return loss.values_and_gradient(np.asarray(y_true), as_floating(y_pred))
