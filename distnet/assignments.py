"""What was set: how often variables and layers' arguments were, and whether assignments are made at all just now."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, NamedTuple

import numpy as np


@dataclass
class _Count:
    assignments: int = 0
    moves: int = 0
    settings: int = 0
    parts: int = 0
    is_held: bool = False
    refuse: Callable[[Any], None] | None = None
    noted: Noted | None = None


PLAIN = frozenset({bool, int, float, str, bytes, type(None), object, np.ndarray, np.dtype})
"""Types of most attributes, which hold nothing: ``isinstance`` of an abstract class takes long to say so."""

UNSET = object()
"""Stands for the value of an attribute that there was not."""


class NotedAttribute(NamedTuple):
    """An attribute that was set.

    Args:
        owner: of the attribute.
        name: of the attribute.
        before: what it was; ``UNSET`` if it was nothing.
        is_by_callback: whether a callback itself set it, not code that it let distnet run, such as a layer's ``call``.
    """

    owner: Any
    name: str
    before: Any
    is_by_callback: bool


@dataclass
class Noted:
    """What is set while one rank works alone.

    Args:
        variables: that were assigned.
        attributes: that were set.
    """

    variables: list[Any] = field(default_factory=list)
    attributes: list[NotedAttribute] = field(default_factory=list)


_count = _Count()


def assignments() -> int:
    """Number of assignments to variables in this process so far: shows whether weights were changed."""
    return _count.assignments


def count_assignment(variable: object = None) -> None:
    """Say that a variable was assigned.

    Raises:
        Exception: what ``refusing`` makes of it.
    """
    if _count.refuse is not None and variable is not None:
        _count.refuse(variable)
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


@contextmanager
def refusing(refuse: Callable[[Any], None]) -> Iterator[None]:
    """Within the block every variable that is assigned is given to ``refuse``, which may raise."""
    before, _count.refuse = _count.refuse, refuse
    try:
        yield
    finally:
        _count.refuse = before


def is_noting() -> bool:
    """Whether one rank works alone just now."""
    return _count.noted is not None


def note_attribute(owner: object, name: str, before: object) -> None:
    """Say that an attribute was set, which was ``before``."""
    if _count.noted is not None:
        _count.noted.attributes.append(NotedAttribute(owner, name, before, _is_set_by_callback()))


def _is_set_by_callback() -> bool:
    """Whether the innermost of distnet's functions under way, but for those that set, is one that calls callbacks."""
    frame: FrameType | None = sys._getframe(3)
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        if module.startswith("distnet."):
            return module.startswith("distnet.callbacks.")
        frame = frame.f_back
    return False


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


def parts() -> int:
    """Number of times so far that a layer got, or lost, an attribute that may hold a layer, a variable or a metric."""
    return _count.parts


def count_part() -> None:
    """Say that a layer got, or lost, such an attribute."""
    _count.parts += 1


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
