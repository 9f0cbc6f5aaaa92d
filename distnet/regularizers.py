"""Penalties on the size or the angles of weights, each with its gradient."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from distnet import config
from distnet.arguments import NOT_NEGATIVE, number
from distnet.errors import ArgumentError, DistnetError, ShapeError
from distnet.kernels.matrix_products import matmul
from distnet.naming import name_of
from distnet.ops.kinks import side
from distnet.ops.opaque import followed
from distnet.ops.operators import PRIMITIVES
from distnet.ops.tape import following, gradients, watched
from distnet.ops.tensor import Rows, TapeNode, Tensor
from distnet.registry import Configurable, Registry, functions_of, to_json
from distnet.results import as_result
from distnet.types import Array, Json


class Regularizer(Configurable):
    """Adds a penalty to the loss.

    A subclass defines ``__call__`` over ``distnet.ops``, which is differentiated; or, to be faster, ``value`` and
    ``gradient``.
    """

    @property
    def is_differentiated(self) -> bool:
        """Whether only the penalty is stated, over ``distnet.ops``, and the tape gives its gradient."""
        return type(self).value is Regularizer.value and type(self).__call__ is not Regularizer.__call__

    @property
    def label(self) -> str:
        """What messages call it."""
        return f"regularizer {type(self).__name__}"

    def penalty(self, w: Any) -> Any:
        """The penalty on a tensor, over ``distnet.ops``."""
        if type(self).__call__ is Regularizer.__call__:
            raise ArgumentError(f"{self.label}: expected a method __call__(w), received a class without it.")
        return self(w)

    def value(self, w: Array) -> float:
        """The penalty on ``w``."""
        return one_number(self.label, self.penalty(as_result(w)))

    def gradient(self, w: Array) -> Array:
        """The derivative of the penalty with respect to each entry of ``w``, as a new array."""
        return _recorded(self, w, None)[1]

    def value_of_rows(self, y: Array, rows: Rows | None) -> float:
        """This rank's part of the penalty on what a layer made of its rows.

        Args:
            y: one entry of the first axis for each row.
            rows: where they lie in the global batch; None if they are all of it.
        """
        if rows is None or not self.is_differentiated:
            return self.value(y) if len(y) else 0.0
        return _recorded(self, y, rows)[0] * rows.count / rows.total

    def gradient_of_rows(self, y: Array, rows: Rows | None) -> Array:
        """The derivative of the global batch's penalty with respect to this rank's rows."""
        return _recorded(self, y, rows)[1] if rows is not None and self.is_differentiated else self.gradient(y)

    def __call__(self, w: Any) -> Any:
        """The penalty on ``w``, as in Keras; of a tensor, a tensor."""
        tensor = followed(w)
        if tensor is not None:
            return self.penalty(tensor)
        w = np.asarray(w)
        return as_result(np.asarray(self.value(w), w.dtype if w.dtype.kind == "f" else None))


def _recorded(regularizer: Regularizer, w: Array, rows: Rows | None) -> tuple[float, Array]:
    """The penalty and its gradient, from the tape."""
    leaf = watched(Tensor(w, rows=rows))
    with following():
        try:
            value = regularizer.penalty(leaf)
        except DistnetError as error:
            error.args = (f"{regularizer.label}: {error}", *error.args[1:])
            raise
    number = one_number(regularizer.label, value)
    source = cast(TapeNode, leaf.node), 0
    followed_value = value if isinstance(value, Tensor) else Tensor(np.asarray(value, w.dtype))
    start = np.ones(followed_value.value.shape, w.dtype)
    gradient = gradients([(followed_value, start)], [source]).shared.get(source)
    return number, np.zeros_like(w) if gradient is None else cast(Array, gradient)


def one_number(label: str, returned: Any) -> float:
    """What a penalty comes to.

    Raises:
        ArgumentError: it is not one number.
    """
    value = np.asarray(returned.value if isinstance(returned, Tensor) else returned)
    if value.dtype.kind not in "iuf" or value.size != 1:
        received = f"an array of shape {value.shape}" if value.size != 1 else f"{returned!r:.100}"
        raise ArgumentError(f"{label}: expected one number, received {received}. Sum the penalties, with ops.sum.")
    return float(value.reshape(()))


@dataclass(eq=False)
class FunctionRegularizer(Regularizer):
    """A user's function ``f(w)`` over ``distnet.ops`` that returns the penalty; or of arrays, penalty and gradient."""

    function: Callable[[Any], Any]

    @property
    def is_differentiated(self) -> bool:
        return True

    @property
    def label(self) -> str:
        return f"regularizer {name_of(self.function)}"

    def penalty(self, w: Any) -> Any:
        return self.function(w)

    def value(self, w: Array) -> float:
        returned = self.function(as_result(w))
        return one_number(self.label, returned[0] if _is_pair(returned) else returned)

    def gradient(self, w: Array) -> Array:
        returned = self.function(as_result(w))
        if not _is_pair(returned):
            return super().gradient(w)
        gradient = np.asarray(returned[1], w.dtype)
        if gradient.shape != w.shape:
            raise ShapeError(f"{self.label}: expected a gradient of {w.shape}, received {gradient.shape}.")
        return gradient

    def as_json(self) -> Json:
        return to_json(self.function)


def _is_pair(returned: Any) -> bool:
    """Whether a function returned the gradient, too."""
    return isinstance(returned, tuple) and len(returned) == 2


class _Regularizers(Registry[Regularizer]):
    """The string ``"l1_l2"`` means 0.01 each, as Keras documents; the class without arguments means 0."""

    def get(self, spec: object) -> Regularizer:
        return L1L2(0.01, 0.01) if spec == "l1_l2" else super().get(spec)


