"""The base of losses: values with their gradient, and the sums that training adds up over ranks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, cast

import numpy as np

from distnet.activations import Activation
from distnet.errors import ArgumentError, ShapeError
from distnet.losses import differentiated, of_placeholders, of_tensors
from distnet.losses.alignment import as_floating, in_columns, per_row
from distnet.losses.differentiated import Pullback as Pullback
from distnet.losses.ready import Ready
from distnet.losses.weighting import over_values, sample_weights
from distnet.ops.primitive import are_placeholders
from distnet.ops.recording import note_called
from distnet.ops.tensor import Rows, Tensor
from distnet.registry import LEFT_OUT, Configurable
from distnet.results import ResultArray, as_result, mask_of
from distnet.types import Array, ArrayLike, Shape

_MEANS = ("sum_over_batch_size", "mean")
_REDUCTIONS = (*_MEANS, "mean_with_sample_weight", "sum", "none", None)

_WAYS = frozenset({"call", "values_and_gradient", "formula"})
"""The methods by one of which a class states what its loss is."""


@dataclass(eq=False)
class Loss(Configurable):
    """How far predictions are from targets, to be minimized by training.

    A loss of your own implements ``call`` over ``distnet.ops``, which is differentiated; or, to be faster,
    ``values_and_gradient``.

    Args:
        name: what the loss is called in logs.
        reduction: ``"sum_over_batch_size"`` or ``"mean"`` (sum divided by the number of values),
            ``"mean_with_sample_weight"`` (sum divided by the sum of weights), ``"sum"``, ``"none"`` or None (no
            reduction: not for training).
        dtype: accepted for Keras's sake; a loss computes in the dtype of ``y_pred``.

    Raises:
        ArgumentError: the reduction is none of these.

    Source: ``keras.losses.Loss``.
    """

    name: str = field(default="", kw_only=True)
    reduction: str | None = field(default="sum_over_batch_size", kw_only=True)
    dtype: object = field(default=None, kw_only=True, repr=False, metadata=LEFT_OUT)
    _states_call: ClassVar[bool] = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        stated = next(named for c in cls.__mro__ if (named := _WAYS & vars(c).keys()))
        cls._states_call = stated == {"call"}

    def __post_init__(self) -> None:
        super().__post_init__()
        self.name = self.name or self.default_name()
        if self.reduction == "auto":  # what Keras 2 writes
            self.reduction = "sum_over_batch_size"
        if self.reduction not in _REDUCTIONS:
            raise ArgumentError(f"{self.name}: expected a reduction of {_REDUCTIONS}, received {self.reduction!r}.")

    @property
    def is_differentiated(self) -> bool:
        """Whether only values are stated, over ``distnet.ops``, and the tape gives their gradient."""
        return self._states_call

    def default_name(self) -> str:
        """The name of a loss without a given one."""
        return type(self).__name__

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """One value per sample, or one number; of tensors, a tensor.

        A loss of your own states it over ``distnet.ops``. On several ranks it sees the global batch.
        """
        return self._called_by_hand(y_true, y_pred)

    def _called_by_hand(self, y_true: Any, y_pred: Any) -> Any:
        """The values, whose gradient the class states."""
        if of_tensors.are_tensors(y_true, y_pred):
            return of_tensors.values_of(self.name, self._stated, None, self.couples_rows, y_true, y_pred)
        return as_result(self._stated(np.asarray(y_true), as_floating(y_pred))[0])

    def values_and_gradient(self, y_true: Array, y_pred: Array) -> tuple[Array, Array]:
        """One value per sample, and the gradient of each value with respect to its predictions.

        Shapes:
            y_pred (N, ..., C) -> values (N, ...), gradient (N, ..., C) in the dtype of ``y_pred``.

        Raises:
            ShapeError: the shapes do not fit each other.
            DataError: the targets cannot be learned, for example because a label is not a class.
            ArgumentError: the class states neither this nor ``call``.
        """
        if not self.is_differentiated:
            raise ArgumentError(
                f"loss {self.name}: expected a method call(y_true, y_pred), received a class without it. Return one "
                "value for each row."
            )
        values, pullback = self.values_and_pullback(y_true, y_pred)
        return values, pullback(1.0)

    def values_and_pullback(self, y_true: Array, y_pred: Array) -> tuple[Array, Pullback]:
        """One value per sample, and the pullback of the values; it raises what ``values_and_gradient`` raises."""
        return self.of_placed_rows(y_true, y_pred, None)

    def of_placed_rows(self, y_true: Array, y_pred: Array, rows: Rows | None) -> tuple[Array, Pullback]:
        """Like ``values_and_pullback``, for rows of a known place in the global batch; None if they are all of it."""
        if self.is_differentiated:
            return differentiated.values_and_pullback(self.name, self.call, y_true, y_pred, rows)
        return self._stated(y_true, y_pred)

    def _stated(self, y_true: Array, y_pred: Array) -> tuple[Array, Pullback]:
        """Values and pullback, of a loss that states its gradient."""
        values, gradient = self.values_and_gradient(y_true, y_pred)
        return values, lambda upstream: gradient * self._spread(upstream, values, gradient.shape)

    def _values(self, y_true: Array, y_pred: Array) -> Array:
        """One value per sample."""
        return self.values_and_pullback(y_true, y_pred)[0]

    def _spread(self, upstream: Array | float, values: Array, shape: Shape) -> Array | float:
        """Factors of the values as factors of the gradient of ``shape``: with an axis of 1 where the values lost one.

        Raises:
            ShapeError: the values have more axes than the gradient.
        """
        if not isinstance(upstream, np.ndarray):
            return upstream
        factor = np.broadcast_to(upstream, values.shape)
        axis = getattr(self, "axis", -1)
        if axis not in (-1, None) and values.ndim < len(shape):
            factor = np.expand_dims(factor, axis)
        if factor.ndim > len(shape):
            raise ShapeError(
                f"{self.name}: expected values with at most the axes of the gradient {shape}, "
                f"received {values.shape}. Give one value per sample."
            )
        return over_values(factor, len(shape))

    def validate(self, y_true: ArrayLike, y_pred: ArrayLike) -> None:
        """Raise what ``values_and_gradient`` would raise for these targets; what is differentiated is not tried."""
        if not self.is_differentiated:
            self.values_and_gradient(np.asarray(y_true), as_floating(y_pred))

    def validate_weights(self, y_true: Array, y_pred: Array, sample_weight: Array) -> None:
        """Raise ShapeError for weights that the values of these targets cannot be multiplied by."""
        if not self.is_differentiated:
            values = self._values(y_true[:1], y_pred[:1])
            shape = (len(y_true), *values.shape[1:]) if values.ndim else ()
            sample_weights(self.name, np.broadcast_to(sample_weight.dtype.type(1), shape), sample_weight)

    def ready(self, y_true: Array, y_pred: Array) -> Ready | None:
        """What evaluates predictions where they stand, again and again, with such targets; None: no gain."""
        return None

    def of_logits(self, activation: Activation) -> Loss | None:
        """This loss as a function of the logits that ``activation`` turns into predictions, or None."""
        return None

    def valid(self, y_true: Array, values: Array) -> Array | None:
        """Where values count; None where all do."""
        return None

    @property
    def couples_rows(self) -> bool:
        """Whether a value depends on other rows, too: then it needs the whole global batch at once."""
        return False

    @property
    def counts_rows_only(self) -> bool:
        """Whether ``count`` of rows without a mask follows from their number."""
        return self.reduction != "mean_with_sample_weight" and not self.couples_rows

    def __call__(
        self,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        sample_weight: ArrayLike | None = None,
        mask: ArrayLike | None = None,
    ) -> Any:
        """The reduced loss, in the dtype of ``y_pred``; with reduction none, the weighted values. Of tensors, a tensor.

        Args:
            y_true: targets.
            y_pred: predictions.
            sample_weight: weights, (N,), (N, 1) or of the shape of the values.
            mask: true where a value counts, of the same shapes; by default the mask that ``y_pred`` carries.
        """
        if of_tensors.are_tensors(y_true, y_pred, sample_weight):
            return self._of_tensors(y_true, y_pred, sample_weight, mask)
        if are_placeholders(y_true, y_pred, sample_weight):
            is_plain = self.counts_rows_only and of_placeholders.count_alike(y_pred, sample_weight, mask)
            return of_placeholders.reduced(self.name, self.call(y_true, y_pred), self.reduction, is_plain)
        mask = mask_of(y_pred) if mask is None else mask
        y_true, y_pred = np.asarray(y_true), as_floating(y_pred)
        values = self._values(y_true, y_pred)
        weight = self._weights(y_true, values, sample_weight, mask)
        weighted = values if weight is None else values * over_values(weight, values.ndim)
        if self.reduction in ("none", None):
            return cast(ResultArray, as_result(weighted))
        divisor = 1.0 if self.reduction == "sum" else self._count(y_true, values, weighted, sample_weight, mask)
        reduced = weighted.sum(dtype=np.float64) / divisor if divisor else 0.0
        return cast(ResultArray, as_result(values.dtype.type(reduced)))

    def _of_tensors(self, y_true: Any, y_pred: Any, sample_weight: Any, mask: Any) -> Tensor:
        """The reduced loss of tensors."""
        note_called(self)
        t, p = of_tensors.as_tensor(y_true), of_tensors.as_tensor(y_pred)
        mask = getattr(y_pred, "_keras_mask", None) if mask is None else mask
        if self.is_differentiated:
            with differentiated.naming_the_loss(self.name):
                values = differentiated.as_values(self.name, self._called(*of_tensors.in_one_dtype(t, p)), p)
        else:
            values = of_tensors.as_tensor(self.call(t, p))
        valid = self.valid(t.value, values.value)
        if valid is not None:
            mask = Tensor(valid, rows=values.rows) if mask is None else of_tensors.both(self.name, values, mask, valid)
        return of_tensors.reduced(self.name, values, sample_weight, mask, self.reduction)

    def _called(self, y_true: Tensor, y_pred: Tensor) -> Any:
        """What the user's own code returns for tensors."""
        return self.call(y_true, y_pred)

    def sum_and_gradient(
        self,
        y_true: Array,
        y_pred: Array,
        sample_weight: ArrayLike | None = None,
        scale: float = 1.0,
        mask: ArrayLike | None = None,
    ) -> tuple[float, Array]:
        """This rank's share of the reduced loss, and its gradient with respect to ``y_pred``.

        Args:
            y_true: targets of this rank's rows, possibly none.
            y_pred: predictions.
            sample_weight: as in a call.
            scale: 1 / ``divisor`` of the global batch, so that the shares of all ranks add up.
            mask: as in a call.
        """
        values, pullback = self.values_and_pullback(y_true, in_columns(y_pred))
        total, gradient = self._scaled(y_true, values, pullback, sample_weight, float(scale), mask)
        return total, gradient.reshape(y_pred.shape)

    def mean_and_gradient(
        self,
        y_true: Array,
        y_pred: Array,
        sample_weight: ArrayLike | None,
        global_rows: int,
        counted: Callable[[float], float] | None = None,
        mask: ArrayLike | None = None,
        counts_masked: bool = False,
        rows: Rows | None = None,
    ) -> tuple[float, Array]:
        """Like ``sum_and_gradient``, for the ``divisor`` of the global batch; the values are computed once.

        Args:
            y_true, y_pred, sample_weight, mask: as there.
            global_rows: as for ``divisor``.
            counted: makes the ``count`` of these rows that of the global batch; None where ``global_rows`` tells it.
            counts_masked: whether what the mask excludes counts all the same.
            rows: where these rows lie in the global batch; None if they are all of it.
        """
        if self.is_differentiated:
            values, pullback = self.of_placed_rows(y_true, y_pred, rows)
            if not values.ndim:
                self.divisor(0, global_rows)
                factor = differentiated.factor_of_one_number(self.reduction, sample_weight, mask, counts_masked, rows)
                share = rows.count / rows.total if rows is not None else 1.0
                return float(values) * factor * share, pullback(factor)
        else:
            values, pullback = self.values_and_pullback(y_true, in_columns(y_pred))
        count = None
        if counted is not None:
            count = counted(self._count(y_true, values, values, sample_weight, None if counts_masked else mask))
        divisor = self.divisor(per_row(values) if len(y_pred) else 1, global_rows, count)
        scale = 1.0 / divisor if divisor else 0.0
        total, gradient = self._scaled(y_true, values, pullback, sample_weight, scale, mask)
        return total, gradient.reshape(y_pred.shape)

    def _scaled(
        self,
        y_true: Array,
        values: Array,
        pullback: Pullback,
        sample_weight: ArrayLike | None,
        scale: float,
        mask: ArrayLike | None,
    ) -> tuple[float, Array]:
        """The weighted sum of the values and its gradient, times ``scale``; a NumPy scalar would widen the gradient."""
        weight = self._weights(y_true, values, sample_weight, mask)
        # Where rows are coupled, values that do not count are 0, and the gradient is that of the sum of all.
        if weight is None or (self.couples_rows and sample_weight is None and mask is None):
            return float(values.sum(dtype=np.float64)) * scale, pullback(scale)
        if self.couples_rows:
            raise ArgumentError(
                f"{self.name}: expected no sample weights, for its values depend on several rows. "
                "Where it has an axis, reduce over the axes of a sample only, for example axis=(1, 2, 3)."
            )
        weight = over_values(weight, values.ndim)
        total = float((values * weight).sum(dtype=np.float64)) * scale
        return total, pullback(weight * scale)

    def values_per_row(self, y_true: Array, y_pred: Array) -> int:
        """Number of values in a row; 0 if the whole batch has one."""
        return per_row(self._values(y_true[:1], in_columns(y_pred[:1])))

    def count(
        self,
        y_true: Array,
        y_pred: Array,
        sample_weight: ArrayLike | None = None,
        mask: ArrayLike | None = None,
    ) -> float:
        """What these rows add to the divisor: values, unmasked values, or weights.

        Only losses with ``counts_rows_only`` false, and batches with a mask, need it.
        """
        values = self._values(y_true, in_columns(y_pred))
        return self._count(y_true, values, values, sample_weight, mask)

    def divisor(self, values_per_row: int, global_rows: int, global_count: float | None = None) -> float:
        """What the global sum is divided by.

        Args:
            values_per_row: result of ``values_per_row``.
            global_rows: rows of the global batch, over all ranks.
            global_count: sum of ``count`` over all ranks, if the number of values is not enough.

        Raises:
            ArgumentError: the reduction is "none".
        """
        if self.reduction in ("none", None):
            raise ArgumentError(
                f"{self.name}: expected a reduction to train with, received {self.reduction!r}. "
                "Use reduction='sum_over_batch_size'."
            )
        if self.reduction == "sum":
            return 1.0
        if global_count is not None:
            return global_count
        return float(values_per_row * global_rows) if values_per_row else 1.0

    def _count(
        self,
        y_true: Array,
        values: Array,
        weighted: Array,
        sample_weight: ArrayLike | None,
        mask: ArrayLike | None,
    ) -> float:
        if self.reduction == "mean_with_sample_weight":
            weight = self._weights(y_true, values, sample_weight, mask)
            return float(values.size if weight is None else weight.sum(dtype=np.float64))
        kept = self._kept(y_true, values, mask)
        if kept is None:
            return float(weighted.size)
        return float(np.broadcast_to(over_values(kept, values.ndim), values.shape).sum())

    def _kept(self, y_true: Array, values: Array, mask: ArrayLike | None) -> Array | None:
        valid = self.valid(y_true, values)
        if mask is None:
            return valid
        if values.ndim == 0:
            return self._kept_of_one_value(valid)
        given = sample_weights(f"{self.name}: mask", values, mask).astype(bool)
        return given if valid is None else valid & over_values(given, values.ndim)

    def _kept_of_one_value(self, valid: Array | None) -> Array | None:
        """The whole batch has one value, which is its own mean over what a mask keeps."""
        if self.reduction in (*_MEANS, "mean_with_sample_weight"):
            return valid
        raise ArgumentError(
            f"{self.name}: expected no mask with reduction {self.reduction!r}, for the whole batch has one value. "
            "Use reduction='sum_over_batch_size'."
        )

    def _weights(
        self, y_true: Array, values: Array, sample_weight: ArrayLike | None, mask: ArrayLike | None
    ) -> Array | None:
        kept = self._kept(y_true, values, mask)
        if sample_weight is None:
            return None if kept is None else kept.astype(values.dtype)
        weight = sample_weights(self.name, values, sample_weight)
        if kept is None:
            return weight
        ndim = max(weight.ndim, kept.ndim)
        return np.asarray(over_values(weight, ndim) * over_values(kept, ndim))
