"""Penalties on the size or the angles of weights, each with its gradient."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias, cast

import numpy as np

from distnet import config
from distnet.arguments import NOT_NEGATIVE, number
from distnet.errors import ArgumentError, ShapeError
from distnet.naming import name_of
from distnet.registry import Configurable, Registry, functions_of, to_json
from distnet.results import ResultArray, as_result
from distnet.types import Array, ArrayLike, Json

ValueAndGradient: TypeAlias = tuple[float, ArrayLike]

_HOW = (
    "distnet has no automatic differentiation, so it needs the gradient too: give a function that returns the pair "
    "(value, gradient), or a class derived from distnet.regularizers.Regularizer with value(w) and gradient(w)."
)


class Regularizer(Configurable):
    """Adds a penalty to the loss. A subclass defines ``value`` and ``gradient``."""

    def value(self, w: Array) -> float:
        """The penalty on ``w``."""
        raise ArgumentError(f"{type(self).__name__}: expected a method value(w), received a class without it. {_HOW}")

    def gradient(self, w: Array) -> Array:
        """The derivative of the penalty with respect to each entry of ``w``, as a new array."""
        raise ArgumentError(
            f"{type(self).__name__}: expected a method gradient(w), received a class without it. {_HOW}"
        )

    def __call__(self, w: ArrayLike) -> ResultArray:
        """The penalty on ``w``, as in Keras."""
        w = np.asarray(w)
        return cast(ResultArray, as_result(np.asarray(self.value(w), w.dtype if w.dtype.kind == "f" else None)))


@dataclass(eq=False)
class FunctionRegularizer(Regularizer):
    """A user's function ``f(w)`` that returns the penalty and its gradient."""

    function: Callable[[Array], ValueAndGradient]

    def value(self, w: Array) -> float:
        return self._pair(w)[0]

    def gradient(self, w: Array) -> Array:
        return self._pair(w)[1]

    def as_json(self) -> Json:
        return to_json(self.function)

    def _pair(self, w: Array) -> tuple[float, Array]:
        pair = self.function(w)
        name = name_of(self.function)
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise ArgumentError(f"regularizer {name}: expected a pair (value, gradient), received {pair!r}. {_HOW}")
        gradient = np.asarray(pair[1], w.dtype)
        if gradient.shape != w.shape:
            raise ShapeError(f"regularizer {name}: expected a gradient of {w.shape}, received {gradient.shape}.")
        return float(pair[0]), gradient


class _Regularizers(Registry[Regularizer]):
    """The string ``"l1_l2"`` means 0.01 each, as Keras documents; the class without arguments means 0."""

    def get(self, spec: object) -> Regularizer:
        return L1L2(0.01, 0.01) if spec == "l1_l2" else super().get(spec)


REGULARIZERS = _Regularizers("regularizer", Regularizer, adapt=FunctionRegularizer, module="keras.regularizers")


@REGULARIZERS.register()
@dataclass(eq=False)
class L1(Regularizer):
    """``l1 sum(|w|)``; the gradient is 0 where w is 0.

    Args:
        l1: factor, at least 0.

    Source: ``keras.regularizers.L1`` on TensorFlow and PyTorch; on JAX the slope of ``|w|`` at 0 is 1.
    """

    l1: float = number(0.01, NOT_NEGATIVE)

    def value(self, w: Array) -> float:
        return _l1_value(self.l1, w)

    def gradient(self, w: Array) -> Array:
        return cast(Array, self.l1 * np.sign(w))


@REGULARIZERS.register()
@dataclass(eq=False)
class L2(Regularizer):
    """``l2 sum(w**2)``, without the factor one half that some authors use.

    Args:
        l2: factor, at least 0.
    """

    l2: float = number(0.01, NOT_NEGATIVE)

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

    def value(self, w: Array) -> float:
        return _l1_value(self.l1, w) + _l2_value(self.l2, w)

    def gradient(self, w: Array) -> Array:
        gradient = np.sign(w)
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

    def value(self, w: Array) -> float:
        unit, _ = self._unit_rows(w)
        cosines = unit @ unit.T
        np.fill_diagonal(cosines, 0)
        return float(self._weight(unit) * np.abs(cosines).sum())

    def gradient(self, w: Array) -> Array:
        unit, norms = self._unit_rows(w)
        signs = np.sign(unit @ unit.T)
        np.fill_diagonal(signs, 0)
        by_unit = 2 * self._weight(unit) * (signs @ unit)
        gradient = (by_unit - unit * np.sum(unit * by_unit, axis=1, keepdims=True)) / norms
        return cast(Array, gradient if self.mode == "rows" else gradient.T)

    def _unit_rows(self, w: Array) -> tuple[Array, Array]:
        if w.ndim != 2:
            raise ShapeError(f"OrthogonalRegularizer: expected a matrix, received weights of shape {w.shape}.")
        rows = w if self.mode == "rows" else w.T
        norms = np.clip(np.sqrt(np.sum(np.square(rows), axis=1, keepdims=True)), config.epsilon(), np.inf)
        return rows / norms, norms

    def _weight(self, unit: Array) -> float:
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
