"""Convolutions and products in register blocks: which blocks, and the compiled loops over them."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import NamedTuple

import numpy as np

from distnet.errors import ArgumentError
from distnet.kernels import product_loops, teamwork, tile_loops, zero_convolutions, zero_products
from distnet.kernels.base import Memory
from distnet.kernels.blocks import Block, block_for, block_of_entries, registers_for
from distnet.kernels.readying import Call, one_by_one
from distnet.kernels.sweeps import Sweep
from distnet.kernels.vector_code import REGISTERS, lanes
from distnet.types import Array, DType

Strip = tuple[Array, int]
"""(S, 3) first channel, first output and outputs in the last register; registers in a row."""


_FEW_ROWS = 8
"""Fewer need more registers each, or every sum waits for the one before."""


class VectorTiles:
    """Register blocks for the CPU at hand."""

    def correlate(self, x: Array, w: Array, sweep: Sweep, out: Array, memory: Memory) -> Call:
        _check(sweep, x, out, w)
        if not out.size:
            return _do_nothing
        outputs, given, before = out.shape[-1], w, []
        cost = out.size * w.shape[0] * w.shape[1] * _nanoseconds(x.dtype)
        if not _is_entrywise(sweep, outputs) and (w.shape[-1] // sweep.groups) % lanes(w.itemsize):
            wide = _with_slack(w, memory)
            before, w = [partial(np.copyto, wide[..., : w.shape[-1]], w)], wide
        strips = _blocks(sweep, outputs, x.dtype)

        def part_of(volumes: slice, number: int) -> Call:
            scratch = _scratch(x, sweep, max(sweep.lines, 1), number, memory)
            tables = sweep.spans, sweep.offsets, sweep.counts, sweep.left
            arrays = x[volumes], w, out[volumes], *tables, *scratch
            return one_by_one([partial(tile_loops.correlate, *arrays, strip, *block) for strip, block in strips])

        dense = one_by_one([*before, teamwork.cut(part_of, len(x), cost)])
        return zero_convolutions.correlate(x, given, sweep, out, dense)

    def correlate_gradient(self, x: Array, dz: Array, sweep: Sweep, total: Array, memory: Memory) -> Call:
        _check(sweep, x, dz, total)
        filters, (taps, channels) = dz.shape[-1], total.shape[:2]
        reading = _reading(sweep, filters)
        calls: list[Call] = [partial(total.fill, 0)]
        if not dz.size:
            return calls[0]
        of_lines = total.reshape(taps // reading.run, reading.run * channels, filters)
        cost, size = total.size * dz.size // filters * _nanoseconds(x.dtype), lanes(x.itemsize)
        for strips, block in _gradient_blocks(sweep, filters, x.dtype):
            blocks = len(strips) * len(of_lines) * -(-of_lines.shape[1] // block.rows)

            def part_of(part: slice, number: int, strips: Array = strips, block: Block = block) -> Call:
                padded, table = _scratch(x, sweep, dz.shape[2], number, memory)
                copied = _empty(x.dtype, 1)
                if not reading.is_entrywise and (filters // sweep.groups) % size:
                    copied = memory.workspace(f"gradient of a volume, {number}", (dz[0].size + size,), x.dtype)
                return partial(
                    tile_loops.correlate_gradient, x, dz, of_lines, sweep.spans, sweep.offsets, reading.counts,
                    sweep.left, padded, copied, table, strips, *block, reading.row_step, part.start, part.stop,
                )  # fmt: skip

            calls.append(teamwork.cut(part_of, blocks, cost, most=1))
        return zero_convolutions.correlate_gradient(x, dz, sweep, total, memory, one_by_one(calls))

    def transpose_taps(self, kernel: Array, taps: Array, groups: int, w: Array) -> Call:
        expected = len(taps), kernel.shape[2] // groups, kernel.shape[1] * groups
        if w.shape != expected or w.dtype != kernel.dtype or not (kernel.flags.c_contiguous and w.flags.c_contiguous):
            raise ArgumentError(
                f"kernels: expected contiguous weights of shape {expected} and dtype {kernel.dtype}, received "
                f"{w.dtype} {w.shape} with strides {w.strides}."
            )
        return partial(product_loops.transpose_taps, kernel, taps, groups, w)

    def multiply(self, a: Array, b: Array, out: Array) -> Call:
        _check_product(a, b, out)
        is_transposed, (rows, deep), columns = not b.flags.c_contiguous, a.shape, out.shape[1]
        if not rows * deep * columns:
            return partial(out.fill, 0)
        a_row, a_step = (deep, 1) if a.flags.c_contiguous else (1, rows)
        flat, stored = (a if a.flags.c_contiguous else a.T), (b.T if is_transposed else b)
        size, cost = lanes(a.itemsize), rows * deep * columns * _nanoseconds(a.dtype)
        is_copied, calls = columns % size > 0, []
        for strips, registers in _strips(rows, columns, 1, 0, a.dtype):
            width, block = registers * size, block_for(a.dtype, rows, registers, a_step > 1)

            def part_of(part: slice, _: int, strips: Array = strips, width: int = width, block: Block = block) -> Call:
                panel = _empty(a.dtype, 2)
                if is_transposed or is_copied:
                    panel = np.empty((min(deep, product_loops.DEPTH), width), a.dtype)
                return partial(
                    product_loops.multiply, flat, a_row, a_step, stored, is_transposed, is_copied, out, panel,
                    _origin(), strips[part], width, *block,
                )  # fmt: skip

            calls.append(teamwork.cut(part_of, len(strips), cost))
        return one_by_one(calls)

    def skip_zeros(self, a: Array, b: Array, out: Array, otherwise: Call) -> Call:
        return zero_products.skip_zeros(a, b, out, otherwise)


def _do_nothing() -> None:
    """There is nothing to write."""


def _check_product(a: Array, b: Array, out: Array) -> None:
    """Fail if the arrays make no product."""
    (rows, deep), (height, columns) = a.shape, b.shape
    are_alike = a.dtype == b.dtype == out.dtype and a.flags.forc and b.flags.forc and out.flags.c_contiguous
    if not are_alike or deep != height or out.shape != (rows, columns):
        raise ArgumentError(
            "kernels: expected contiguous arrays (M, K), (K, N) and (M, N) of one dtype, received "
            f"{', '.join(f'{x.dtype} {x.shape} with strides {x.strides}' for x in (a, b, out))}."
        )


def _check(sweep: Sweep, x: Array, y: Array, w: Array) -> None:
    """Fail if the arrays are not those of the sweep: compiled loops do not look where they write."""
    are_alike = x.dtype == y.dtype == w.dtype and all(a.flags.c_contiguous for a in (x, y, w))
    channels, outputs = sweep.groups * sweep.channels, y.shape[-1]
    expected = (
        (len(y), *sweep.extents, channels), (len(x), *sweep.shape, outputs), (len(sweep.taps), sweep.channels, outputs),
    )  # fmt: skip
    if not are_alike or (x.shape, y.shape, w.shape) != expected:
        raise ArgumentError(
            f"kernels: expected contiguous arrays of one dtype and of shapes {expected}, received "
            f"{', '.join(f'{a.dtype} {a.shape} with strides {a.strides}' for a in (x, y, w))}."
        )


@lru_cache(256)
def _strips(rows: int, outputs: int, groups: int, channels: int, dtype: DType) -> list[Strip]:
    """The outputs in strips of few registers, those of one width together, for blocks of so many rows or less."""
    size, of_group = lanes(dtype.itemsize), outputs // groups
    registers = -(-of_group // size)
    wide = registers_for(rows, registers)
    by_width: dict[int, list[tuple[int, int, int]]] = {}
    for group in range(groups):
        for first in range(0, registers, wide):
            used = min(wide, registers - first)
            tail = min(of_group - (first + used - 1) * size, size)
            by_width.setdefault(used, []).append((group * channels, group * of_group + first * size, tail))
    return [(np.array(strips, np.int64), used) for used, strips in by_width.items()]


class _GradientReading(NamedTuple):
    """How the gradient of weights reads x.

    Args:
        counts: like the sweep's.
        run: taps of a line.
        row_step: numbers from one step of a line to the next.
        is_entrywise: whether each channel has weights of its own.
    """

    counts: Array
    run: int
    row_step: int
    is_entrywise: bool


def _is_entrywise(sweep: Sweep, outputs: int) -> bool:
    return sweep.channels == 1 and sweep.groups == outputs > 1


@lru_cache(256)
def _reading(sweep: Sweep, filters: int) -> _GradientReading:
    counts, offsets = sweep.counts, sweep.offsets[0, 2]
    if not _is_entrywise(sweep, filters):
        return _GradientReading(counts, int(counts[0, 3]), 1, False)
    run = int(counts[0, 2])  # the columns of a kernel's row make a line
    dilation = int(offsets[1] - offsets[0]) if run > 1 else 1
    return _GradientReading(np.array([[*counts[0, :2], 1, run]], np.int64), run, dilation * filters, True)


@lru_cache(256)
def _blocks(sweep: Sweep, outputs: int, dtype: DType) -> list[tuple[Array, Block]]:
    """Strips of the outputs, and the blocks that compute them."""
    rows = sweep.least_columns
    if _is_entrywise(sweep, outputs):
        return _entry_blocks(rows, outputs, dtype)
    strips = _strips(rows, outputs, sweep.groups, sweep.channels, dtype)
    return [(strip, block_for(dtype, rows, registers)) for strip, registers in strips]


@lru_cache(256)
def _gradient_blocks(sweep: Sweep, filters: int, dtype: DType) -> list[tuple[Array, Block]]:
    """The same of the weights."""
    rows = _reading(sweep, filters).run * sweep.channels
    if _is_entrywise(sweep, filters):
        return _entry_blocks(rows, filters, dtype)
    strips = _strips(rows, filters, sweep.groups, sweep.channels, dtype)
    return [(strip, block_for(dtype, rows, registers, is_along_rows=True)) for strip, registers in strips]


def _entry_blocks(rows: int, channels: int, dtype: DType) -> list[tuple[Array, Block]]:
    """Strips of channels that are multiplied entry by entry; those of one kind together."""
    size, by_kind = lanes(dtype.itemsize), dict[tuple[int, bool], list[tuple[int, int, int]]]()
    wide = 4 if rows < _FEW_ROWS and REGISTERS.registers == 32 else 2
    for first in range(0, channels, wide * size):
        registers = min(wide, -(-(channels - first) // size))
        tail = min(channels - first - (registers - 1) * size, size)
        by_kind.setdefault((registers, tail < size), []).append((first, first, tail))
    return [(np.array(strips, np.int64), block_of_entries(dtype, rows, *kind)) for kind, strips in by_kind.items()]


@lru_cache(1)
def _origin() -> Array:
    """A table of one line, which begins where the arrays do."""
    return np.zeros((1, 2), np.int64)


@lru_cache(16)
def _empty(dtype: DType, axes: int) -> Array:
    return np.empty((0,) * axes, dtype)


def _scratch(x: Array, sweep: Sweep, lines: int, part: int, memory: Memory) -> tuple[Array, Array]:
    """Memory for a volume with zeros around it, and for a table of so many lines: each part of the work has its own."""
    table = memory.workspace(f"lines, {part}", (lines, 2), np.dtype(np.int64))
    if not sweep.is_padded:
        return _empty(x.dtype, 4), table
    depth, height, _ = sweep.extents
    shape = (depth, height, sweep.width, x.shape[-1])
    return memory.workspace(f"padded volume, {part}", shape, x.dtype), table


def _nanoseconds(dtype: DType) -> float:
    """About how long one multiply-add takes in a row of registers."""
    return 0.32 / lanes(dtype.itemsize)


def _with_slack(w: Array, memory: Memory) -> Array:
    """Memory for the weights with as many columns of zeros more as a register holds: the last one is read whole."""
    taps, channels, columns = w.shape
    wide = memory.workspace("weights with slack", (taps, channels, columns + lanes(w.itemsize)), w.dtype)
    wide[..., columns:] = 0
    return wide
