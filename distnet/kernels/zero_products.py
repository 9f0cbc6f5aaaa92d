"""Matrix products that skip the zeros of a factor, where these are many: behind ReLU and dropout three of four numbers.

Which way a product goes is decided by its numbers each time it is taken. A zero times what is not finite is nan: where
the other factor holds such a number, nothing is skipped.
"""

from __future__ import annotations

from functools import cache, partial

import numpy as np

from distnet.kernels import teamwork, zero_loops
from distnet.kernels.readying import Call
from distnet.kernels.vector_code import lanes
from distnet.kernels.zero_code import compiled_sum
from distnet.kernels.zero_loops import DEPTH, SUMS_AT_ONCE
from distnet.types import Array, DType

LEAST_PRODUCTS = 1 << 20
"""Smaller ones take less time than looking for zeros."""

_LEAST_REGISTERS, _MOST_REGISTERS = 4, 8
"""Of a sum: with fewer each would wait for the one before."""

_MOST_KEPT, _MOST_KEPT_OF_TRANSPOSED = 0.35, 0.5
"""Of the numbers of a factor may be others than zero. Where a quarter of them is, on two ranks of a core with AVX-512
each (float32, within a step of 784-512-256-10, 64 and 256 rows a rank), ``a b`` takes 0.94 and 0.73 of the time of
register blocks, ``a^T b`` 0.64 to 0.77 of that of BLAS."""

_LINE_BYTES = 64

NS_PER_BYTE = 0.002
"""Of one number, for each multiply-add of the whole product."""


def skip_zeros(a: Array, b: Array, out: Array, otherwise: Call) -> Call:
    """See ``Tiles.skip_zeros``."""
    if not _suit(a, b, out):
        return otherwise
    is_turned = not a.flags.c_contiguous
    stored = a.T if is_turned else a
    rows = _ready_rows(stored, is_turned, b, out) if _fills_registers(b.shape[1], b.dtype) else None
    columns = None
    if is_turned and _fills_registers(len(a), a.dtype) and b.shape[1] % lanes(b.itemsize) == 0:
        columns = _ready_columns(stored, b, out)
    if rows is None and columns is None:
        return otherwise
    most = _MOST_KEPT_OF_TRANSPOSED if is_turned else _MOST_KEPT
    ways = otherwise, rows or otherwise, columns or otherwise
    flat = stored.reshape(-1), b.reshape(-1)
    limits = [int(most * factor.size) if way else -1 for factor, way in zip(flat, (rows, columns), strict=True)]

    def multiply() -> None:
        ways[zero_loops.way_of(*flat, *limits)]()

    return multiply


def _suit(a: Array, b: Array, out: Array) -> bool:
    """Whether loops can multiply them, and the product is worth looking at its factors."""
    return (
        a.ndim == b.ndim == out.ndim == 2
        and a.dtype == b.dtype == out.dtype
        and out.dtype.char in "fd"
        and a.flags.forc
        and b.flags.c_contiguous
        and out.flags.c_contiguous
        and (len(a), a.shape[1], b.shape[1]) == (len(out), len(b), out.shape[1])
        and a.size * b.shape[1] >= LEAST_PRODUCTS
        and b.size < 1 << 32 > a.size  # the lists hold places in 32 bits
    )


def _fills_registers(count: int, dtype: DType) -> bool:
    """Whether so many numbers fill registers, enough of them."""
    return count % lanes(dtype.itemsize) == 0 and count >= _LEAST_REGISTERS * lanes(dtype.itemsize)


def _ready_rows(stored: Array, is_turned: bool, b: Array, out: Array) -> Call:
    """The product without the zeros of ``a``, which is ``stored`` or its transpose."""

    def part_of(rows: slice, _: int) -> Call:
        count = rows.stop - rows.start
        lists, starts = _lists(count * min(DEPTH, len(b)), b.dtype), np.empty(count + 1, np.intp)
        return partial(
            zero_loops.multiply_rows, stored, is_turned, b, out, rows.start, rows.stop, *lists, starts,
            _turned(b.dtype), register_strips(b.shape[1], b.dtype),
        )  # fmt: skip

    return teamwork.cut(part_of, len(out), stored.size * b.shape[1] * b.itemsize * NS_PER_BYTE, most=1)


def _ready_columns(stored: Array, b: Array, out: Array) -> Call:
    """The product of the transpose of ``stored`` without the zeros of ``b``."""
    (deep, rows), columns, size = stored.shape, b.shape[1], lanes(b.itemsize)
    strips = register_strips(rows, b.dtype)
    widest = int(strips[:, 1].max()) * size

    def part_of(part: slice, _: int) -> Call:
        first, stop = part.start * size, part.stop * size
        starts = np.empty((-(-deep // DEPTH), stop - first + 1), np.intp)
        return partial(
            zero_loops.multiply_columns, stored, b, out, first, stop, *_lists((stop - first) * deep, b.dtype), starts,
            _turned(b.dtype), _from_a_line(SUMS_AT_ONCE * widest, b.dtype), strips,
        )  # fmt: skip

    return teamwork.cut(part_of, columns // size, stored.size * columns * b.itemsize * NS_PER_BYTE, most=1)


def _lists(most: int, dtype: DType) -> tuple[Array, Array]:
    """Memory for numbers and their places; what is appended at once may reach a register beyond."""
    count = most + lanes(dtype.itemsize)
    return _from_a_line(count, dtype), _from_a_line(count, np.dtype(np.uint32))


def _turned(dtype: DType) -> Array:
    return _from_a_line(lanes(dtype.itemsize) * DEPTH, dtype)


def _from_a_line(count: int, dtype: DType) -> Array:
    """Memory that begins where a line of the cache does: a register that lies across two takes two reads."""
    memory = np.empty(count * dtype.itemsize + _LINE_BYTES, np.uint8)
    start = -memory.ctypes.data % _LINE_BYTES
    return memory[start : start + count * dtype.itemsize].view(dtype)


@cache
def register_strips(columns: int, dtype: DType) -> Array:
    """(S, 3): the first column of each strip, its registers, and the address of the code that sums it up."""
    registers = columns // lanes(dtype.itemsize)
    count = -(-registers // _MOST_REGISTERS)
    edges = [registers * i // count for i in range(count + 1)]
    widths = [stop - start for start, stop in zip(edges[:-1], edges[1:], strict=True)]
    codes = [compiled_sum(dtype, width).address for width in widths]
    return np.array(
        [(start * lanes(dtype.itemsize), *rest) for start, *rest in zip(edges, widths, codes, strict=False)], np.int64
    )
