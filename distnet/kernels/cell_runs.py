"""Runs of recurrent cells by compiled loops: weights laid out in register blocks, and memory for a step's products."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Any

import numpy as np

from distnet.kernels import cell_loops, teamwork
from distnet.kernels.base import Memory
from distnet.kernels.compiling import Loop
from distnet.kernels.vector_code import lanes
from distnet.types import Array, DType

_ROWS, _REGISTERS = 8 if lanes(4) == 16 else 4, 2
"""Of a block: sums, weights and an input fit the 32 registers of AVX-512, or the 16 of other CPUs."""

_NS_PER_BYTE = 0.01
"""Of a kernel, for each row and step: a product, and what becomes of it."""


class CompiledCells:
    """All time steps of a run in one call."""

    def lstm(
        self, z: Array, bias: Array | None, kernel: Array, h: Array, c: Array, squashed: Array, factors: Array | None,
        fed: Array, skipped: Array | None, memory: Memory,
    ) -> None:  # fmt: skip
        w, rest = _laid_out(kernel, z.shape, "kernel", memory)
        _run(
            cell_loops.lstm, rest, z, _or_zeros(bias, z), w, h, c, squashed, _or_empty(factors, z),
            fed, _skipped(skipped),
        )  # fmt: skip

    def lstm_back(
        self, y: Array, dy: Array | None, kernel: Array, c: Array, squashed: Array, factors: Array | None,
        skipped: Array | None, d: list[Array], dz: Array, memory: Memory,
    ) -> None:  # fmt: skip
        w, rest = _laid_out(kernel.T, y.shape, "transposed kernel", memory)
        _run(
            cell_loops.lstm_back, rest, y, _or_empty(dy, y, 3), w, c, squashed, _or_empty(factors, y),
            _skipped(skipped), *d, dz,
        )  # fmt: skip

    def gru(
        self, z: Array, bias: Array | None, inner_bias: Array | None, kernel: Array, h: Array, inner: Array,
        factors: Array | None, fed: Array, skipped: Array | None, memory: Memory,
    ) -> None:  # fmt: skip
        w, rest = _laid_out(kernel, z.shape, "kernel", memory)
        bias, inner_bias = _or_zeros(bias, z), _or_zeros(inner_bias, h)
        _run(cell_loops.gru, rest, z, bias, inner_bias, w, h, inner, _or_empty(factors, z), fed, _skipped(skipped))

    def gru_back(
        self, y: Array, dy: Array | None, kernel: Array, h: Array, inner: Array, factors: Array | None,
        skipped: Array | None, d: list[Array], dz: Array, dinner: Array, memory: Memory,
    ) -> None:  # fmt: skip
        w, rest = _laid_out(kernel.T, y.shape, "transposed kernel", memory)
        _run(
            cell_loops.gru_back, rest, y, _or_empty(dy, y, 3), w, h, inner, _or_empty(factors, y),
            _skipped(skipped), *d, dz, dinner,
        )  # fmt: skip

    def simple(
        self, z: Array, bias: Array | None, kernel: Array, h: Array, factors: Array | None, fed: Array,
        skipped: Array | None, memory: Memory,
    ) -> None:  # fmt: skip
        w, rest = _laid_out(kernel, z.shape, "kernel", memory)
        _run(cell_loops.simple, rest, z, _or_zeros(bias, z), w, h, _or_empty(factors, z), fed, _skipped(skipped))

    def simple_back(
        self, y: Array, dy: Array | None, kernel: Array, factors: Array | None, skipped: Array | None, d: list[Array],
        dz: Array, memory: Memory,
    ) -> None:  # fmt: skip
        w, rest = _laid_out(kernel.T, y.shape, "transposed kernel", memory)
        _run(cell_loops.simple_back, rest, y, _or_empty(dy, y, 3), w, _or_empty(factors, y), _skipped(skipped), *d, dz)


def _laid_out(kernel: Array, shape: tuple[int, ...], name: str, memory: Memory) -> tuple[Array, list[list[Any]]]:
    """The kernel with columns of zeros up to whole blocks, and what else a loop needs, for each part of the rows.

    Args:
        shape: (T, N, ...), of the run.
    """
    dtype, (count, rows) = kernel.dtype, shape[:2]
    size = lanes(dtype.itemsize)
    strip = size * _REGISTERS
    steps, columns = kernel.shape
    width = -(-columns // strip) * strip
    w = memory.workspace(f"{name} in blocks", (steps, width), dtype)
    w[:, :columns] = kernel
    w[:, columns:] = 0
    rest = []
    parts = teamwork.parts_of(rows, count * rows * kernel.nbytes * _NS_PER_BYTE, _ROWS, most=1)
    for i, part in enumerate(parts):
        many = part.stop - part.start
        padded = memory.workspace(f"rows for {name}, {i}", (_ROWS, steps), dtype)
        if many < _ROWS:
            padded.fill(0)
        product = memory.workspace(f"product with {name}, {i}", (max(many, _ROWS), width), dtype)
        rest.append([padded, product, _table(), size, *_block(dtype), part.start, part.stop])
    return w, rest


def _run(loop: Loop, rest: list[list[Any]], *args: Any) -> None:
    """All parts of the rows."""
    teamwork.do([partial(loop, *args, *own) for own in rest])


@lru_cache(8)
def _block(dtype: DType) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """As many numbers as a block has rows, and as it has registers in a row: code is chosen by their types."""
    number = dtype.type(0)
    return (number,) * _ROWS, (number,) * _REGISTERS


@lru_cache(1)
def _table() -> Array:
    return np.zeros((1, 2), np.int64)


def _or_zeros(bias: Array | None, like: Array) -> Array:
    return np.zeros(like.shape[2], like.dtype) if bias is None else np.ascontiguousarray(bias)


def _or_empty(array: Array | None, like: Array, ndim: int = 2) -> Array:
    return np.empty((0,) * ndim, like.dtype) if array is None else np.ascontiguousarray(array)


def _skipped(skipped: Array | None) -> Array:
    return np.empty((0, 0, 0), bool) if skipped is None else skipped
