"""Projections applied to a variable after each update: bounds on norms and signs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias, cast

import numpy as np

from distnet import config
from distnet.arguments import FRACTION, NOT_NEGATIVE, number
from distnet.errors import ArgumentError, ShapeError
from distnet.naming import name_of
from distnet.old_names import accept_old_arguments
from distnet.registry import Configurable, Registry, functions_of, to_json
from distnet.types import Array, ArrayLike, Json

Axis: TypeAlias = int | Sequence[int]
"""The axes over which a norm is taken: 0 for a Dense kernel's columns, (0, 1, 2) for a Conv2D kernel's filters."""


class Constraint(Configurable):
    """Maps weights to the nearest allowed ones. A subclass defines ``__call__``."""

    def __call__(self, w: Array) -> Array:
        """The weights to use instead of ``w``, as a new array of its shape and dtype."""
        raise ArgumentError(f"{type(self).__name__}: expected a method __call__(w), received a class without it.")


@dataclass(eq=False)
class FunctionConstraint(Constraint):
    """A user's function ``f(w)``, which must return equal weights on all ranks."""

    function: Callable[[Array], ArrayLike]

    def __call__(self, w: Array) -> Array:
        projected = np.asarray(self.function(w), w.dtype)
        if projected.shape != w.shape:
            name = name_of(self.function)
            raise ShapeError(f"constraint {name}: expected weights of shape {w.shape}, received {projected.shape}.")
        return projected

    def as_json(self) -> Json:
        return to_json(self.function)


CONSTRAINTS: Registry[Constraint] = Registry(
    "constraint", Constraint, adapt=FunctionConstraint, module="keras.constraints"
)


@CONSTRAINTS.register()
@dataclass(eq=False)
class MaxNorm(Constraint):
    """Norms of at most ``max_value``: ``w clip(|w|, 0, max_value) / (epsilon + |w|)``.

    Args:
        max_value: the largest norm.
        axis: axis or axes of the norm.

    Source: ``keras.constraints.MaxNorm``; Srivastava et al., 2014 (JMLR 15), section 5.1.
    """

    max_value: float = number(2, NOT_NEGATIVE)
    axis: Axis = 0

    def __call__(self, w: Array) -> Array:
        norms = _norms(w, self.axis)
        return w * (np.clip(norms, 0, self.max_value) / (config.epsilon() + norms))


@CONSTRAINTS.register()
@dataclass(eq=False)
class NonNeg(Constraint):
    """No negative weights: ``max(w, 0)``."""

    def __call__(self, w: Array) -> Array:
        return np.clip(w, 0, np.inf)


@CONSTRAINTS.register()
@dataclass(eq=False)
class UnitNorm(Constraint):
    """Norms of 1: ``w / (epsilon + |w|)``.

    Args:
        axis: axis or axes of the norm.

    Source: ``keras.constraints.UnitNorm``.
    """

    axis: Axis = 0

    def __call__(self, w: Array) -> Array:
        return cast(Array, w / (config.epsilon() + _norms(w, self.axis)))


@CONSTRAINTS.register()
@dataclass(eq=False)
class MinMaxNorm(Constraint):
    """Norms within bounds, approached at a rate: ``w (rate clip(|w|) + (1 - rate) |w|) / (epsilon + |w|)``.

    Args:
        min_value: the smallest norm.
        max_value: the largest norm.
        rate: 1 to obey at once, less to approach the bounds step by step; in [0, 1].
        axis: axis or axes of the norm.

    Source: ``keras.constraints.MinMaxNorm``.
    """

    min_value: float = number(0.0, NOT_NEGATIVE)
    max_value: float = number(1.0, NOT_NEGATIVE)
    rate: float = number(1.0, FRACTION)
    axis: Axis = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.min_value > self.max_value:
            raise ArgumentError(
                f"MinMaxNorm: expected min_value up to max_value, received {self.min_value!r} and {self.max_value!r}."
            )

    def __call__(self, w: Array) -> Array:
        norms = _norms(w, self.axis)
        wanted = self.rate * np.clip(norms, self.min_value, self.max_value) + (1 - self.rate) * norms
        return w * (wanted / (config.epsilon() + norms))


accept_old_arguments(MaxNorm)

max_norm = maxnorm = MaxNorm
min_max_norm = MinMaxNorm
non_neg = nonneg = NonNeg
unit_norm = unitnorm = UnitNorm


get, serialize, deserialize = functions_of(CONSTRAINTS, __name__, CONSTRAINTS.optional)


def _norms(w: Array, axis: Axis) -> Array:
    axes = axis if isinstance(axis, int) else tuple(axis)
    return cast(Array, np.sqrt(np.sum(np.square(w), axis=axes, keepdims=True)))
