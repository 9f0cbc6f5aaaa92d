"""Initializers whose width depends on the number of a unit's inputs and outputs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from distnet.arguments import POSITIVE, number
from distnet.errors import ArgumentError
from distnet.initializers.base import INITIALIZERS, Initializer
from distnet.initializers.seeded_draws import check_seeded, truncated_draws
from distnet.registry import IF_SET
from distnet.types import Array, DType

Axes = Sequence[int] | None

_TRUNCATED_STDDEV = 0.87962566103423978
"""Standard deviation of a standard normal number truncated to within 2 of 0."""

_MODES = ("fan_in", "fan_out", "fan_avg")
_DISTRIBUTIONS = ("truncated_normal", "untruncated_normal", "uniform")


def compute_fans(shape: tuple[int, ...], input_axes: Axes = None, output_axes: Axes = None) -> tuple[int, int]:
    """The number of inputs and of outputs that a variable of this shape connects.

    (n,): n and n; (I, O): I and O; (..., I, O), a convolution's kernel: both times the entries of the window.

    Args:
        shape: of the variable.
        input_axes: the axes that count inputs, if the shape does not tell.
        output_axes: the axes that count outputs; give both or neither.

    Source: ``keras.src.initializers.random_initializers.compute_fans``.
    """
    if input_axes is not None and output_axes is not None:
        return math.prod(shape[axis] for axis in input_axes), math.prod(shape[axis] for axis in output_axes)
    if len(shape) < 2:
        return math.prod(shape), math.prod(shape)
    window = math.prod(shape[:-2])
    return shape[-2] * window, shape[-1] * window


@dataclass(frozen=True)
class Law:
    """A distribution of variance ``scale / max(1, n)``, n chosen by ``mode``."""

    scale: float
    mode: str
    distribution: str

    def draw(self, shape: tuple[int, ...], fans: tuple[int, int], rng: np.random.Generator) -> Array:
        """Numbers from this distribution for a variable with ``fans`` inputs and outputs."""
        count = {"fan_in": fans[0], "fan_out": fans[1], "fan_avg": sum(fans) / 2}[self.mode]
        stddev = math.sqrt(self.scale / max(1.0, count))
        if self.distribution == "uniform":
            return rng.uniform(-math.sqrt(3) * stddev, math.sqrt(3) * stddev, shape)
        if self.distribution == "untruncated_normal":
            return stddev * rng.standard_normal(shape)
        return stddev / _TRUNCATED_STDDEV * truncated_draws(shape, rng)


@INITIALIZERS.register()
@dataclass(eq=False)
class VarianceScaling(Initializer):
    """Variance ``scale / max(1, n)``, where n is the number of inputs, of outputs, or their mean.

    Args:
        scale: positive.
        mode: which n: ``"fan_in"``, ``"fan_out"`` or ``"fan_avg"``.
        distribution: ``"truncated_normal"`` (or ``"normal"``), ``"untruncated_normal"`` or ``"uniform"``.
        seed: None, or an integer that alone determines the numbers.
        input_axes: axes of the variable that count inputs, if ``compute_fans`` cannot tell.
        output_axes: axes that count outputs; give both or neither.

    Source: ``keras.initializers.VarianceScaling``.
    """

    scale: float = number(1.0, POSITIVE)
    mode: str = "fan_in"
    distribution: str = "truncated_normal"
    seed: int | None = None
    input_axes: Axes = field(default=None, metadata=IF_SET)
    output_axes: Axes = field(default=None, metadata=IF_SET)

    def __post_init__(self) -> None:
        check_seeded(self)
        self.mode, self.distribution = str(self.mode).lower(), str(self.distribution).lower()
        if self.distribution == "normal":
            self.distribution = "truncated_normal"
        if self.mode not in _MODES:
            raise ArgumentError(f"VarianceScaling: expected a mode of {_MODES}, received {self.mode!r}.")
        if self.distribution not in _DISTRIBUTIONS:
            raise ArgumentError(
                f"VarianceScaling: expected a distribution of {_DISTRIBUTIONS}, received {self.distribution!r}."
            )

    def draw(self, shape: tuple[int, ...], dtype: DType, rng: np.random.Generator) -> Array:
        fans = compute_fans(shape, self.input_axes, self.output_axes)
        return Law(self.scale, self.mode, self.distribution).draw(shape, fans, rng).astype(dtype)


variance_scaling = VarianceScaling


@dataclass(eq=False)
class ScaledInitializer(Initializer):
    """Abstract: a law with a name of its own.

    Args:
        seed: None, or an integer that alone determines the numbers.
        input_axes: axes of the variable that count inputs, if ``compute_fans`` cannot tell.
        output_axes: axes that count outputs; give both or neither.
    """

    law: ClassVar[Law]

    seed: int | None = None
    input_axes: Axes = field(default=None, metadata=IF_SET)
    output_axes: Axes = field(default=None, metadata=IF_SET)

    def __post_init__(self) -> None:
        check_seeded(self)

    def draw(self, shape: tuple[int, ...], dtype: DType, rng: np.random.Generator) -> Array:
        fans = compute_fans(shape, self.input_axes, self.output_axes)
        return self.law.draw(shape, fans, rng).astype(dtype)


@INITIALIZERS.register()
@dataclass(eq=False)
class GlorotUniform(ScaledInitializer):
    """Uniform within ``sqrt(6 / (fan_in + fan_out))``; also called Xavier.

    Source: Glorot and Bengio, 2010, equation 16.
    """

    law = Law(1.0, "fan_avg", "uniform")


glorot_uniform = GlorotUniform


@INITIALIZERS.register()
@dataclass(eq=False)
class GlorotNormal(ScaledInitializer):
    """Truncated normal of standard deviation ``sqrt(2 / (fan_in + fan_out))``; also called Xavier.

    Source: Glorot and Bengio, 2010, equation 12.
    """

    law = Law(1.0, "fan_avg", "truncated_normal")


glorot_normal = GlorotNormal


@INITIALIZERS.register()
@dataclass(eq=False)
class HeUniform(ScaledInitializer):
    """Uniform within ``sqrt(6 / fan_in)``.

    Source: He et al., 2015 (arXiv:1502.01852), equation 10.
    """

    law = Law(2.0, "fan_in", "uniform")


he_uniform = HeUniform


@INITIALIZERS.register()
@dataclass(eq=False)
class HeNormal(ScaledInitializer):
    """Truncated normal of standard deviation ``sqrt(2 / fan_in)``.

    Source: He et al., 2015 (arXiv:1502.01852), equation 10.
    """

    law = Law(2.0, "fan_in", "truncated_normal")


he_normal = HeNormal


@INITIALIZERS.register()
@dataclass(eq=False)
class LecunUniform(ScaledInitializer):
    """Uniform within ``sqrt(3 / fan_in)``.

    Source: LeCun et al., "Efficient BackProp", 1998, equation 16.
    """

    law = Law(1.0, "fan_in", "uniform")


lecun_uniform = LecunUniform


@INITIALIZERS.register()
@dataclass(eq=False)
class LecunNormal(ScaledInitializer):
    """Truncated normal of standard deviation ``sqrt(1 / fan_in)``.

    Source: LeCun et al., "Efficient BackProp", 1998, equation 16.
    """

    law = Law(1.0, "fan_in", "truncated_normal")


lecun_normal = LecunNormal
