"""Softmax and crossentropy in one pass over the scores of a row, compiled."""

from __future__ import annotations

import math

from distnet.kernels.compiling import compiled
from distnet.types import Array

MOST_CLASSES = 48
"""For which this is faster than NumPy, whose exp is made of vectors."""


@compiled
def _peak(row: Array) -> int:
    """Where the largest entry lies, the first of several; NaN is larger than any number."""
    at, top = 0, row[0]
    for c in range(1, row.size):
        if not row[c] <= top and top == top:
            at, top = c, row[c]
    return at


@compiled
def softmax_crossentropy(z: Array, t: Array, values: Array, slopes: Array, factor: float) -> None:
    """Write the crossentropy of each row, and its derivatives by the scores, times a factor."""
    for n in range(z.shape[0]):
        top = z[n, 0]
        for c in range(1, z.shape[1]):
            top = max(top, z[n, c])
        total, weight = z.dtype.type(0), z.dtype.type(0)
        for c in range(z.shape[1]):
            slopes[n, c] = math.exp(z[n, c] - top)
            total += slopes[n, c]
            weight += t[n, c]
        log_total, value = math.log(total), z.dtype.type(0)
        for c in range(z.shape[1]):
            value -= t[n, c] * (z[n, c] - top - log_total)
            slopes[n, c] = (slopes[n, c] / total * weight - t[n, c]) * factor
        values[n] = value


@compiled
def equal_peaks(a: Array, b: Array) -> int:
    """In how many rows the largest entries lie at the same place."""
    total = 0
    for n in range(a.shape[0]):
        total += _peak(a[n]) == _peak(b[n])
    return total
