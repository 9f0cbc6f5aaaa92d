"""What an object of a library holds, as pickle would take it apart: for ranks to compare."""

from __future__ import annotations

import argparse
import copyreg
from collections.abc import Iterator, Mapping
from threading import Thread
from types import FunctionType, SimpleNamespace
from typing import Any

_PROTOCOL = 2
_NO_SLOTS = ("__dict__", "__weakref__")


def is_namespace(value: Any) -> bool:
    """Whether it only holds values by name, such as the arguments of the command line."""
    return isinstance(value, argparse.Namespace | SimpleNamespace)


def content_of(value: Any) -> Any:
    """A function that it stands around, such as one with a cache, or its parts.

    None where there are none to compare: open files, locks, threads, and iterators, which are running state.
    """
    within = getattr(value, "__wrapped__", None)
    if isinstance(within, FunctionType):
        return within
    if isinstance(value, Iterator | Thread):
        return None
    reduce = copyreg.dispatch_table.get(type(value))  # of functions of NumPy's, and of regular expressions
    try:
        made = value.__reduce_ex__(_PROTOCOL) if reduce is None else reduce(value)
    except Exception:  # a library's class may do anything when it is taken apart
        return None
    if isinstance(made, str):
        return made
    _, arguments, *state = made
    return [*arguments, *(list(part) if isinstance(part, Iterator) else part for part in state)]


def attributes_of(value: Any) -> Mapping[str, Any]:
    """An object's attributes by name, also those in slots."""
    slots: dict[str, Any] = {}
    for cls in reversed(type(value).__mro__):
        names = vars(cls).get("__slots__", ())
        for name in (names,) if isinstance(names, str) else names:
            if name not in _NO_SLOTS and hasattr(value, name):
                slots[name] = getattr(value, name)
    return {**slots, **getattr(value, "__dict__", {})}
