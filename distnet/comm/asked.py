"""What of the user's program waits for other ranks: found in the stack, once a wait is long."""

from __future__ import annotations

import sys
from pathlib import Path
from types import FrameType

_BETWEEN = ("distnet", "contextlib", "functools", "numpy")
"""Packages whose frames may lie between the user's and the wait."""
_SPELLED = {
    "__float__": "float() of a tensor", "__int__": "int() of a tensor", "__bool__": "if on a tensor",
    "__array__": "NumPy's function of a tensor", "__getitem__": "indexing of a tensor",
    "<genexpr>": "iteration over a tensor",
}  # fmt: skip


def asked() -> str:
    """What the user's program called, and where: ``tensor.numpy() at train.py:12``; empty where that is unknown."""
    frame: FrameType | None = sys._getframe(1)
    called = frame
    while frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] in _BETWEEN:
        called, frame = frame, frame.f_back
    if frame is None or called is None:
        return ""
    return f"{_named(called)} at {Path(frame.f_code.co_filename).name}:{frame.f_lineno}"


def is_of_tensors(caller: str) -> bool:
    """Whether it asks for entries of a tensor."""
    return caller.startswith("ops.") or " tensor at " in caller or caller.startswith("tensor.")


def _named(frame: FrameType) -> str:
    name, owner = frame.f_code.co_name, frame.f_locals.get("self")
    kind = type(owner).__name__
    if kind == "Primitive":
        return f"ops.{owner.__name__}()" if owner is not None else name
    if kind == "Tensor":
        return _SPELLED.get(name, f"tensor.{name}()")
    if owner is None and frame.f_globals.get("__name__", "").startswith("distnet.ops."):
        return f"ops.{name}()"
    return f"{name}()"
