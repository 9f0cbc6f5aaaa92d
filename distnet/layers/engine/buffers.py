"""The memory that bound calls read and write."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from types import FunctionType, MethodType
from typing import Any

import numpy as np

from distnet.types import Array


def buffers_within(calls: Iterable[object]) -> list[Array]:
    """Each array that owns memory which the calls have bound, as arguments or in what they enclose; once.

    Objects other than functions, lists and tuples are not looked into.
    """
    buffers: dict[int, Array] = {}
    waiting, seen = list(calls), set[int]()
    while waiting:
        bound = waiting.pop()
        if id(bound) in seen:
            continue
        seen.add(id(bound))
        if isinstance(bound, np.ndarray):
            owner = _owner(bound)
            if owner.flags.owndata:
                buffers[id(owner)] = owner
        else:
            waiting += _bound_by(bound)
    return list(buffers.values())


def _bound_by(thing: Any) -> Iterator[Any]:
    if isinstance(thing, FunctionType):
        yield from thing.__defaults__ or ()
        for cell in thing.__closure__ or ():
            yield from _content(cell)
    elif isinstance(thing, partial):
        yield from (thing.func, *thing.args, *thing.keywords.values())
    elif isinstance(thing, list | tuple):
        yield from thing
    elif isinstance(thing, MethodType):
        yield from (thing.__func__, *([thing.__self__] if isinstance(thing.__self__, np.ndarray) else []))
    elif isinstance(getattr(thing, "__self__", None), np.ndarray):
        yield thing.__self__  # of ``fill``


def _content(cell: Any) -> list[Any]:
    try:
        return [cell.cell_contents]
    except ValueError:  # it is empty as yet
        return []


def _owner(array: Array) -> Array:
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array
