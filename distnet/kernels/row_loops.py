"""Loops over rows: plain Python that numba compiles."""

from __future__ import annotations

from distnet.types import Array


def add_rows(out: Array, rows: Array, values: Array) -> None:
    """``out[rows[i]] += values[i]`` for each i, in order."""
    for i in range(rows.size):
        target, value = out[rows[i]], values[i]
        for f in range(value.size):
            target[f] += value[f]
