"""Assignments to variables: how many there were, and whether they are made at all just now."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass
class _Count:
    assignments: int = 0
    is_held: bool = False


_count = _Count()


def assignments() -> int:
    """Number of assignments to variables in this process so far: shows whether weights were changed."""
    return _count.assignments


def count_assignment() -> None:
    """Say that a variable was assigned."""
    _count.assignments += 1


@contextmanager
def assignments_held() -> Iterator[None]:
    """Within the block values are checked, and not assigned: code is tried."""
    before, _count.is_held = _count.is_held, True
    try:
        yield
    finally:
        _count.is_held = before


def are_assignments_held() -> bool:
    """Whether code is tried just now, on rows that are no data."""
    return _count.is_held
