"""Loops over vectors that lie side by side, one a row: softmax and normalization, each row read from memory once.

A row's sums are taken in an order that depends on its length alone, not on the rows beside it.

``out`` is None where results overwrite what they come from; see ``compiling.apart``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from distnet.kernels import compiling, vector_math
from distnet.kernels.compiling import Loop, compiled, if_apart
from distnet.kernels.vector_math import exp_below_0
from distnet.types import Array

_LANES = 16
BLOCK_ROWS = 64


def _compiled(function: Loop) -> Loop:
    # Sums in any order are what lets them be vectors.
    return compiled(function, vector_math.__file__, compiling.__file__, fastmath=("contract", "reassoc"))


@_compiled
def _largest(row: Array, lanes: Array) -> Any:
    """The largest entry; NaN does not count."""
    lanes[:] = -np.inf
    whole = row.size - row.size % _LANES
    for start in range(0, whole, _LANES):
        part = row[start : start + _LANES]
        for j in range(_LANES):
            lanes[j] = part[j] if part[j] > lanes[j] else lanes[j]
    most = row[0]
    for j in range(whole, row.size):
        most = row[j] if row[j] > most else most
    for j in range(_LANES):
        most = lanes[j] if lanes[j] > most else most
    return most


@_compiled
def softmax(x: Array, out: Array | None) -> None:
    """Write ``exp(x) / sum(exp(x))`` of each row of (M, D)."""
    lanes, one, written = np.empty(_LANES, x.dtype), x.dtype.type(1), if_apart(out, out, x)
    for n in range(x.shape[0]):
        row = x[n]
        y = if_apart(out, written[n], row)
        most, total = _largest(row, lanes), x.dtype.type(0)
        for j in range(row.size):
            y[j] = exp_below_0(row[j] - most)
        for j in range(row.size):
            total += y[j]
        share = one / total
        for j in range(row.size):
            y[j] *= share


@_compiled
def softmax_gradient(dy: Array, y: Array, out: Array | None) -> None:
    """Write ``(dy - sum(dy y)) y`` of each row."""
    written = if_apart(out, out, dy)
    for n in range(y.shape[0]):
        slope, value = dy[n], y[n]
        dx = if_apart(out, written[n], slope)
        total = y.dtype.type(0)
        for j in range(value.size):
            total += slope[j] * value[j]
        for j in range(value.size):
            dx[j] = (slope[j] - total) * value[j]


@_compiled
def normalize(
    x: Array, gamma: Array, beta: Array, epsilon: float, is_centered: bool, out: Array, mean: Array, inverse: Array
) -> None:
    """Normalize each row; see ``Kernels.normalize_rows``."""
    one, count = x.dtype.type(1), x.dtype.type(x.shape[1])
    for n in range(x.shape[0]):
        row, y = x[n], out[n]
        total, squares = x.dtype.type(0), x.dtype.type(0)
        for j in range(row.size):
            total += row[j]
        middle = total / count
        for j in range(row.size):
            squares += (row[j] - middle) * (row[j] - middle)
        factor = one / np.sqrt(squares / count + epsilon)
        mean[n, 0], inverse[n, 0] = middle, factor
        away = middle if is_centered else x.dtype.type(0)
        for j in range(row.size):
            y[j] = (row[j] - away) * factor * gamma[j] + beta[j]


@_compiled
def normalize_gradient(
    dy: Array, x: Array, mean: Array, inverse: Array, gamma: Array, is_centered: bool, out: Array | None, totals: Array,
    of_blocks: Array, is_part: bool,
) -> None:  # fmt: skip
    """Write the gradient of x, and add those of gamma and beta to ``totals`` (2, D), float64.

    Of a part of the rows, the sums of blocks stay in ``of_blocks`` (blocks, 2, D), for ``add_up_blocks``.
    """
    zero, count = x.dtype.type(0), x.dtype.type(x.shape[1])
    written = if_apart(out, out, dy)
    for first in range(0, x.shape[0], BLOCK_ROWS):
        sums = of_blocks[first // BLOCK_ROWS if is_part else 0]
        of_gamma, of_beta = sums[0], sums[1]
        sums[:] = 0
        for n in range(first, min(first + BLOCK_ROWS, x.shape[0])):
            row, slope = x[n], dy[n]
            dx = if_apart(out, written[n], slope)
            middle, factor = mean[n, 0], inverse[n, 0]
            away = middle if is_centered else zero
            plain, weighted = zero, zero
            for j in range(row.size):
                of_gamma[j] += slope[j] * ((row[j] - away) * factor)
                of_beta[j] += slope[j]
            for j in range(row.size):
                plain += slope[j] * gamma[j]
                weighted += slope[j] * gamma[j] * ((row[j] - away) * factor)
            plain = plain / count if is_centered else zero
            weighted /= count
            for j in range(row.size):
                normal = (row[j] - middle) * factor
                dx[j] = (slope[j] * gamma[j] - normal * weighted - plain) * factor
        if not is_part:
            _add_up(sums, totals)


@_compiled
def _add_up(sums: Array, totals: Array) -> None:
    for j in range(totals.shape[1]):
        totals[0, j] += sums[0, j]
        totals[1, j] += sums[1, j]


@_compiled
def add_up_blocks(of_blocks: Array, totals: Array) -> None:
    """Add the sums of all blocks to ``totals``, in order."""
    for block in range(of_blocks.shape[0]):
        _add_up(of_blocks[block], totals)
