"""Rooms that register members of a family, and that a program need not have imported.

The package's front, which is above them all, says which; the registry, which is below them, asks for them.
"""

from __future__ import annotations

from collections.abc import Callable

_rooms: dict[str, Callable[[], object]] = {}


def announce(kind: str, room: Callable[[], object]) -> None:
    """Say what imports the room that registers further members of a family, such as ``"layer"``."""
    _rooms[kind] = room


def fetch(kind: str) -> object:
    """Import that room, if there is one."""
    return _rooms.get(kind, lambda: None)()
