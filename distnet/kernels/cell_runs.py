"""Runs of recurrent cells by compiled loops: weights laid out in register blocks, and memory for a step's products."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from distnet.kernels import cell_loops
from distnet.kernels.base import Memory
from distnet.kernels.vector_code import lanes
from distnet.types import Array, DType

_ROWS, _REGISTERS = 8 if lanes(4) == 16 else 4, 2
"""Of a block: sums, weights and an input fit the 32 registers of AVX-512, or the 16 of other CPUs."""


class CompiledCells:
    """All time steps of a run in one call."""

    def lstm(
        self, z: Array, bias: Array | None, kernel: Array, h: Array, c: Array, squashed: Array, factors: Array | None,
        fed: Array, skipped: Array | None, memory: Memory,
    ) -> None:  # fmt: skip
        w, rest = _laid_out(kernel, z.shape[1], "kernel", memory)
        cell_loops.lstm(
            z, _or_zeros(bias, z), w, h, c, squashed, _or_empty(factors, z), fed, _skipped(skipped), *rest
        )  # fmt: skip

    def lstm_back(
        self, y: Array, dy: Array | None, kernel: Array, c: Array, squashed: Array, factors: Array | None,
        skipped: Array | None, d: list[Array], dz: Array, memory: Memory,
    ) -> None:  # fmt: skip
        w, rest = _laid_out(kernel.T, y.shape[1], "transposed kernel", memory)
        cell_loops.lstm_back(
            y, _or_empty(dy, y, 3), w, c, squashed, _or_empty(factors, y), _skipped(skipped), *d, dz, *rest
        )

    def gru(
        self, z: Array, bias: Array | None, inner_bias: Array | None, kernel: Array, h: Array, inner: Array,
        factors: Array | None, fed: Array, skipped: Array | None, memory: Memory,
    ) -> None:  # fmt: skip
        w, rest = _laid_out(kernel, z.shape[1], "kernel", memory)
        bias, inner_bias = _or_zeros(bias, z), _or_zeros(inner_bias, h)
        cell_loops.gru(
            z, bias, inner_bias, w, h, inner, _or_empty(factors, z), fed, _skipped(skipped), *rest
        )  # fmt: skip

    def gru_back(
        self, y: Array, dy: Array | None, kernel: Array, h: Array, inner: Array, factors: Array | None,
        skipped: Array | None, d: list[Array], dz: Array, dinner: Array, memory: Memory,
    ) -> None:  # fmt: skip
        w, rest = _laid_out(kernel.T, y.shape[1], "transposed kernel", memory)
        cell_loops.gru_back(
            y, _or_empty(dy, y, 3), w, h, inner, _or_empty(factors, y), _skipped(skipped), *d, dz, dinner, *rest
        )

    def simple(
        self, z: Array, bias: Array | None, kernel: Array, h: Array, factors: Array | None, fed: Array,
        skipped: Array | None, memory: Memory,
    ) -> None:  # fmt: skip
        w, rest = _laid_out(kernel, z.shape[1], "kernel", memory)
        cell_loops.simple(z, _or_zeros(bias, z), w, h, _or_empty(factors, z), fed, _skipped(skipped), *rest)

    def simple_back(
        self, y: Array, dy: Array | None, kernel: Array, factors: Array | None, skipped: Array | None, d: list[Array],
        dz: Array, memory: Memory,
    ) -> None:  # fmt: skip
        w, rest = _laid_out(kernel.T, y.shape[1], "transposed kernel", memory)
        cell_loops.simple_back(
            y, _or_empty(dy, y, 3), w, _or_empty(factors, y), _skipped(skipped), *d, dz, *rest
        )  # fmt: skip


def _laid_out(kernel: Array, rows: int, name: str, memory: Memory) -> tuple[Array, list[Any]]:
    """The kernel with columns of zeros up to whole blocks, and what else a loop needs for a product."""
    dtype = kernel.dtype
    size = lanes(dtype.itemsize)
    strip = size * _REGISTERS
    steps, columns = kernel.shape
    width = -(-columns // strip) * strip
    w = memory.workspace(f"{name} in blocks", (steps, width), dtype)
    w[:, :columns] = kernel
    w[:, columns:] = 0
    padded = memory.workspace(f"rows for {name}", (_ROWS, steps), dtype)
    if rows < _ROWS:
        padded.fill(0)
    product = memory.workspace(f"product with {name}", (max(rows, _ROWS), width), dtype)
    return w, [padded, product, _table(), size, *_block(dtype)]


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
