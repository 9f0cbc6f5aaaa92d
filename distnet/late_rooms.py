"""Rooms that register members of a family, and that a program need not have imported.

The package's front, which is above them all, says which; the registry, which is below them, asks for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

_rooms: dict[str, list[Callable[[], object]]] = {}


def announce(kind: str, room: Callable[[], object]) -> None:
    """Say what imports a room that registers further members of a family, such as ``"layer"``."""
    _rooms.setdefault(kind, []).append(room)


def fetched(kind: str) -> Iterator[object]:
    """Import those rooms, one after the other, as long as more are wanted."""
    return (room() for room in _rooms.get(kind, ()))
