"""The loops that update weights by an optimizer's formula, compiled for each formula."""

from __future__ import annotations

import types
from functools import cache
from typing import Any, cast

import numba
import numpy as np
from numba.np.unsafe.ndarray import to_fixed_tuple

from distnet.errors import ArgumentError
from distnet.kernels import fetching
from distnet.kernels.base import MAX_SLOTS, Formula
from distnet.kernels.compiling import OPTIONS, Loop, compiled
from distnet.kernels.fetching import fetch, fetch_to_write
from distnet.types import Array

_AT_A_TIME, _AHEAD = 256, 512
"""Gradients that are added up before the weights are updated by them; entries by which memory is asked for before.

An update by the gradients of two ranks then takes 0.25 ms for 0.35 (half of 535,000 weights, RMSprop).
"""


@cache
def update_loop(formula: Formula, slots: int, scalars: int) -> Loop:
    """The compiled loop over weights and ``slots`` slots whose body is ``formula``.

    It takes the formula's ``scalars`` numbers as an array, which numba recognizes in less time than a tuple.

    numba caches a function by the file, line and qualified name of its source. The loop takes those of its formula, so
    that each formula has its own cache, which is invalidated when the formula is edited.

    Raises:
        ArgumentError: the formula has too many slots.
    """
    if slots > MAX_SLOTS:
        raise ArgumentError(f"{formula.__name__}: expected at most {MAX_SLOTS} slots, received {slots}.")
    names = {"formula": numba.njit(**OPTIONS)(formula), "tuple_of": to_fixed_tuple, "COUNT": scalars}
    return _compiled_from(_TEMPLATES[slots], formula, f"loop_{scalars}", names)


@cache
def update_by_sum_loop(formula: Formula, slots: int, scalars: int) -> Loop:
    """``update_loop`` for gradients that it adds up, some at a time, in the nearest cache."""
    loop = update_loop(formula, slots, scalars)
    names = {"update": loop, "add_up": _compiled_add_up, "fetch_to_write": fetch_to_write, "np": np, "min": min}
    names |= {"_AT_A_TIME": _AT_A_TIME, "_AHEAD": _AHEAD}
    return _compiled_from(_TEMPLATES_OF_SUMS[slots], formula, f"loop_of_sums_{scalars}", names)


def _compiled_from(template: Loop, formula: Formula, name: str, names: dict[str, Any]) -> Loop:
    """A template compiled for a formula.

    Args:
        names: what its global names stand for.
    """
    source = formula.__code__
    code = cast("types.FunctionType", template).__code__.replace(
        co_filename=source.co_filename, co_firstlineno=source.co_firstlineno
    )
    loop = types.FunctionType(code, names | {"range": range}, formula.__name__)
    loop.__module__, loop.__qualname__ = formula.__module__, f"{formula.__qualname__}_{name}"
    return compiled(loop, __file__, fetching.__file__)


formula: Any = None
update: Any = None
add_up: Any = None
tuple_of: Any = None
COUNT: int = 0
"""Placeholders in the templates; each compiled copy has its own."""


def _update_0(w: Array, g: Array, numbers: Array) -> None:
    scalars = tuple_of(numbers, COUNT)
    for i in range(w.size):
        (w[i],) = formula(w[i], g[i], *scalars)


def _update_1(w: Array, g: Array, a: Array, numbers: Array) -> None:
    scalars = tuple_of(numbers, COUNT)
    for i in range(w.size):
        w[i], a[i] = formula(w[i], g[i], a[i], *scalars)


def _update_2(w: Array, g: Array, a: Array, b: Array, numbers: Array) -> None:
    scalars = tuple_of(numbers, COUNT)
    for i in range(w.size):
        w[i], a[i], b[i] = formula(w[i], g[i], a[i], b[i], *scalars)


