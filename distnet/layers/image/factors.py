"""What the layers that change images are given: factors between limits, and ranges of values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from distnet.arguments import is_number
from distnet.errors import ArgumentError
from distnet.layers.engine.base import Layer
from distnet.types import Array


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


def range_of_values(layer: Layer, value: object) -> tuple[float, float]:
    """The smallest and largest value of pixels.

    Raises:
        ArgumentError: it is not two numbers.
    """
    numbers = [v for v in value if is_number(v)] if isinstance(value, list | tuple) else []
    if len(numbers) != 2 or len(numbers) != len(cast(Sequence[float], value)):
        raise ArgumentError(f"{layer.name}: value_range must be two numbers, received {value!r}.")
    return min(numbers), max(numbers)


def rescaled(x: Any, source: Sequence[float], target: Sequence[float]) -> Any:
    """Pixels in one range of values, in another."""
    if tuple(source) == tuple(target):
        return x
    return (x - source[0]) / (source[1] - source[0]) * (target[1] - target[0]) + target[0]
