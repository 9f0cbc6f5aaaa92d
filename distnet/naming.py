"""Names for unnamed objects, and for older versions of a file."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache

from distnet.scoped import Scoped

_uses: Counter[str] = Counter()
_scope: ContextVar[str] = ContextVar("scope", default="")
_outer: ContextVar[str] = ContextVar("outer", default="")


def scope(name: str) -> Scoped[str]:
    """Within the block the full names of new variables begin with this name."""
    return Scoped(_scope, f"{_scope.get()}{name}/")


def present_scope() -> str:
    """The prefix of new variables' full names: ``""``, or ``"sequential/"`` while that model builds layers."""
    return _scope.get()


def within(path: str) -> Scoped[str]:
    """Within the block a layer that is built is one within the layer of this path."""
    return Scoped(_outer, f"{path}/")


def is_within() -> bool:
    """Whether layers are built within another."""
    return bool(_outer.get())


def path_within(name: str) -> str:
    """The path of a layer of this name: with those of the layers that it is built within."""
    return f"{_outer.get()}{name}"


@cache
def snake_case(class_name: str) -> str:
    """A class's name as Keras spells it in logs and layer names.

    >>> snake_case("MaxPooling2D"), snake_case("MeanIoU")
    ('max_pooling2d', 'mean_io_u')

    Source: ``keras.utils.naming.to_snake_case``.
    """
    name = re.sub(r"\W+", "", class_name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def name_of(function: object) -> str:
    """What logs call a function or callable object: its name, or its class's, in snake case.

    Source: ``keras.utils.naming.get_object_name``.
    """
    name = getattr(function, "name", None)
    if isinstance(name, str) and name:
        return name
    return snake_case(getattr(function, "__name__", None) or type(function).__name__)


def unique_name(class_name: str) -> str:
    """The next automatic name for a layer or model of this class: ``dense``, ``dense_1`` ..., counted per process."""
    name = snake_case(class_name)
    _uses[name] += 1
    return name if _uses[name] == 1 else f"{name}_{_uses[name] - 1}"


@contextmanager
def uncounted() -> Iterator[None]:
    """Within the block names are given that others may get again behind it."""
    before = _uses.copy()
    try:
        yield
    finally:
        _uses.clear()
        _uses.update(before)


def reset() -> None:
    """Count automatic names from the beginning again."""
    _uses.clear()


def older_file(path: str | os.PathLike[str], number: int) -> str:
    """Where the ``number``-th version before ``path`` is kept.

    >>> older_file("run/model.h5", 1)
    'run/model.1.h5'
    """
    stem, extension = os.path.splitext(os.fspath(path))
    return f"{stem}.{number}{extension}"


def kept_files(path: str | os.PathLike[str]) -> list[str]:
    """The file and its older versions, those that exist, the newest first."""
    folder, name = os.path.split(os.fspath(path))
    stem, extension = os.path.splitext(name)
    pattern = re.compile(rf"{re.escape(stem)}\.([1-9][0-9]*){re.escape(extension)}")
    entries = os.listdir(folder or ".") if os.path.isdir(folder or ".") else []
    numbers = sorted(int(match[1]) for match in map(pattern.fullmatch, entries) if match)
    return [os.fspath(path)] * os.path.exists(path) + [older_file(path, number) for number in numbers]
