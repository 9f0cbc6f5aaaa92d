"""Entries before and after each axis of a sequence or image, as padding and cropping count them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, TypeAlias

import numpy as np

from distnet.errors import ArgumentError
from distnet.layers.engine.channels import Channelled
from distnet.layers.engine.sliding import extents
from distnet.types import Array

Margins: TypeAlias = tuple[tuple[int, int], ...]
"""(before, after) for each axis."""

Margin1D: TypeAlias = int | Sequence[int]
"""One number for both ends, or (before, after)."""

MarginND: TypeAlias = int | Sequence[int] | Sequence[Sequence[int]]
"""One number for all sides, one for both ends of each axis, or (before, after) for each axis."""


class Bordered(Channelled):
    """A layer of margins: ``around`` has those that its argument says."""

    rank: ClassVar[int]
    argument: ClassVar[str]
    """Its name."""

    def validate(self) -> None:
        super().validate()
        given, what = getattr(self, self.argument), f"{self.name}: {self.argument}"
        self.around = (margin(given, what),) if self.rank == 1 else margins(given, self.rank, what)
        setattr(self, self.argument, self.around[0] if self.rank == 1 else self.around)


def margin(value: object, what: str) -> tuple[int, int]:
    """``value``, as Keras takes it for one axis, as (before, after).

    Raises:
        ArgumentError: it is neither a non-negative integer nor two.
    """
    before, after = extents(value, 2, what, least=0)
    return before, after


def margins(value: object, rank: int, what: str) -> Margins:
    """``value``, as Keras takes it for ``rank`` axes, as (before, after) for each.

    Raises:
        ArgumentError: it has another form, or a number is negative.
    """
    parts = tuple(value) if isinstance(value, Sequence) and not isinstance(value, str) else (value,) * rank
    if len(parts) != rank:
        raise ArgumentError(
            f"{what}: expected an integer, or for each of {rank} axes an integer or (before, after), received "
            f"{value!r}."
        )
    return tuple(margin(part, what) for part in parts)


def interior(a: Array, around: Margins) -> Array:
    """View of what lies between the margins of ``a`` (N, ..., C)."""
    inner = zip(a.shape[1:-1], around, strict=True)
    return a[:, *(slice(before, n - after) for n, (before, after) in inner)]


def surrounded(a: Array, around: Margins, out: Array) -> Array:
    """``out`` with ``a`` between its margins and zeros on them."""
    out.fill(0)
    np.copyto(interior(out, around), a)
    return out
