"""Loops over rows of channels: sums, moments and affine maps, in one pass over memory each.

Where channels are few, several rows are folded into one of about ``_LANES`` entries, since short inner loops are
slow; the vectors of channels are repeated to the same length. Sums are taken in the dtype of the rows within a block
that stays in the L1 cache, in double precision from block to block.

``of_blocks`` (blocks, sums, W) is memory for the sums of blocks. Where parts of the rows are summed at the same time it
has a place for each block, and the sums are added up in order when all are there; else one place is enough.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from distnet.kernels.compiling import compiled, if_apart
from distnet.types import Array

_LANES = 512
BLOCK_ROWS = 16
"""Folded rows of a block."""

_FAR = 16
"""Squares of a mean's distance from the pivot, by the variance: beyond it squares about the pivot are not precise."""


@compiled
def folded(x: Array) -> int:
    """Entries of a folded row of x (G, S, C): a multiple of C."""
    channels = max(x.shape[2], 1)
    return int(max(min(_LANES // channels, x.shape[1]), 1) * channels)


@compiled
def _repeat(vector: Array, lanes: Array) -> None:
    for start in range(0, lanes.size, vector.size):
        part = lanes[start : start + vector.size]
        for c in range(part.size):
            part[c] = vector[c]


@compiled
def _add_up(lanes: Array, total: Array) -> None:
    """Add the lanes to the totals of their channels."""
    for start in range(0, lanes.size, total.size):
        part = lanes[start : start + total.size]
        for c in range(part.size):
            total[c] += part[c]


@compiled
def column_sums(x: Array, total: Array, of_blocks: Array, is_part: bool) -> None:
    """Add the sums over the rows to ``total`` (G, C), float64."""
    width = folded(x)
    for g in range(x.shape[0]):
        rows = x[g].reshape(-1)
        for first in range(0, rows.size, BLOCK_ROWS * width):
            lanes = of_blocks[first // (BLOCK_ROWS * width) if is_part else 0, 0]
            lanes[:] = 0
            for start in range(first, min(first + BLOCK_ROWS * width, rows.size), width):
                row = rows[start : start + width]
                for j in range(row.size):
                    lanes[j] += row[j]
            if not is_part:
                _add_up(lanes, total[g])


@compiled
def add_up_blocks(of_blocks: Array, total: Array, which: int) -> None:
    """Add the sums of all blocks to ``total`` (1, C), in order."""
    for block in range(of_blocks.shape[0]):
        _add_up(of_blocks[block, which], total[0])


@compiled
def _sum_about(block: Array, width: int, pivot: Array, sums: Array, squares: Array) -> None:
    """Overwrite ``sums`` and ``squares``, of each lane, with those of the distances from the pivot."""
    sums[:] = 0
    squares[:] = 0
    four = 4 * width
    whole = block.size // four * four
    for start in range(0, whole, four):
        a, b = block[start : start + width], block[start + width : start + 2 * width]
        c, d = block[start + 2 * width : start + 3 * width], block[start + 3 * width : start + four]
        for j in range(a.size):
            p, q, r, s = a[j] - pivot[j], b[j] - pivot[j], c[j] - pivot[j], d[j] - pivot[j]
            sums[j] += (p + q) + (r + s)
            squares[j] += (p * p + q * q) + (r * r + s * s)
    for start in range(whole, block.size, width):
        row = block[start : start + width]
        for j in range(row.size):
            centered = row[j] - pivot[j]
            sums[j] += centered
            squares[j] += centered * centered


@compiled
def _block_moments(block: Array, width: int, lanes: Array, total: Array, moments: Array) -> None:
    """Overwrite ``moments`` (2, C) with the block's means and its sums of squares about them.

    The squares are taken about the mean of the first rows, then corrected; where that is far from the mean, once more,
    about the mean.
    """
    sums, squares, pivot = lanes[0], lanes[1], lanes[2]
    count = block.size // total.size
    first = block[: min(width, block.size)]
    total[:] = 0
    _add_up(first, total)
    total /= first.size // total.size
    for _ in range(2):
        _repeat(total, pivot)
        _sum_about(block, width, pivot, sums, squares)
        total[:] = 0
        moments[1] = 0
        _add_up(sums, total)
        _add_up(squares, moments[1])
        is_far = False
        for c in range(total.size):
            step = total[c] / count
            moments[0, c] = pivot[c] + step
            moments[1, c] -= total[c] * step
            if total[c] * step > _FAR * moments[1, c]:
                is_far = True
        if not is_far:
            return
        total[:] = moments[0]


@compiled
def column_moments(x: Array, mean: Array, squares: Array, of_blocks: Array, is_part: bool) -> None:
    """Write the means over the rows, and the sums of squares about them, both (G, C), float64; they begin as 0.

    Source: Chan, Golub and LeVeque, 1979: how the moments of two parts are those of the whole.
    """
    width, channels = folded(x), x.shape[2]
    lanes, total = np.empty((3, width), x.dtype), np.empty(channels)
    for g in range(x.shape[0]):
        rows = x[g].reshape(-1)
        for first in range(0, rows.size, BLOCK_ROWS * width):
            block = rows[first : first + BLOCK_ROWS * width]
            moments = of_blocks[first // (BLOCK_ROWS * width) if is_part else 0]
            _block_moments(block, width, lanes, total, moments)
            if not is_part:
                _merge(moments, first // channels, block.size // channels, mean[g], squares[g])


@compiled
def _merge(moments: Array, before: int, count: int, mean: Array, squares: Array) -> None:
    """Let the moments of the ``before`` rows so far include those of ``count`` more."""
    share = count / (before + count)
    for c in range(mean.size):
        step = moments[0, c] - mean[c]
        mean[c] += step * share
        squares[c] += moments[1, c] + step * step * before * share


@compiled
def merge_blocks(of_blocks: Array, rows: int, of_block: int, mean: Array, squares: Array) -> None:
    """Write the moments of all ``rows``, of which a block has ``of_block``, to mean and squares (1, C)."""
    for block in range(of_blocks.shape[0]):
        before = block * of_block
        _merge(of_blocks[block], before, min(of_block, rows - before), mean[0], squares[0])


@compiled
def column_map(x: Array, mean: Array, scale: Array, shift: Array, other: Any, lowest: float, out: Array) -> None:
    """Write ``max((x - mean) scale + shift + other, lowest)``; ``other`` is an array like x, or None."""
    width = folded(x)
    lanes = np.empty((3, width), x.dtype)
    m, a, b = lanes[0], lanes[1], lanes[2]
    for g in range(x.shape[0]):
        _repeat(mean[g], m)
        _repeat(scale[g], a)
        _repeat(shift[g], b)
        rows, y = x[g].reshape(-1), out[g].reshape(-1)
        for start in range(0, rows.size, width):
            row, target = rows[start : start + width], y[start : start + width]
            if other is None:
                for j in range(row.size):
                    value = (row[j] - m[j]) * a[j] + b[j]
                    target[j] = lowest if value < lowest else value  # NaN stays NaN
            else:
                added = other[g].reshape(-1)[start : start + width]
                for j in range(row.size):
                    value = (row[j] - m[j]) * a[j] + b[j] + added[j]
                    target[j] = lowest if value < lowest else value


@compiled
def column_products(
    dy: Array, x: Array, mean: Array, plain: Array, weighted: Array, of_blocks: Array, is_part: bool
) -> None:
    """Add dy to ``plain`` and ``dy (x - mean)`` to ``weighted``, (G, C), float64."""
    width = folded(x)
    m = np.empty(width, x.dtype)
    for g in range(x.shape[0]):
        _repeat(mean[g], m)
        rows, slopes = x[g].reshape(-1), dy[g].reshape(-1)
        for first in range(0, rows.size, BLOCK_ROWS * width):
            lanes = of_blocks[first // (BLOCK_ROWS * width) if is_part else 0]
            sums, products = lanes[0], lanes[1]
            lanes[:] = 0
            for start in range(first, min(first + BLOCK_ROWS * width, rows.size), width):
                row, slope = rows[start : start + width], slopes[start : start + width]
                for j in range(row.size):
                    sums[j] += slope[j]
                    products[j] += slope[j] * (row[j] - m[j])
            if not is_part:
                _add_up(sums, plain[g])
                _add_up(products, weighted[g])


@compiled
def relu_products(
    dy: Array,
    y: Array,
    x: Array,
    mean: Array,
    dz: Array,
    plain: Array,
    weighted: Array,
    of_blocks: Array,
    is_part: bool,
) -> None:
    """Write dy to ``dz`` where ``y > 0``, else 0; add ``dz`` and ``dz (x - mean)`` to the sums."""
    width, zero = folded(x), x.dtype.type(0)
    m = np.empty(width, x.dtype)
    for g in range(x.shape[0]):
        _repeat(mean[g], m)
        rows, slopes, values, kept = x[g].reshape(-1), dy[g].reshape(-1), y[g].reshape(-1), dz[g].reshape(-1)
        for first in range(0, rows.size, BLOCK_ROWS * width):
            lanes = of_blocks[first // (BLOCK_ROWS * width) if is_part else 0]
            sums, products = lanes[0], lanes[1]
            lanes[:] = 0
            for start in range(first, min(first + BLOCK_ROWS * width, rows.size), width):
                row, slope = rows[start : start + width], slopes[start : start + width]
                value, target = values[start : start + width], kept[start : start + width]
                for j in range(row.size):
                    passed = slope[j] if value[j] > 0 else zero
                    target[j] = passed
                    sums[j] += passed
                    products[j] += passed * (row[j] - m[j])
            if not is_part:
                _add_up(sums, plain[g])
                _add_up(products, weighted[g])


@compiled
def passed_products(
    dy: Array,
    x: Array,
    mean: Array,
    scale: Array,
    shift: Array,
    plain: Array,
    weighted: Array,
    of_blocks: Array,
    is_part: bool,
) -> None:
    """``column_products`` of dy where ``(x - mean) scale + shift > 0``, computed as in ``column_map``; else of 0."""
    width, zero = folded(x), x.dtype.type(0)
    vectors = np.empty((3, width), x.dtype)
    m, a, b = vectors[0], vectors[1], vectors[2]
    for g in range(x.shape[0]):
        _repeat(mean[g], m)
        _repeat(scale[g], a)
        _repeat(shift[g], b)
        rows, slopes = x[g].reshape(-1), dy[g].reshape(-1)
        for first in range(0, rows.size, BLOCK_ROWS * width):
            lanes = of_blocks[first // (BLOCK_ROWS * width) if is_part else 0]
            sums, products = lanes[0], lanes[1]
            lanes[:] = 0
            for start in range(first, min(first + BLOCK_ROWS * width, rows.size), width):
                row, slope = rows[start : start + width], slopes[start : start + width]
                for j in range(row.size):
                    centered = row[j] - m[j]
                    passed = slope[j] if centered * a[j] + b[j] > 0 else zero
                    sums[j] += passed
                    products[j] += passed * centered
            if not is_part:
                _add_up(sums, plain[g])
                _add_up(products, weighted[g])


@compiled
def column_gradient(
    dy: Array, x: Array, mean: Array, scale: Array, slope: Array, shift: Array, out: Array | None
) -> None:
    """Write ``dy scale + (x - mean) slope + shift``."""
    written = if_apart(out, out, dy)
    width = folded(x)
    lanes = np.empty((4, width), x.dtype)
    m, a, b, d = lanes[0], lanes[1], lanes[2], lanes[3]
    for g in range(x.shape[0]):
        _repeat(mean[g], m)
        _repeat(scale[g], a)
        _repeat(slope[g], b)
        _repeat(shift[g], d)
        rows, slopes, dx = x[g].reshape(-1), dy[g].reshape(-1), written[g].reshape(-1)
        for start in range(0, rows.size, width):
            row, gradient = rows[start : start + width], slopes[start : start + width]
            target = if_apart(out, dx[start : start + width], gradient)
            for j in range(row.size):
                target[j] = gradient[j] * a[j] + (row[j] - m[j]) * b[j] + d[j]


@compiled
def passed_gradient(
    dy: Array, x: Array, mean: Array, scale: Array, slope: Array, shift: Array, limit: Array, out: Array | None
) -> None:
    """``column_gradient`` of dy where ``(x - mean) scale + limit > 0``, computed as in ``column_map``; else of 0."""
    written = if_apart(out, out, dy)
    width, zero = folded(x), x.dtype.type(0)
    lanes = np.empty((5, width), x.dtype)
    m, a, b, d, e = lanes[0], lanes[1], lanes[2], lanes[3], lanes[4]
    for g in range(x.shape[0]):
        _repeat(mean[g], m)
        _repeat(scale[g], a)
        _repeat(slope[g], b)
        _repeat(shift[g], d)
        _repeat(limit[g], e)
        rows, slopes, dx = x[g].reshape(-1), dy[g].reshape(-1), written[g].reshape(-1)
        for start in range(0, rows.size, width):
            row, gradient = rows[start : start + width], slopes[start : start + width]
            target = if_apart(out, dx[start : start + width], gradient)
            for j in range(row.size):
                centered = row[j] - m[j]
                passed = gradient[j] if centered * a[j] + e[j] > 0 else zero
                target[j] = passed * a[j] + centered * b[j] + d[j]


@compiled
def bias_gradient(
    dy: Array, y: Array, scale: float, out: Array | None, total: Array, of_blocks: Array, is_part: bool
) -> None:
    """Write ``dy * scale`` to ``out`` where ``y > 0``, else 0; add the sums of its columns to ``total`` (1, C)."""
    width, zero = folded(dy), dy.dtype.type(0)
    slopes, values, kept = dy.reshape(-1), y.reshape(-1), if_apart(out, out, dy).reshape(-1)
    for first in range(0, slopes.size, BLOCK_ROWS * width):
        lanes = of_blocks[first // (BLOCK_ROWS * width) if is_part else 0, 0]
        lanes[:] = 0
        for start in range(first, min(first + BLOCK_ROWS * width, slopes.size), width):
            slope, value = slopes[start : start + width], values[start : start + width]
            target = if_apart(out, kept[start : start + width], slope)
            for j in range(slope.size):
                passed = slope[j] * scale if value[j] > 0 else zero
                target[j] = passed
                lanes[j] += passed
        if not is_part:
            _add_up(lanes, total[0])
