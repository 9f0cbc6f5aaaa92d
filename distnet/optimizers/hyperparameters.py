"""Numeric fields that state their range once and are checked when their object is made."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from numbers import Real
from typing import Any, TypeVar, cast

from distnet.errors import ArgumentError

T = TypeVar("T")


@dataclass(frozen=True)
class Range:
    """The numbers from ``low`` to ``high``, the bounds included unless open."""

    low: float = -math.inf
    high: float = math.inf
    open_low: bool = False
    open_high: bool = False

    def __contains__(self, number: float) -> bool:
        above = number > self.low if self.open_low else number >= self.low
        below = number < self.high if self.open_high else number <= self.high
        return above and below and math.isfinite(number)

    def __str__(self) -> str:
        left = "(" if self.open_low or self.low == -math.inf else "["
        right = ")" if self.open_high or self.high == math.inf else "]"
        return f"{left}{self.low:g}, {self.high:g}{right}"


ANY = Range()
NOT_NEGATIVE = Range(low=0)
NOT_POSITIVE = Range(high=0)
AT_LEAST_ONE = Range(low=1)
POSITIVE = Range(low=0, open_low=True)
FRACTION = Range(low=0, high=1)
POSITIVE_FRACTION = Range(low=0, high=1, open_low=True)
BELOW_ONE = Range(low=0, high=1, open_high=True)


def number(default: T, within: Range) -> T:
    """A dataclass field for a number; a default of None makes None a value of it too."""
    return dataclasses.field(default=default, metadata={"within": within})


def required_number(within: Range) -> float:
    """A dataclass field for a number without a default."""
    return cast(float, dataclasses.field(metadata={"within": within}))


def check_number(where: str, value: object, within: Range) -> float:
    """``value`` as a float.

    Raises:
        ArgumentError: it is not a number in the range.
    """
    if not isinstance(value, Real) or isinstance(value, bool) or float(value) not in within:
        raise ArgumentError(f"{where}: expected a number in {within}, received {value!r}.")
    return float(value)


def check_numbers(instance: Any) -> None:
    """Check the fields of a dataclass that were declared as numbers.

    Raises:
        ArgumentError: one of them is out of its range.
    """
    for f in dataclasses.fields(instance):
        value, within = getattr(instance, f.name), f.metadata.get("within")
        if within is not None and not (value is None and f.default is None):
            check_number(f"{type(instance).__name__}.{f.name}", value, within)


def check_count(where: str, value: object, low: int) -> None:
    """Check a whole number that may be None.

    Raises:
        ArgumentError: ``value`` is neither None nor an integer of at least ``low``.
    """
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < low):
        raise ArgumentError(f"{where}: expected None or an integer of at least {low}, received {value!r}.")
