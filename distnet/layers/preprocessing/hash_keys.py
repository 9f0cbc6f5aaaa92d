"""The key of a keyed hash, as Keras's argument ``salt`` says it."""

from __future__ import annotations

from typing import Any

from distnet.arguments import is_integer
from distnet.errors import ArgumentError


def as_key(where: str, salt: object) -> list[int]:
    """Two integers of one, or of two.

    Raises:
        ArgumentError: something else.
    """
    parts: list[Any] = [salt, salt] if is_integer(salt) else list(salt) if isinstance(salt, list | tuple) else []
    if len(parts) != 2 or not all(map(is_integer, parts)):
        raise ArgumentError(f"{where}: salt: expected an integer, or two, received {salt!r}.")
    return [int(part) for part in parts]
