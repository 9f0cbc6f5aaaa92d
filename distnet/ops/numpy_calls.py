"""NumPy's functions on tensors, while a tape follows a training loop: the function of ``distnet.ops`` of that name."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from distnet.ops.operators import PRIMITIVES

ALIKE = frozenset({"Clip", "Where"})
"""Functions whose arguments have one order in both, and names of their own."""


def op_for(function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Callable[..., Any] | None:
    """The function of ``distnet.ops`` that takes these arguments and means the same; None if there is none.

    The first two arguments have one meaning in both; further ones must have one name, but for ``ALIKE``.
    """
    kind = "".join(part.capitalize() for part in function.__name__.split("_"))
    primitive = PRIMITIVES.get(kind)
    if primitive is None:
        return None
    if isinstance(function, np.ufunc):
        return primitive if not kwargs and len(args) == function.nin else None
    ours = _parameters(primitive)
    fits = len(args) <= len(ours) and set(kwargs) <= set(ours)
    if fits and len(args) > 2 and kind not in ALIKE:
        fits = _parameters(function)[2 : len(args)] == ours[2 : len(args)]
    return primitive if fits else None


@functools.cache
def _parameters(function: Callable[..., Any]) -> tuple[str, ...]:
    """Names, in order; none where NumPy, before 2.1, does not say those of a function written in C."""
    try:
        return tuple(inspect.signature(function).parameters)
    except ValueError:
        return ()
