"""The base of the layers that change images at random, and factors between limits."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from distnet.errors import ArgumentError
from distnet.layers.engine.base import Layer
from distnet.layers.engine.channels import Channelled
from distnet.layers.engine.context import BackwardContext, ForwardContext
from distnet.types import Array, Shape


class RandomChange(Channelled):
    """In training, changes each image at random; else it passes them on."""

    rank: ClassVar[int] = 2
    row_rank: ClassVar[int] = 3

    @abstractmethod
    def change(self, x: Array, ctx: ForwardContext) -> tuple[Array, Any]:
        """The images ``x`` (N, H, W, C) changed, and what ``change_back`` needs."""

    @abstractmethod
    def change_back(self, dy: Array, saved: Any, ctx: BackwardContext) -> Array:
        """The gradient of the images."""

    def shape_last(self, shape: Shape) -> Shape:
        return shape

    def forward_last(self, x: Array, ctx: ForwardContext) -> tuple[Array, Any]:
        return self.change(x, ctx) if ctx.augments else (x, None)

    def backward_last(self, dy: Array, saved: Any, ctx: BackwardContext) -> Array:
        return dy if saved is None else self.change_back(dy, saved, ctx)


@dataclass(eq=False)
class OneFactor:
    """One random factor."""

    factor: float | Sequence[float]


def limits(
    layer: Layer, value: object, name: str, least: float, most: float, is_open: bool = False
) -> tuple[float, float]:
    """The smallest and largest value of a factor given as two numbers, or as one for either side of 0.

    Args:
        value: what was given.
        name: the layer's name for it.
        least: lower end of the allowed range.
        most: upper end of the allowed range.
        is_open: whether ``least`` itself is not allowed.

    Raises:
        ArgumentError: a value is out of range.
    """
    given = tuple(value) if isinstance(value, list | tuple) else (value,)
    numbers = [float(v) for v in given if isinstance(v, int | float) and not isinstance(v, bool)]
    is_within = all(least <= v <= most and not (is_open and v == least) for v in numbers)
    if len(numbers) != len(given) or len(given) not in (1, 2) or not is_within:
        bracket = "(" if is_open else "["
        raise ArgumentError(
            f"{layer.name}: {name} must be one or two numbers in {bracket}{least:g}, {most:g}], received {value!r}."
        )
    if len(numbers) == 1:
        reach = abs(numbers[0])
        return max(-reach, least), reach
    return min(numbers), max(numbers)


def between(u: Array, factor: float | Sequence[float]) -> Array:
    """Uniform numbers in [0, 1), scaled to the limits of a factor."""
    low, high = pair(factor)
    return low + u * (high - low)


def pair(factor: float | Sequence[float]) -> tuple[float, float]:
    """A factor that ``limits`` has made into two numbers."""
    low, high = factor if isinstance(factor, Sequence) else (factor, factor)
    return low, high


def uniform(layer: Layer, ctx: ForwardContext, rows: int, width: int, seed: int | None) -> Array:
    """(width, rows) uniform numbers in [0, 1), those of each row drawn by its address."""
    bits = ctx.row_bits(type(layer).__name__, rows, width, seed)
    return np.asarray(bits.T / 2.0**32)
