"""Initializers that draw no random numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self, cast

import numpy as np

from distnet.errors import ArgumentError, ShapeError
from distnet.initializers.base import INITIALIZERS, Initializer
from distnet.types import Array, ArrayLike, DType, Json


@INITIALIZERS.register("zero")
@dataclass(eq=False)
class Zeros(Initializer):
    """All 0."""

    def draw(self, shape: tuple[int, ...], dtype: DType, rng: np.random.Generator) -> Array:
        return np.zeros(shape, dtype)


zero = zeros = Zeros


@INITIALIZERS.register("one")
@dataclass(eq=False)
class Ones(Initializer):
    """All 1."""

    def draw(self, shape: tuple[int, ...], dtype: DType, rng: np.random.Generator) -> Array:
        return np.ones(shape, dtype)


one = ones = Ones


@INITIALIZERS.register()
@dataclass(eq=False)
class Constant(Initializer):
    """All the same value, or the values of an array.

    Args:
        value: a number, or an array that broadcasts to the variable's shape.

    Raises:
        ShapeError: the array does not broadcast to the variable's shape.
    """

    value: ArrayLike = 0.0

    def __post_init__(self) -> None:
        if np.asarray(self.value).dtype.kind not in "biuf":
            raise ArgumentError(f"Constant: expected a number or an array of numbers, received {self.value!r}.")

    @classmethod
    def from_config(cls, config: Mapping[str, Json]) -> Self:
        value = config.get("value", 0.0)
        if isinstance(value, Mapping):  # Keras wraps arrays: {"class_name": "__numpy__", "config": {"value": ...}}
            value = cast("Mapping[str, Mapping[str, Json]]", value)["config"]["value"]
        return super().from_config({**config, "value": value})

    def draw(self, shape: tuple[int, ...], dtype: DType, rng: np.random.Generator) -> Array:
        value = np.asarray(self.value, dtype)
        try:
            return np.broadcast_to(value, shape).copy()
        except ValueError:
            raise ShapeError(
                f"Constant: expected a value that fits a variable of shape {shape}, received one of {value.shape}."
            ) from None


constant = Constant


@INITIALIZERS.register("IdentityInitializer")
@dataclass(eq=False)
class Identity(Initializer):
    """``gain`` on the diagonal of a matrix, 0 elsewhere.

    Raises:
        ShapeError: the variable is not a matrix.
    """

    gain: float = 1.0

    def draw(self, shape: tuple[int, ...], dtype: DType, rng: np.random.Generator) -> Array:
        if len(shape) != 2:
            raise ShapeError(f"Identity: expected the shape of a matrix, received {shape}.")
        return cast(Array, self.gain * np.eye(*shape, dtype=dtype))


identity = IdentityInitializer = Identity