def _update_3(w: Array, g: Array, a: Array, b: Array, c: Array, numbers: Array) -> None:
    scalars = tuple_of(numbers, COUNT)
    for i in range(w.size):
        w[i], a[i], b[i], c[i] = formula(w[i], g[i], a[i], b[i], c[i], *scalars)


def _add_up(memory: Array, starts: Array, first: int, g: Array) -> None:
    """Overwrite ``g`` with the sum of what begins at ``starts``, from entry ``first`` on, in order."""
    for k in range(starts.size):
        fetch(memory, starts[k] + first + _AHEAD, starts[k] + first + _AHEAD + _AT_A_TIME)
    a, b = memory[starts[0] + first :], memory[starts[1] + first :]
    for i in range(g.size):
        g[i] = a[i] + b[i]
    for k in range(2, starts.size):
        c = memory[starts[k] + first :]
        for i in range(g.size):
            g[i] += c[i]


_compiled_add_up = compiled(_add_up, fetching.__file__)


def _update_by_sum_0(w: Array, memory: Array, starts: Array, numbers: Array) -> None:
    block = np.empty(min(_AT_A_TIME, w.size), w.dtype)
    for i in range(0, w.size, _AT_A_TIME):
        g = block[: min(_AT_A_TIME, w.size - i)]
        fetch_to_write(w, i + _AHEAD, i + _AHEAD + _AT_A_TIME)
        add_up(memory, starts, i, g)
        update(w[i : i + g.size], g, numbers)


def _update_by_sum_1(w: Array, memory: Array, starts: Array, a: Array, numbers: Array) -> None:
    block = np.empty(min(_AT_A_TIME, w.size), w.dtype)
    for i in range(0, w.size, _AT_A_TIME):
        g = block[: min(_AT_A_TIME, w.size - i)]
        fetch_to_write(w, i + _AHEAD, i + _AHEAD + _AT_A_TIME)
        fetch_to_write(a, i + _AHEAD, i + _AHEAD + _AT_A_TIME)
        add_up(memory, starts, i, g)
        update(w[i : i + g.size], g, a[i : i + g.size], numbers)


def _update_by_sum_2(w: Array, memory: Array, starts: Array, a: Array, b: Array, numbers: Array) -> None:
    block = np.empty(min(_AT_A_TIME, w.size), w.dtype)
    for i in range(0, w.size, _AT_A_TIME):
        g = block[: min(_AT_A_TIME, w.size - i)]
        fetch_to_write(w, i + _AHEAD, i + _AHEAD + _AT_A_TIME)
        fetch_to_write(a, i + _AHEAD, i + _AHEAD + _AT_A_TIME)
        fetch_to_write(b, i + _AHEAD, i + _AHEAD + _AT_A_TIME)
        add_up(memory, starts, i, g)
        update(w[i : i + g.size], g, a[i : i + g.size], b[i : i + g.size], numbers)


def _update_by_sum_3(w: Array, memory: Array, starts: Array, a: Array, b: Array, c: Array, numbers: Array) -> None:
    block = np.empty(min(_AT_A_TIME, w.size), w.dtype)
    for i in range(0, w.size, _AT_A_TIME):
        g = block[: min(_AT_A_TIME, w.size - i)]
        fetch_to_write(w, i + _AHEAD, i + _AHEAD + _AT_A_TIME)
        fetch_to_write(a, i + _AHEAD, i + _AHEAD + _AT_A_TIME)
        fetch_to_write(b, i + _AHEAD, i + _AHEAD + _AT_A_TIME)
        fetch_to_write(c, i + _AHEAD, i + _AHEAD + _AT_A_TIME)
        add_up(memory, starts, i, g)
        update(w[i : i + g.size], g, a[i : i + g.size], b[i : i + g.size], c[i : i + g.size], numbers)


_TEMPLATES = (_update_0, _update_1, _update_2, _update_3)
_TEMPLATES_OF_SUMS = (_update_by_sum_0, _update_by_sum_1, _update_by_sum_2, _update_by_sum_3)
