"""Dataclass fields that state what they take, by annotation and range, and are checked when an object is made."""

from __future__ import annotations

import dataclasses
import math
import reprlib
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from types import MappingProxyType
from typing import Any, TypeVar, cast

import numpy as np

from distnet.errors import ArgumentError
from distnet.types import Array

T = TypeVar("T")


@dataclass(frozen=True)
class Range:
    """The numbers from ``low`` to ``high``, bounds included unless open."""

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
INNER_FRACTION = Range(low=0, high=1, open_low=True, open_high=True)
COUNT: Mapping[str, object] = MappingProxyType({"least": 1})
"""Metadata of a field for a positive integer, which has no default."""


def number(default: T, within: Range, metadata: Mapping[str, object] = MappingProxyType({})) -> T:
    """A dataclass field for a number; with the default None, it may be None, too."""
    return dataclasses.field(default=default, metadata={"within": within, **metadata})


def required_number(within: Range) -> float:
    """A dataclass field for a number without a default."""
    return cast(float, dataclasses.field(metadata={"within": within}))


def whole_number(default: T, least: int, metadata: Mapping[str, object] = MappingProxyType({})) -> T:
    """A dataclass field for an integer of at least ``least``; with the default None, it may be None, too."""
    return dataclasses.field(default=default, metadata={"least": least, **metadata})


def check_number(where: str, value: object, within: Range) -> float:
    """``value`` as a float.

    Raises:
        ArgumentError: it is not a number in the range.
    """
    if not is_number(value) or float(cast(float, value)) not in within:
        raise ArgumentError(f"{where}: expected a number in {within}, received {value!r}.")
    return float(cast(float, value))


def check_integer(where: str, value: object, least: int) -> int:
    """``value`` as an int.

    Raises:
        ArgumentError: it is not an integer of at least ``least``.
    """
    if not is_integer(value) or cast(int, value) < least:
        wanted = "a positive integer" if least == 1 else f"an integer of at least {least}"
        raise ArgumentError(f"{where}: expected {wanted}, received {value!r}.")
    return int(cast(int, value))


def check_frequency(where: str, value: object, words: Sequence[str]) -> str | int:
    """``value``, one of ``words`` or a positive number of batches, as a str or an int.

    Raises:
        ArgumentError: it is neither.
    """
    if isinstance(value, str) and value in words:
        return value
    if not is_integer(value) or cast(int, value) < 1:
        named = " or ".join(map(repr, words))
        raise ArgumentError(f"{where}: expected {named} or a number of batches, received {value!r}.")
    return int(cast(int, value))


def check_option(where: str, value: object, options: Sequence[object]) -> None:
    """Fail unless ``value`` is one of ``options``.

    Raises:
        ArgumentError: it is none of them.
    """
    if not any(value is option or (isinstance(value, str) and value == option) for option in options):
        raise ArgumentError(f"{where}: expected one of {list(options)}, received {value!r}.")


def as_numbers(where: str, value: object, dtype: object = None) -> Array:
    """``value`` as an array of numbers.

    Raises:
        ArgumentError: ``value`` is none.
    """
    try:
        array = np.asarray(value, cast(Any, dtype))
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"{where}: expected numbers, received {reprlib.repr(value)}: {error}.") from None
    if array.dtype.kind not in "biufc":
        raise ArgumentError(f"{where}: expected numbers, received {reprlib.repr(value)}.")
    return array


def is_number(value: object) -> bool:
    """Whether ``value`` is one real number, Python's or NumPy's, no bool, and not too large for a float."""
    is_real = isinstance(value, Real) and not isinstance(value, bool | np.bool_)
    return is_real and not (isinstance(value, int) and abs(value) > sys.float_info.max)


def is_integer(value: object) -> bool:
    """Whether ``value`` is one integer, Python's or NumPy's, and not a bool."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _is_flag(value: object) -> bool:
    return isinstance(value, bool | np.bool_ | int | np.integer) and value in (0, 1)


_KINDS: dict[str, tuple[str, Callable[[object], bool]]] = {
    "bool": ("True or False", _is_flag),
    "int": ("an integer", is_integer),
    "float": ("a number", is_number),
}


def fits_annotation(f: dataclasses.Field[Any], value: object) -> bool:
    """Whether a value fits a field's annotation: None, a bool, a number, a list, strings; others are not checked."""
    kind, _, rest = (f.type if isinstance(f.type, str) else f.type.__name__).partition(" | ")
    if value is None:
        return rest == "None"
    if kind.startswith("list"):
        is_text = kind == "list[str]"
        return isinstance(value, list) and all(isinstance(item, str) or not is_text for item in value)
    return kind not in _KINDS or _KINDS[kind][1](value)


def check_fields(instance: Any, where: str | None = None) -> None:
    """Check the fields of a dataclass that are annotated as bool, int or float, or declared with a range.

    NumPy's integers become Python's where the field has a least value.

    Args:
        instance: the dataclass; None passes if the annotation or the default allows it.
        where: prefix of the message; by default the name of the class.

    Raises:
        ArgumentError: a field is of another type, or out of its range.
    """
    prefix = f"{where}: " if where else f"{type(instance).__name__}."
    for f in dataclasses.fields(instance):
        if not f.init:
            continue
        kind, _, rest = (f.type if isinstance(f.type, str) else f.type.__name__).partition(" | ")
        within, least = f.metadata.get("within"), f.metadata.get("least")
        if (kind not in _KINDS or rest not in ("", "None")) and within is None and least is None:
            continue
        value = getattr(instance, f.name)
        if value is None and (rest == "None" or f.default is None):
            continue
        if within is not None:
            check_number(f"{prefix}{f.name}", value, within)
        elif least is not None:
            object.__setattr__(instance, f.name, check_integer(f"{prefix}{f.name}", value, least))
        elif not _KINDS[kind][1](value):
            raise ArgumentError(f"{prefix}{f.name}: expected {_KINDS[kind][0]}, received {value!r}.")
