"""The learned scale and shift that follow every normalization."""

from __future__ import annotations

from typing import Protocol

from distnet.constraints import Constraint
from distnet.errors import ArgumentError
from distnet.initializers import Initializer
from distnet.layers.engine.context import BuildContext
from distnet.regularizers import Regularizer
from distnet.variables import Variable


class Normalizing(Protocol):
    """What the normalizing layers have in common."""

    name: str
    epsilon: float
    center: bool

    @property
    def gamma_initializer(self) -> Initializer: ...

    @property
    def beta_initializer(self) -> Initializer: ...

    @property
    def gamma_regularizer(self) -> Regularizer | None: ...

    @property
    def beta_regularizer(self) -> Regularizer | None: ...

    @property
    def gamma_constraint(self) -> Constraint | None: ...

    @property
    def beta_constraint(self) -> Constraint | None: ...


def build_gamma(layer: Normalizing, shape: tuple[int, ...], ctx: BuildContext, wanted: bool) -> Variable | None:
    """The scale, where it is wanted."""
    if not wanted:
        return None
    return ctx.weight(layer, "gamma", shape)


def build_beta(layer: Normalizing, shape: tuple[int, ...], ctx: BuildContext, wanted: bool) -> Variable | None:
    """The shift, where it is wanted."""
    if not wanted:
        return None
    return ctx.weight(layer, "beta", shape)


def check_epsilon(layer: Normalizing) -> None:
    """Make ``epsilon`` a float.

    Raises:
        ArgumentError: it is not a positive number.
    """
    if isinstance(layer.epsilon, bool) or not isinstance(layer.epsilon, int | float) or not layer.epsilon > 0:
        raise ArgumentError(f"{layer.name}: epsilon: expected a positive number, received {layer.epsilon!r}.")
    layer.epsilon = float(layer.epsilon)
