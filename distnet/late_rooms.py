"""Rooms and names that are imported when they are first asked for.

A program pays for what it names: of the layers, most need a few. The front of a package says in one table which of its
modules has which names. The package's front that is above them all says which rooms register further members of a
family; the registry, which is below them, asks for them.
"""

from __future__ import annotations

import gc
import importlib
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn

_rooms: dict[str, list[Callable[[], object]]] = {}


@contextmanager
def without_looking_for_garbage() -> Iterator[None]:
    """Import much within the block: what modules make stays, and Python would look through all of it again and again.

    That was a twentieth of the processor time to the end of a program's first step.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def announce(kind: str, room: Callable[[], object]) -> None:
    """Say what imports a room that registers further members of a family, such as ``"layer"``."""
    _rooms.setdefault(kind, []).append(room)


def fetched(kind: str) -> Iterator[object]:
    """Import those rooms, one after the other, as long as more are wanted."""
    return (room() for room in _rooms.get(kind, ()))


def homes(package: str, names: Mapping[str, str]) -> dict[str, str]:
    """Name -> the full name of its module.

    Args:
        package: that the modules are in.
        names: of each module, by its name within the package, separated by spaces.
    """
    return {name: f"{package}.{module}" for module, listed in names.items() for name in listed.split()}


def late_names(
    package: str, modules: Mapping[str, str], otherwise: Callable[[str], Any] | None = None
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """A package's ``__getattr__``, which imports a name's module when the name is first asked for, and its ``__dir__``.

    Args:
        package: its full name.
        modules: name -> module; of a module in the package, the package.
        otherwise: its ``__getattr__`` for other names.
    """

    def find(name: str) -> Any:
        if name not in modules:
            return (otherwise or missing)(name)
        is_module = modules[name] == package
        home = importlib.import_module(f"{package}.{name}" if is_module else modules[name])
        value = home if is_module else getattr(home, name)
        setattr(sys.modules[package], name, value)
        return value

    def missing(name: str) -> NoReturn:
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return find, lambda: sorted({*vars(sys.modules[package]), *modules})