REGULARIZERS = _Regularizers("regularizer", Regularizer, adapt=FunctionRegularizer, module="keras.regularizers")


@REGULARIZERS.register()
@dataclass(eq=False)
class L1(Regularizer):
    """``l1 sum(|w|)``; the slope of ``|w|`` at 0 is 1.

    Args:
        l1: factor, at least 0.

    Source: ``keras.regularizers.L1`` on JAX; on TensorFlow and PyTorch the slope at 0 is 0.
    """

    l1: float = number(0.01, NOT_NEGATIVE)

    def penalty(self, w: Any) -> Any:
        return self.l1 * PRIMITIVES["Sum"](PRIMITIVES["Absolute"](w))

    def value(self, w: Array) -> float:
        return _l1_value(self.l1, w)

    def gradient(self, w: Array) -> Array:
        return cast(Array, self.l1 * side(w))


@REGULARIZERS.register()
@dataclass(eq=False)
class L2(Regularizer):
    """``l2 sum(w**2)``, without the factor one half that some authors use.

    Args:
        l2: factor, at least 0.
    """

    l2: float = number(0.01, NOT_NEGATIVE)

    def penalty(self, w: Any) -> Any:
        return self.l2 * PRIMITIVES["Sum"](w * w)

    def value(self, w: Array) -> float:
        return _l2_value(self.l2, w)

    def gradient(self, w: Array) -> Array:
        return cast(Array, 2 * self.l2 * w)


@REGULARIZERS.register()
@dataclass(eq=False)
class L1L2(Regularizer):
    """``l1 sum(|w|) + l2 sum(w**2)``.

    Args:
        l1: factor of the first term, at least 0.
        l2: factor of the second term, at least 0.
    """

    l1: float = number(0.0, NOT_NEGATIVE)
    l2: float = number(0.0, NOT_NEGATIVE)

    def penalty(self, w: Any) -> Any:
        return L1(self.l1).penalty(w) + L2(self.l2).penalty(w)

    def value(self, w: Array) -> float:
        return _l1_value(self.l1, w) + _l2_value(self.l2, w)

    def gradient(self, w: Array) -> Array:
        gradient: Array = side(w)
        gradient *= self.l1
        gradient += 2 * self.l2 * w
        return gradient


@REGULARIZERS.register()
@dataclass(eq=False)
class OrthogonalRegularizer(Regularizer):
    """``factor`` times the mean of ``|cos|`` of the angles between all pairs of rows, or of columns.

    Args:
        factor: at least 0.
        mode: ``"rows"`` or ``"columns"``.

    Raises:
        ShapeError: the weights are not a matrix.

    Source: ``keras.regularizers.OrthogonalRegularizer``.
    """

    factor: float = number(0.01, NOT_NEGATIVE)
    mode: str = "rows"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.mode not in ("rows", "columns"):
            raise ArgumentError(f"OrthogonalRegularizer: expected mode 'rows' or 'columns', received {self.mode!r}.")

    def penalty(self, w: Any) -> Any:
        rows = w if self.mode == "rows" else PRIMITIVES["Transpose"](w)
        lengths = PRIMITIVES["Sqrt"](PRIMITIVES["Sum"](rows * rows, axis=1, keepdims=True))
        unit = rows / PRIMITIVES["Maximum"](lengths, config.epsilon())
        cosines = PRIMITIVES["Absolute"](PRIMITIVES["Matmul"](unit, PRIMITIVES["Transpose"](unit)))
        return self._weight(unit) * PRIMITIVES["Sum"](cosines * (1.0 - np.eye(len(unit))))

    def value(self, w: Array) -> float:
        unit, _ = self._unit_rows(w)
        cosines = matmul(unit, unit.T)
        np.fill_diagonal(cosines, 0)
        return float(self._weight(unit) * np.abs(cosines).sum())

    def gradient(self, w: Array) -> Array:
        unit, norms = self._unit_rows(w)
        signs: Array = side(matmul(unit, unit.T))
        np.fill_diagonal(signs, 0)
        by_unit = 2 * self._weight(unit) * matmul(signs, unit)
        gradient = (by_unit - unit * np.sum(unit * by_unit, axis=1, keepdims=True)) / norms
        return cast(Array, gradient if self.mode == "rows" else gradient.T)

    def _unit_rows(self, w: Array) -> tuple[Array, Array]:
        if w.ndim != 2:
            raise ShapeError(f"OrthogonalRegularizer: expected a matrix, received weights of shape {w.shape}.")
        rows = w if self.mode == "rows" else w.T
        norms = np.clip(np.sqrt(np.sum(np.square(rows), axis=1, keepdims=True)), config.epsilon(), np.inf)
        return rows / norms, norms

    def _weight(self, unit: Any) -> float:
        """``factor`` over the number of ordered pairs; 0 if there is no pair."""
        pairs = len(unit) * (len(unit) - 1)
        return self.factor / pairs if pairs else 0.0


l1 = activity_l1 = L1
l2 = activity_l2 = L2
l1_l2 = l1l2 = activity_l1l2 = WeightRegularizer = ActivityRegularizer = L1L2
orthogonal_regularizer = OrthogonalRegularizer


get, serialize, deserialize = functions_of(REGULARIZERS, __name__, REGULARIZERS.optional)


def _l1_value(factor: float, w: Array) -> float:
    return factor * float(np.abs(w).sum()) if factor else 0.0


def _l2_value(factor: float, w: Array) -> float:
    return factor * float(np.vdot(w, w)) if factor else 0.0
