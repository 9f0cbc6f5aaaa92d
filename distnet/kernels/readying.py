"""Calls that are made ready once and repeated: what the arrays' shapes decide is decided before the first of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

import numpy as np

from distnet.kernels.teamwork import sharing
from distnet.types import Array

Call = Callable[[], Any]
"""A function with its arguments."""

_NS_PER_BYTE = 0.1
"""About how long NumPy takes for each byte of a result."""

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
    if isinstance(function, np.ufunc) and function.signature is None and list(options) == ["out"]:
        return _ready_elementwise(function, options["out"], *args)
    make_ready = getattr(function, "make_ready", None)
    if make_ready is not None:
        owner = getattr(function, "__self__", None)
        made: Call | None = make_ready(*(() if owner is None else (owner,)), *args, **options)
        if made is not None:
            return made
    return partial(function, *args, **options)


def one_by_one(calls: Sequence[Call]) -> Call:
    """All calls as one."""
    if len(calls) == 1:
        return calls[0]

    def each() -> None:
        for call in calls:
            call()

    return each


def _ready_elementwise(function: Callable[..., Any], out: Array, *args: Any) -> Call:
    """In parts of the first axis at the same time, where that takes long."""
    operands = (*args, out)
    cut = [place for place, a in enumerate(operands) if np.ndim(a) == out.ndim]
    if out.ndim and all(_is_in_parts(a, out) for a in operands):
        return sharing(function, out.nbytes * _NS_PER_BYTE, cut, *operands)
    return partial(function, *args, out=out)


def _is_in_parts(a: Any, out: Array) -> bool:
    """Whether a part of ``out`` needs of an operand the same part alone, or what no part is written over."""
    if not isinstance(a, np.ndarray) or not a.ndim:
        return not np.ndim(a)
    if a.ndim == out.ndim and len(a) != len(out):
        return False
    is_out = a.strides == out.strides and a.__array_interface__["data"] == out.__array_interface__["data"]
    return is_out or not np.may_share_memory(a, out)
