"""What was set: how often variables and layers' arguments were, and whether assignments are made at all just now."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class _Count:
    assignments: int = 0
    moves: int = 0
    settings: int = 0
    is_held: bool = False
    noted: Noted | None = None


@dataclass
class Noted:
    """What is set while one rank works alone.

    Args:
        variables: that were assigned.
        attributes: objects, each with the name of an attribute that was set.
    """

    variables: list[Any] = field(default_factory=list)
    attributes: list[tuple[Any, str]] = field(default_factory=list)


_count = _Count()


def assignments() -> int:
    """Number of assignments to variables in this process so far: shows whether weights were changed."""
    return _count.assignments


def count_assignment(variable: object = None) -> None:
    """Say that a variable was assigned."""
    _count.assignments += 1
    if _count.noted is not None and variable is not None:
        _count.noted.variables.append(variable)


@contextmanager
def noting() -> Iterator[Noted]:
    """Within the block one rank works alone; what it sets is noted."""
    before, _count.noted = _count.noted, Noted()
    try:
        yield _count.noted
    finally:
        _count.noted = before


def is_noting() -> bool:
    """Whether one rank works alone just now."""
    return _count.noted is not None


def note_attribute(owner: object, name: str) -> None:
    """Say that an attribute was set."""
    if _count.noted is not None:
        _count.noted.attributes.append((owner, name))


def moves() -> int:
    """Number of times that variables of a model got other memory so far, for weights or gradients."""
    return _count.moves


def count_move() -> None:
    """Say that variables got other memory."""
    _count.moves += 1


def settings() -> int:
    """Number of times that an argument of a layer was set so far."""
    return _count.settings


def count_setting() -> None:
    """Say that an argument of a layer was set."""
    _count.settings += 1


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
