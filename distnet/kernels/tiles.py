"""Convolutions and products in register blocks: which blocks, and the compiled loops over them."""

from __future__ import annotations

from functools import lru_cache, partial

import numpy as np

from distnet.errors import ArgumentError
from distnet.kernels import product_loops, teamwork, tile_loops
from distnet.kernels.base import Memory
from distnet.kernels.blocks import Block, block_for, registers_for
from distnet.kernels.sweeps import Sweep
from distnet.kernels.vector_code import lanes
from distnet.types import Array, DType

Strip = tuple[Array, int]
"""(S, 3) first channel, first output and outputs in the last register; registers in a row."""


class VectorTiles:
    """Register blocks for the CPU at hand."""

    def correlate(self, x: Array, w: Array, sweep: Sweep, out: Array, memory: Memory) -> None:
        _check(sweep, x, out, w)
        if not out.size:
            return
        outputs = out.shape[-1]
        if (w.shape[-1] // sweep.groups) % lanes(w.itemsize):
            w = _with_slack(w, memory)
        strips = [
            (strip, block_for(x.dtype, sweep.least_columns, registers))
            for strip, registers in _strips(sweep.least_columns, outputs, sweep.groups, sweep.channels, x.dtype)
        ]
        lines = max(sweep.lines, 1)
        loop = partial(_correlate, strips, sweep)
        parts = teamwork.parts_of(len(x), out.size * w.shape[0] * w.shape[1] * _nanoseconds(x.dtype))
        teamwork.do([
            partial(loop, x[part], w, out[part], *_scratch(x, sweep, lines, i, memory))
            for i, part in enumerate(parts)
        ])  # fmt: skip

    def correlate_gradient(self, x: Array, dz: Array, sweep: Sweep, total: Array, memory: Memory) -> None:
        _check(sweep, x, dz, total)
        filters, (taps, channels) = dz.shape[-1], total.shape[:2]
        run = int(sweep.counts[0, 3])
        total.fill(0)
        if not dz.size:
            return
        of_lines = total.reshape(taps // run, run * channels, filters)
        cost, size = total.size * dz.size // filters * _nanoseconds(x.dtype), lanes(x.itemsize)
        for strips, registers in _strips(run * channels, filters, sweep.groups, channels, x.dtype):
            block = block_for(x.dtype, run * channels, registers, is_along_rows=True)
            blocks = len(strips) * len(of_lines) * -(-run * channels // block.rows)
            parts = []
            for i, part in enumerate(teamwork.parts_of(blocks, cost, most=1)):
                padded, table = _scratch(x, sweep, dz.shape[2], i, memory)
                copied = _empty(x.dtype, 1)
                if (filters // sweep.groups) % size:
                    copied = memory.workspace(f"gradient of a volume, {i}", (dz[0].size + size,), x.dtype)
                parts.append(partial(
                    tile_loops.correlate_gradient, x, dz, of_lines, sweep.spans, sweep.offsets, sweep.counts,
                    sweep.left, padded, copied, table, strips, *block, part.start, part.stop,
                ))  # fmt: skip
            teamwork.do(parts)

    def multiply(self, a: Array, b: Array, out: Array) -> None:
        _check_product(a, b, out)
        is_transposed, (rows, deep), columns = not b.flags.c_contiguous, a.shape, out.shape[1]
        if not rows * deep * columns:
            out.fill(0)
            return
        a_row, a_step = (deep, 1) if a.flags.c_contiguous else (1, rows)
        flat, stored = (a if a.flags.c_contiguous else a.T), (b.T if is_transposed else b)
        size = lanes(a.itemsize)
        is_copied = columns % size > 0
        cost = rows * deep * columns * _nanoseconds(a.dtype)
        parts = []
        for strips, registers in _strips(rows, columns, 1, 0, a.dtype):
            width, block = registers * size, block_for(a.dtype, rows, registers, a_step > 1)
            for part in teamwork.parts_of(len(strips), cost):
                panel = _empty(a.dtype, 2)
                if is_transposed or is_copied:
                    panel = np.empty((min(deep, product_loops.DEPTH), width), a.dtype)
                parts.append(partial(
                    product_loops.multiply, flat, a_row, a_step, stored, is_transposed, is_copied, out, panel,
                    _origin(), strips[part], width, *block,
                ))  # fmt: skip
        teamwork.do(parts)


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


def _correlate(
    strips: list[tuple[Array, Block]], sweep: Sweep, x: Array, w: Array, out: Array, padded: Array, table: Array
) -> None:
    for strip, block in strips:
        tile_loops.correlate(
            x, w, out, sweep.spans, sweep.offsets, sweep.counts, sweep.left, padded, table, strip, *block
        )


def _nanoseconds(dtype: DType) -> float:
    """About how long one multiply-add takes in a row of registers."""
    return 0.32 / lanes(dtype.itemsize)


def _with_slack(w: Array, memory: Memory) -> Array:
    """The weights with as many columns more as a register holds: the last one is read whole."""
    taps, channels, columns = w.shape
    wide = memory.workspace("weights with slack", (taps, channels, columns + lanes(w.itemsize)), w.dtype)
    wide[..., :columns] = w
    wide[..., columns:] = 0
    return wide
