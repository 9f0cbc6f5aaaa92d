"""Convolutions that skip the zeros of what they read, where these are many.

Behind max pooling and ReLU nine of ten slopes are zero. Which way a convolution goes is decided each time it is taken,
by a sample of its numbers. A zero times what is not finite is nan: where the other factor holds such a number, nothing
is skipped.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from distnet.kernels import teamwork, zero_loops, zero_window_loops
from distnet.kernels.base import Memory
from distnet.kernels.readying import Call
from distnet.kernels.sweeps import Sweep
from distnet.kernels.vector_code import lanes
from distnet.kernels.zero_products import LEAST_PRODUCTS, NS_PER_BYTE, register_strips
from distnet.types import Array

_MOST_KEPT, _MOST_KEPT_OF_GRADIENT = 0.3, 0.35
"""Of the numbers may be others than zero."""

_PIXELS = 192
"""Listed at once, at least: what they read of the other factor is to stay in the nearest cache."""


def correlate(x: Array, w: Array, sweep: Sweep, out: Array, otherwise: Call) -> Call:
    """``Tiles.correlate`` without the zeros of ``x`` where they are many; else ``otherwise``, which does the same."""
    outputs, products = out.shape[-1], out.size * w.shape[0] * w.shape[1]
    if not _suits(sweep, outputs, products, x) or len(sweep.taps) * w[0].size >= 1 << 32:
        return otherwise
    strips, pixels = register_strips(outputs, x.dtype), x[0].size // x.shape[-1]

    def part_of(volumes: slice, _: int) -> Call:
        count = pixels * x.shape[-1] + lanes(x.itemsize)
        return partial(
            zero_window_loops.correlate, x[volumes], w, out[volumes], sweep.spans, sweep.offsets, sweep.counts,
            np.empty(count, x.dtype), np.empty(count, np.uint32), np.empty(pixels + 1, np.intp), strips,
        )  # fmt: skip

    skipping = teamwork.cut(part_of, len(x), products * x.itemsize * NS_PER_BYTE)
    return _chosen(x, _MOST_KEPT, w, skipping, otherwise)


def correlate_gradient(x: Array, dz: Array, sweep: Sweep, total: Array, memory: Memory, otherwise: Call) -> Call:
    """``Tiles.correlate_gradient`` without the zeros of ``dz`` where they are many; else ``otherwise``."""
    filters, run = dz.shape[-1], int(sweep.counts[0, 3])
    steps, products = run * sweep.channels, total.size * dz.size // filters
    if not _suits(sweep, steps, products, x) or x[0].size >= 1 << 32:
        return otherwise
    strips, size = register_strips(steps, x.dtype), lanes(x.itemsize)
    rows, width = min(-(-_PIXELS // dz.shape[3]), dz.shape[2]), dz.shape[3]
    turned_total = memory.workspace("gradient, turned", (filters, len(total) // run, steps), x.dtype)

    def part_of(part: slice, number: int) -> Call:
        first, stop = part.start * size, min(part.stop * size, filters)
        padded = np.empty((0,) * 4, x.dtype)
        if sweep.is_padded:
            shape = (*sweep.extents[:2], sweep.width, x.shape[-1])
            padded = memory.workspace(f"padded volume, {number}", shape, x.dtype)
        count = (stop - first) * rows * width + size
        return partial(
            zero_window_loops.correlate_gradient, x, dz, turned_total, sweep.spans, sweep.offsets, sweep.counts,
            sweep.left, padded, strips, first, stop, rows, np.empty(count, x.dtype), np.empty(count, np.uint32),
            np.empty((stop - first, rows + 1), np.intp), np.empty((size, rows * width), x.dtype),
        )  # fmt: skip

    add_up = teamwork.cut(part_of, -(-filters // size), products * x.itemsize * NS_PER_BYTE, most=1)
    as_rows, of_filters = total.reshape(-1, filters), turned_total.reshape(filters, -1)

    def skipping() -> None:
        turned_total.fill(0)
        add_up()
        np.copyto(as_rows, of_filters.T)

    return _chosen(dz, _MOST_KEPT_OF_GRADIENT, x, skipping, otherwise)


def _suits(sweep: Sweep, numbers: int, products: int, x: Array) -> bool:
    """Whether loops can skip zeros, sums of so many numbers fill registers, and it is worth looking for them."""
    return (
        sweep.groups == 1 and x.dtype.char in "fd" and numbers % lanes(x.itemsize) == 0 and products >= LEAST_PRODUCTS
    )


def _chosen(factor: Array, most: float, other: Array, skipping: Call, otherwise: Call) -> Call:
    """The way that the numbers of the moment suit."""
    numbers = other.reshape(-1)

    def compute() -> None:
        if zero_window_loops.share_of_nonzeros(factor) <= most and zero_loops.are_finite(numbers):
            skipping()
        else:
            otherwise()

    return compute
