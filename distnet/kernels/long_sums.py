"""Sums of many numbers, block by block.

NumPy adds in pairs along memory, but one number after the other along any other axis: the mean of a million rows of
float32 was a hundred-thousandth off there, and their variance a two-thousandth.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from distnet.types import Array

BLOCK = 64
"""How many numbers are added one after the other."""


def summed(x: Array, axis: Any = None, keepdims: bool = False) -> Array:
    """As ``x.sum(axis, keepdims=keepdims)`` of real numbers, with the rounding of a few blocks.

    Numbers of 16 bits are added up in 32, as in Keras on JAX: in their own, ones would be at an end at 2048.
    """
    if x.dtype == np.float16:
        with np.errstate(over="ignore"):
            return summed(x.astype(np.float32), axis, keepdims).astype(np.float16)
    total = of_long(x, axis, keepdims)
    if total is None:
        return np.asarray(x.sum(axis=tuple(axis) if isinstance(axis, list) else axis, keepdims=keepdims))
    return total


def of_long(x: Array, axis: Any = None, keepdims: bool = False) -> Array | None:
    """The same, where NumPy would add more than a block of numbers one after the other; else None."""
    if x.size <= BLOCK or x.dtype.char not in "fd" or x.ndim == 1:
        return None
    axes = _axes(x, axis)
    is_whole = len(axes) == x.ndim and x.flags.c_contiguous
    if is_whole or math.prod([x.shape[i] for i in axes]) <= BLOCK:
        return None
    total = x
    for first, last in reversed(_runs(axes)):
        total = _along(total, first, last)
    return total if keepdims else total.reshape([n for i, n in enumerate(x.shape) if i not in axes])


def _axes(x: Array, axis: Any) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(x.ndim))
    given = axis if isinstance(axis, list | tuple) else (axis,)
    return tuple(np.lib.array_utils.normalize_axis_tuple(given, x.ndim))


def _runs(axes: tuple[int, ...]) -> list[tuple[int, int]]:
    """First and last of axes that follow each other."""
    runs: list[tuple[int, int]] = []
    for i in sorted(axes):
        runs = [*runs[:-1], (runs[-1][0], i)] if runs and runs[-1][1] == i - 1 else [*runs, (i, i)]
    return runs


def _along(x: Array, first: int, last: int) -> Array:
    """The sum over neighbouring axes, which stay."""
    if first < last and x.flags.c_contiguous:
        places = math.prod(x.shape[first : last + 1])
        total = _blocks(x.reshape(*x.shape[:first], places, *x.shape[last + 1 :]), first)
        return total.reshape(*x.shape[:first], *(1,) * (last - first + 1), *x.shape[last + 1 :])
    for axis in range(last, first - 1, -1):
        x = _blocks(x, axis)
    return x


def _blocks(x: Array, axis: int) -> Array:
    """The sum over an axis, which stays: of blocks first, then of their sums."""
    count = x.shape[axis]
    if count <= BLOCK or x.strides[axis] == x.itemsize:
        return np.asarray(np.add.reduce(x, axis=axis, keepdims=True))
    blocks = count // BLOCK
    before = (slice(None),) * axis
    whole = x[(*before, slice(blocks * BLOCK))].reshape(*x.shape[:axis], blocks, BLOCK, *x.shape[axis + 1 :])
    total = _blocks(np.asarray(np.add.reduce(whole, axis=axis + 1)), axis)
    if blocks * BLOCK < count:
        total += np.add.reduce(x[(*before, slice(blocks * BLOCK, None))], axis=axis, keepdims=True)
    return total
