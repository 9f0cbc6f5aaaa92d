"""Calls that are made ready once and repeated: what the arrays' shapes decide is decided before the first of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

Call = Callable[[], Any]
"""A function with its arguments."""

F = TypeVar("F", bound=Callable[..., Any])


def readied_by(make_ready: Callable[..., Call | None]) -> Callable[[F], F]:
    """Decorates a function whose calls on the same arrays ``make_ready`` makes shorter.

    Args:
        make_ready: of the function's arguments; returns a call that does the same, or None for these arguments.
    """

    def mark(function: F) -> F:
        vars(function)["make_ready"] = make_ready
        return function

    return mark


def ready(function: Callable[..., Any], *args: Any, **options: Any) -> Call:
    """The call of a function, or of an object's method, on these arguments, to be made any number of times."""
    make_ready = getattr(function, "make_ready", None)
    if make_ready is not None:
        owner = getattr(function, "__self__", None)
        made: Call | None = make_ready(*(() if owner is None else (owner,)), *args, **options)
        if made is not None:
            return made
    return partial(function, *args, **options)
