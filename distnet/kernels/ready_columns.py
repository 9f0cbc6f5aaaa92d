"""Calls of loops over columns that are made ready once: with memory of their own, and no parts where all is short."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from distnet.kernels import column_loops
from distnet.kernels.base import Passed
from distnet.kernels.column_parts import memory_for
from distnet.kernels.compiling import Loop, apart
from distnet.kernels.numpy_kernels import check_activation
from distnet.kernels.readying import Call
from distnet.kernels.teamwork import takes_long
from distnet.types import Array

PASS_NS = 0.1
"""About how long a loop takes for each byte that it writes."""


def ready_bias_gradient(_: object, dy: Array, y: Array, activation: str, out: Array, scale: float = 1.0) -> Call | None:
    """The loop alone, with memory of its own for the sums."""
    if activation != "relu" or takes_long(dy.nbytes * PASS_NS):
        return None
    total = np.zeros(dy.shape[1])
    rows = dy[np.newaxis], y[np.newaxis], dy.dtype.type(scale), apart(out[np.newaxis], dy)
    return _summing(total, column_loops.bias_gradient, *rows, total[np.newaxis], memory_for(rows[0], 1), False)


def ready_column_sums(_: object, x: Array) -> Call | None:
    """The loop alone, with memory of its own for the sums."""
    if takes_long(x.nbytes * PASS_NS):
        return None
    total = np.zeros((x.shape[0], x.shape[2]))
    return _summing(total, column_loops.column_sums, x, total, memory_for(x, 1), False)


def ready_column_moments(_: object, x: Array) -> Call | None:
    """The loop alone, with memory of its own."""
    if takes_long(x.nbytes * 2 * PASS_NS):
        return None
    both = np.zeros((2, x.shape[0], x.shape[2]))
    return _summing(both, column_loops.column_moments, x, *both, np.empty((1, 2, x.shape[2])), False)


def ready_column_map(
    _: object, x: Array, mean: Array, scale: Array, shift: Array, out: Array, activation: str = "linear",
    other: Array | None = None,
) -> Call | None:  # fmt: skip
    """The loop alone."""
    check_activation(activation)
    if takes_long(x.nbytes * PASS_NS) or not _are_doubles(mean, scale, shift):
        return None
    return partial(column_loops.column_map, x, mean, scale, shift, other, lowest(x, activation), out)


def ready_column_products(_: object, dy: Array, x: Array, mean: Array, passed: Passed | None = None) -> Call | None:
    """The loop alone, with memory of its own for the sums."""
    vectors = mean, *(passed or ())
    if takes_long(x.nbytes * PASS_NS) or not _are_doubles(*vectors):
        return None
    both = np.zeros((2, x.shape[0], x.shape[2]))
    loop = column_loops.column_products if passed is None else column_loops.passed_products
    return _summing(both, loop, dy, x, *vectors, *both, memory_for(x, 2), False)


def ready_relu_products(_: object, dy: Array, y: Array, x: Array, mean: Array, dz: Array) -> Call | None:
    """The loop alone, with memory of its own for the sums."""
    if takes_long(x.nbytes * 2 * PASS_NS) or not _are_doubles(mean):
        return None
    both = np.zeros((2, x.shape[0], x.shape[2]))
    return _summing(both, column_loops.relu_products, dy, y, x, mean, dz, *both, memory_for(x, 2), False)


def ready_column_gradient(
    _: object, dy: Array, x: Array, mean: Array, scale: Array, slope: Array, shift: Array, out: Array,
    limit: Array | None = None,
) -> Call | None:  # fmt: skip
    """The loop alone."""
    vectors = mean, scale, slope, shift, *([] if limit is None else [limit])
    if takes_long(x.nbytes * PASS_NS) or not _are_doubles(*vectors):
        return None
    loop = column_loops.column_gradient if limit is None else column_loops.passed_gradient
    return partial(loop, dy, x, *vectors, apart(out, dy))


def _are_doubles(*vectors: Array) -> bool:
    return all(vector.dtype == np.float64 and vector.flags.c_contiguous for vector in vectors)


def lowest(x: Array, activation: str) -> Any:
    """What an activation's results are not below, in the dtype of x."""
    return x.dtype.type(0 if activation == "relu" else -np.inf)


def _summing(total: Array, loop: Loop, *args: Any) -> Call:
    """The call of a loop that adds to ``total``, which is returned."""

    def summed() -> Array:
        total.fill(0)
        loop(*args)
        return total

    return summed
