"""Initializers that draw from a distribution of given width, and the orthogonal one."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from distnet.arguments import NOT_NEGATIVE, number
from distnet.errors import ArgumentError, ShapeError
from distnet.initializers.base import INITIALIZERS, Initializer
from distnet.initializers.seeded_draws import check_seeded, truncated_draws
from distnet.types import Array, DType


@INITIALIZERS.register("normal")
@dataclass(eq=False)
class RandomNormal(Initializer):
    """Normal distribution.

    Args:
        mean: mean of the distribution.
        stddev: its standard deviation, at least 0.
        seed: None, or an integer that alone determines the numbers.
    """

    mean: float = 0.0
    stddev: float = number(0.05, NOT_NEGATIVE)
    seed: int | None = None

    def __post_init__(self) -> None:
        check_seeded(self)

    def draw(self, shape: tuple[int, ...], dtype: DType, rng: np.random.Generator) -> Array:
        return (self.mean + self.stddev * rng.standard_normal(shape)).astype(dtype)


normal = random_normal = RandomNormal


@INITIALIZERS.register()
@dataclass(eq=False)
class TruncatedNormal(Initializer):
    """Normal distribution, each number drawn again until it is within 2 ``stddev`` of the mean.

    Args:
        mean: mean of the distribution.
        stddev: its standard deviation before truncation, at least 0.
        seed: None, or an integer that alone determines the numbers.
    """

    mean: float = 0.0
    stddev: float = number(0.05, NOT_NEGATIVE)
    seed: int | None = None

    def __post_init__(self) -> None:
        check_seeded(self)

    def draw(self, shape: tuple[int, ...], dtype: DType, rng: np.random.Generator) -> Array:
        return (self.mean + self.stddev * truncated_draws(shape, rng)).astype(dtype)


truncated_normal = TruncatedNormal


@INITIALIZERS.register("uniform")
@dataclass(eq=False)
class RandomUniform(Initializer):
    """Uniform distribution.

    Args:
        minval: lower end of the range.
        maxval: upper end of the range.
        seed: None, or an integer that alone determines the numbers.
    """

    minval: float = -0.05
    maxval: float = 0.05
    seed: int | None = None

    def __post_init__(self) -> None:
        check_seeded(self)
        if self.minval > self.maxval:
            raise ArgumentError(
                f"RandomUniform: expected minval up to maxval, received {self.minval!r} and {self.maxval!r}."
            )

    def draw(self, shape: tuple[int, ...], dtype: DType, rng: np.random.Generator) -> Array:
        return rng.uniform(self.minval, self.maxval, shape).astype(dtype)


uniform = random_uniform = RandomUniform


@INITIALIZERS.register("OrthogonalInitializer")
@dataclass(eq=False)
class Orthogonal(Initializer):
    """Orthonormal columns, or rows if there are fewer of them, times ``gain``.

    All axes but the last count as one: ``Q`` of the QR decomposition of a normal matrix, with the signs of its
    columns such that ``R`` has a positive diagonal.

    Args:
        gain: length of each column or row.
        seed: None, or an integer that alone determines the numbers.

    Raises:
        ShapeError: the variable has fewer than two axes.

    Source: Saxe et al., 2014 (arXiv:1312.6120); ``keras.initializers.Orthogonal``.
    """

    gain: float = 1.0
    seed: int | None = None

    def __post_init__(self) -> None:
        check_seeded(self)

    def draw(self, shape: tuple[int, ...], dtype: DType, rng: np.random.Generator) -> Array:
        if len(shape) < 2:
            raise ShapeError(f"Orthogonal: expected a shape of at least two axes, received {shape}.")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        q, r = np.linalg.qr(rng.standard_normal((max(rows, columns), min(rows, columns))))
        q *= np.sign(np.diagonal(r))
        matrix = self.gain * (q.T if rows < columns else q)
        return matrix.reshape(shape).astype(dtype, order="C")


orthogonal = OrthogonalInitializer = Orthogonal
