"""Loops over rows: plain Python that numba compiles."""

from __future__ import annotations

from distnet.types import Array


def add_rows(out: Array, rows: Array, values: Array) -> None:
    """``out[rows[i]] += values[i]`` for each i, in order."""
    for i in range(rows.size):
        target, value = out[rows[i]], values[i]
        for f in range(value.size):
            target[f] += value[f]


def column_squares(x: Array, mean: Array, total: Array) -> None:
    """Add the squares of ``x - mean`` to ``total`` (G, C), float64."""
    for g in range(x.shape[0]):
        m, sums = mean[g], total[g]
        for s in range(x.shape[1]):
            row = x[g, s]
            for c in range(row.size):
                centered = row[c] - m[c]
                sums[c] += centered * centered


def column_map(x: Array, mean: Array, scale: Array, shift: Array, out: Array) -> None:
    """Write ``(x - mean) scale + shift``."""
    for g in range(x.shape[0]):
        m, a, b = mean[g], scale[g], shift[g]
        for s in range(x.shape[1]):
            row, y = x[g, s], out[g, s]
            for c in range(row.size):
                y[c] = (row[c] - m[c]) * a[c] + b[c]


def column_products(dy: Array, x: Array, mean: Array, plain: Array, weighted: Array) -> None:
    """Add dy to ``plain`` and ``dy (x - mean)`` to ``weighted``, both (G, C), float64."""
    for g in range(x.shape[0]):
        m, sums, products = mean[g], plain[g], weighted[g]
        for s in range(x.shape[1]):
            row, slope = x[g, s], dy[g, s]
            for c in range(row.size):
                sums[c] += slope[c]
                products[c] += slope[c] * (row[c] - m[c])


def column_gradient(dy: Array, x: Array, mean: Array, scale: Array, slope: Array, shift: Array, out: Array) -> None:
    """Write ``dy scale + (x - mean) slope + shift``."""
    for g in range(x.shape[0]):
        m, a, b, d = mean[g], scale[g], slope[g], shift[g]
        for s in range(x.shape[1]):
            row, gradient, dx = x[g, s], dy[g, s], out[g, s]
            for c in range(row.size):
                dx[c] = gradient[c] * a[c] + (row[c] - m[c]) * b[c] + d[c]
