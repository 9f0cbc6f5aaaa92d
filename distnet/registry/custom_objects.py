"""The user's own classes and functions, by the names that files use."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from distnet.errors import ArgumentError

C = TypeVar("C", bound=Callable[..., Any])

_registered_custom: dict[str, Any] = {}
_describing: ContextVar[bool] = ContextVar("describing", default=False)
_scoped_custom: ContextVar[Mapping[str, Any] | None] = ContextVar("custom_objects", default=None)


def registered_name(obj: Any) -> str:
    """The name under which a class or function is written to JSON."""
    for name, custom in _registered_custom.items():
        if custom is obj:
            return name
    if _describing.get() and not hasattr(obj, "__name__"):
        inner = [registered_name(obj.func), *sorted(obj.keywords)] if isinstance(obj, functools.partial) else []
        return " ".join([type(obj).__qualname__, *inner])
    return str(obj.__name__)


def is_describing() -> bool:
    """Whether the JSON made now is only for display, not to be read again."""
    return _describing.get()


@contextmanager
def describing() -> Iterator[None]:
    """Within the block, JSON is only for display: a function without a name is written as its class."""
    token = _describing.set(True)
    try:
        yield
    finally:
        _describing.reset(token)


def register_keras_serializable(package: str = "Custom", name: str | None = None) -> Callable[[C], C]:
    """Decorate your own class or function: saved files refer to it as ``package>name``.

    Source: ``keras.saving.register_keras_serializable``.
    """

    def decorate(obj: C) -> C:
        _registered_custom[f"{package}>{name or obj.__name__}"] = obj
        return obj

    return decorate


def get_custom_objects() -> dict[str, Any]:
    """Your own classes and functions that saved files refer to, by name; you may add to it.

    Source: ``keras.saving.get_custom_objects``.
    """
    return _registered_custom


def known_custom_objects() -> dict[str, Any]:
    """The user's own classes and functions that are known now; those of the scope come first.

    Source: ``keras.saving.get_registered_object``.
    """
    return {**_registered_custom, **(_scoped_custom.get() or {})}


def is_custom(name: str) -> bool:
    """Whether the user has registered a class or function of this name."""
    return name in _registered_custom or name in (_scoped_custom.get() or {})


@contextmanager
def custom_object_scope(custom_objects: Mapping[str, Any] | None) -> Iterator[None]:
    """Within the block, these names mean these classes and functions, in every family.

    Raises:
        ArgumentError: ``custom_objects`` is not a dict.
    """
    if custom_objects is not None and not isinstance(custom_objects, Mapping):
        raise ArgumentError(
            f"custom_objects: expected a dict of classes and functions by name, received {custom_objects!r:.100}."
        )
    token = _scoped_custom.set({**(_scoped_custom.get() or {}), **(custom_objects or {})})
    try:
        yield
    finally:
        _scoped_custom.reset(token)


CustomObjectScope = custom_object_scope
"""Keras's other name for ``custom_object_scope``."""
