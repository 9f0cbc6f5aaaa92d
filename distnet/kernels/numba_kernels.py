"""The fast kernels: one compiled pass each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, lru_cache, partial
from typing import Any

import numpy as np

from distnet.addresses import BITS_PER_BLOCK
from distnet.errors import ArgumentError
from distnet.kernels import (
    column_loops,
    crossentropy_loops,
    entry_loops,
    philox,
    row_loops,
    vector_loops,
    window_loops,
)
from distnet.kernels.base import Cells, Draw, Formula, Passed, Tiles, Vectorwise
from distnet.kernels.cell_runs import CompiledCells
from distnet.kernels.column_parts import add_up, moments, normalize_gradient, pass_over
from distnet.kernels.compiling import apart, compiled
from distnet.kernels.late_sum import LateSum
from distnet.kernels.numpy_kernels import NumpyKernels, check_activation, scaled
from distnet.kernels.ready_columns import (
    PASS_NS,
    lowest,
    ready_bias_gradient,
    ready_column_gradient,
    ready_column_map,
    ready_column_moments,
    ready_column_products,
    ready_column_sums,
    ready_relu_products,
)
from distnet.kernels.readying import Call, readied_by
from distnet.kernels.teamwork import do, is_one, parts_of, share, sharing
from distnet.kernels.tiles import VectorTiles
from distnet.kernels.update_loops import update_by_sum_loop, update_loop
from distnet.kernels.windows import Windows
from distnet.types import Array

_LOW_WORD = (1 << 64) - 1

_SOFTMAX_NS, _RANDOM_WORD_NS = 0.3, 1.2
"""As ``PASS_NS``: for each byte, or each word."""


def _ready_bias_activation(
    _: NumbaKernels, z: Array, bias: Array | None, activation: str, out: Array | None = None
) -> Call | None:
    """The loop alone, where there is one."""
    if bias is None or not bias.size or not z.flags.c_contiguous or (out is not None and not out.flags.c_contiguous):
        return None
    check_activation(activation)
    loop = entry_loops.bias_relu if activation == "relu" else entry_loops.bias
    rows = (-1, bias.size)
    y = (z if out is None else out).reshape(rows)
    return sharing(loop, z.nbytes * PASS_NS, (0, 2), z.reshape(rows), bias, y)


def _ready_softmax(_: NumbaKernels, x: Array, out: Array) -> Call | None:
    """The loop alone."""
    return sharing(vector_loops.softmax, x.nbytes * _SOFTMAX_NS, (0, 1), x, apart(out, x)) if x.shape[1] else None


class NumbaKernels:
    """Kernels compiled by numba, once per machine."""

    name = "numba"
    cells: Cells | None = CompiledCells()
    tiles: Tiles | None = VectorTiles()

    def update(
        self, formula: Formula, w: Array, g: Array, slots: Sequence[Array], scalars: Sequence[float] = ()
    ) -> None:
        self.ready_update(formula, w, g, slots, len(scalars))(scalars)

    def ready_update(
        self, formula: Formula, w: Array, g: Array, slots: Sequence[Array], count: int
    ) -> Callable[[Sequence[float]], object]:
        numbers, nanoseconds = np.empty(count, w.dtype), w.nbytes * (1 + len(slots)) * PASS_NS
        loop = update_loop(formula, len(slots), count)
        run = sharing(loop, nanoseconds, range(2 + len(slots)), w, g, *slots, numbers)

        def update(scalars: Sequence[float]) -> None:
            for place, scalar in enumerate(scalars):
                numbers[place] = scalar
            run()

        return update

    def vectorwise(self, function: Vectorwise) -> Vectorwise:
        return _vectorwise(function)

    def update_by_sum(
        self, formula: Formula, w: Array, g: LateSum, slots: Sequence[Array], scalars: Sequence[float] = ()
    ) -> None:
        loop, numbers = update_by_sum_loop(formula, len(slots), len(scalars)), np.array(scalars, w.dtype)
        if is_one():
            loop(w, g.memory, g.starts, *slots, numbers)
            return
        do([
            partial(loop, w[part], g.memory, g.starts + part.start, *[slot[part] for slot in slots], numbers)
            for part in parts_of(w.size, w.nbytes * (1 + len(slots) + len(g.starts)) * PASS_NS)
        ])  # fmt: skip

    @readied_by(_ready_bias_activation)
    def bias_activation(self, z: Array, bias: Array | None, activation: str, out: Array | None = None) -> Array:
        check_activation(activation)
        out = z if out is None else out
        if bias is None:
            if activation == "relu":
                share(entry_loops.relu, z.nbytes * PASS_NS, (0, 1), _flat(z), _flat(out))
            elif out is not z:
                np.copyto(out, z)
        elif bias.size:
            loop = entry_loops.bias_relu if activation == "relu" else entry_loops.bias
            rows, y = _flat(z).reshape(-1, bias.size), _flat(out).reshape(-1, bias.size)
            share(loop, z.nbytes * PASS_NS, (0, 2), rows, bias, y)
        return out

    def activation_gradient(self, dy: Array, y: Array, activation: str, out: Array) -> Array:
        check_activation(activation)
        if activation == "relu":
            slopes = _flat(dy)
            share(entry_loops.relu_gradient, y.nbytes * PASS_NS, (0, 1, 2), slopes, _flat(y), apart(_flat(out), slopes))
        elif out is not dy:
            np.copyto(out, dy)
        return out

    @readied_by(ready_bias_gradient)
    def bias_gradient(self, dy: Array, y: Array, activation: str, out: Array, scale: float = 1.0) -> Array:
        if activation != "relu":
            dz = self.activation_gradient(dy, y, activation, out)
            return self.column_sums(scaled(dz, scale)[np.newaxis]).reshape(-1)
        total = np.zeros((1, dy.shape[1]))
        rows = dy[np.newaxis], y[np.newaxis], dy.dtype.type(scale), apart(out[np.newaxis], dy)
        add_up(column_loops.bias_gradient, dy.nbytes * PASS_NS, (total,), *rows)
        return total.reshape(-1)

    def dropout(self, x: Array, bits: Array, threshold: int, scale: float, out: Array) -> Array:
        # Padded rows of bits are copied first: over strided rows the loop stays scalar, 10 times slower.
        options = np.uint64(threshold), x.dtype.type(scale), apart(out, x)
        share(entry_loops.dropout, x.nbytes * PASS_NS, (0, 1, 4), x, np.ascontiguousarray(bits), *options)
        return out

    def relu_dropout(self, z: Array, bias: Array | None, draw: Draw, threshold: int, scale: float) -> None:
        self.ready_relu_dropout(z, bias, draw.key, threshold, scale)(draw.step, draw.first_row)

    def ready_relu_dropout(
        self, z: Array, bias: Array | None, key: int, threshold: int, scale: float
    ) -> Callable[[int, int], object]:
        if not z.size or not threshold:
            return lambda step, first_row: z.fill(0)
        blocks, keys = -(-z.shape[1] // BITS_PER_BLOCK), _key_words(key)
        shift = np.zeros(z.shape[1], z.dtype) if bias is None else bias
        limit, factor = np.uint32(threshold - 1), z.dtype.type(scale)
        nanoseconds = len(z) * blocks * 4 * _RANDOM_WORD_NS + z.nbytes * PASS_NS
        loop = entry_loops.relu_dropout

        def dropped(step: int, first_row: int) -> None:
            if is_one():
                loop(z, first_row * blocks, shift, keys, step, limit, factor)
                return
            do([
                partial(loop, z[rows], (first_row + rows.start) * blocks, shift, keys, step, limit, factor)
                for rows in parts_of(len(z), nanoseconds)
            ])  # fmt: skip

        return dropped

    def add_rows(self, out: Array, rows: Array, values: Array) -> None:
        _add_rows(out, rows, np.ascontiguousarray(values))

    def softmax_crossentropy(self, z: Array, t: Array, values: Array, slopes: Array, factor: Any = 1.0) -> None:
        if 0 < z.shape[1] <= crossentropy_loops.MOST_CLASSES:
            crossentropy_loops.softmax_crossentropy(z, t, values, slopes, slopes.dtype.type(factor))
        else:  # NumPy's exp is made of vectors
            NumpyKernels().softmax_crossentropy(z, t, values, slopes, factor)

    def equal_peaks(self, a: Array, b: Array) -> int:
        return int(crossentropy_loops.equal_peaks(a, b))

    def random_bits(self, key: int, step: int, first_row: int, out: Array) -> Array:
        rows, width = out.shape
        blocks = -(-width // BITS_PER_BLOCK)
        is_whole = width == blocks * BITS_PER_BLOCK
        # New memory of this size would take the system longer to give than the words take to compute.
        words = out.view(np.uint64).reshape(-1) if is_whole else np.empty(rows * blocks * 4, np.uint64)
        keys, first = _key_words(key), first_row * blocks
        do([
            partial(philox.random_words, keys, first + part.start, step, words[4 * part.start : 4 * part.stop])
            for part in parts_of(rows * blocks, words.size * _RANDOM_WORD_NS)
        ])  # fmt: skip
        if not is_whole:
            out[...] = words.view(np.uint32).reshape(rows, blocks * BITS_PER_BLOCK)[:, :width]
        return out

    @readied_by(_ready_softmax)
    def softmax(self, x: Array, out: Array) -> None:
        if x.shape[1]:
            share(vector_loops.softmax, x.nbytes * _SOFTMAX_NS, (0, 1), x, apart(out, x))

    def softmax_gradient(self, dy: Array, y: Array, out: Array) -> None:
        share(vector_loops.softmax_gradient, y.nbytes * PASS_NS, (0, 1, 2), dy, y, apart(out, dy))

    def normalize_rows(
        self, x: Array, gamma: Array | None, beta: Array | None, epsilon: float, is_centered: bool, out: Array
    ) -> tuple[Array, Array]:
        mean, inverse = np.empty((2, len(x), 1), x.dtype)
        scale, shift = _or_full(gamma, x, 1), _or_full(beta, x, 0)
        options = scale, shift, x.dtype.type(epsilon), is_centered, out, mean, inverse
        share(vector_loops.normalize, x.nbytes * 2 * PASS_NS, (0, 5, 6, 7), x, *options)
        return mean, inverse

    def normalize_rows_gradient(
        self, dy: Array, x: Array, statistics: tuple[Array, Array], gamma: Array | None, is_centered: bool, out: Array
    ) -> tuple[Array, Array]:
        totals = np.zeros((2, x.shape[1]))
        scale, dx = _or_full(gamma, x, 1), apart(out, dy)
        normalize_gradient(x.nbytes * 2 * PASS_NS, totals, dy, x, *statistics, scale, is_centered, dx)
        of_gamma, of_beta = totals
        return of_gamma, of_beta

    @readied_by(ready_column_sums)
    def column_sums(self, x: Array) -> Array:
        total = np.zeros((x.shape[0], x.shape[2]))
        add_up(column_loops.column_sums, x.nbytes * PASS_NS, (total,), x)
        return total

    @readied_by(ready_column_moments)
    def column_moments(self, x: Array) -> tuple[Array, Array]:
        mean, squares = np.zeros((2, x.shape[0], x.shape[2]))
        moments(x.nbytes * 2 * PASS_NS, x, mean, squares)
        return mean, squares

    @readied_by(ready_column_map)
    def column_map(
        self,
        x: Array,
        mean: Array,
        scale: Array,
        shift: Array,
        out: Array,
        activation: str = "linear",
        other: Array | None = None,
    ) -> None:
        check_activation(activation)
        vectors, least = _doubles(mean, scale, shift), lowest(x, activation)
        pass_over(column_loops.column_map, x.nbytes * PASS_NS, x, *vectors, other, least, out)

    @readied_by(ready_column_products)
    def column_products(self, dy: Array, x: Array, mean: Array, passed: Passed | None = None) -> tuple[Array, Array]:
        plain, weighted = np.zeros((2, x.shape[0], x.shape[2]))
        loop = column_loops.column_products if passed is None else column_loops.passed_products
        add_up(loop, x.nbytes * PASS_NS, (plain, weighted), dy, x, *_doubles(mean, *(passed or ())))
        return plain, weighted

    @readied_by(ready_relu_products)
    def relu_products(self, dy: Array, y: Array, x: Array, mean: Array, dz: Array) -> tuple[Array, Array]:
        plain, weighted = np.zeros((2, x.shape[0], x.shape[2]))
        rows = dy, y, x, *_doubles(mean), dz
        add_up(column_loops.relu_products, x.nbytes * 2 * PASS_NS, (plain, weighted), *rows)
        return plain, weighted

    @readied_by(ready_column_gradient)
    def column_gradient(
        self, dy: Array, x: Array, mean: Array, scale: Array, slope: Array, shift: Array, out: Array,
        limit: Array | None = None,
    ) -> None:  # fmt: skip
        loop = column_loops.column_gradient if limit is None else column_loops.passed_gradient
        vectors = _doubles(mean, scale, slope, shift, *([] if limit is None else [limit]))
        pass_over(loop, x.nbytes * PASS_NS, dy, x, *vectors, apart(out, dy))

    def im2col(self, x: Array, windows: Windows, first: int, channel: int, patches: Array) -> None:
        do([
            partial(_im2col, x, windows, first + part.start, channel, patches[part])
            for part in parts_of(len(patches), patches.nbytes * PASS_NS, most=1)
        ])  # fmt: skip

    def col2im(self, patches: Array, windows: Windows, first: int, channel: int, out: Array) -> None:
        _col2im(patches, windows, first, channel, out)

    def max_pool(
        self, x: Array, windows: Windows, out: Array, winners: Array, bias: Array | None = None,
        activation: str = "linear",
    ) -> None:  # fmt: skip
        check_activation(activation)
        options = bias, x.dtype.type(0 if activation == "relu" else -np.inf)
        share(_max_pool, x.nbytes * 4 * PASS_NS, (0, 2, 3), x, windows, out, winners, *options)

    def max_pool_gradient(self, dy: Array, winners: Array, windows: Windows, out: Array) -> None:
        share(_unpool, (dy.nbytes + out.nbytes) * PASS_NS, (0, 1, 3), dy, winners, windows, out)


@lru_cache
def _key_words(key: int) -> Array:
    return np.array([key & _LOW_WORD, key >> 64], np.uint64)


@cache
def _vectorwise(function: Vectorwise) -> Vectorwise:
    return compiled(function)


def _unpool(dy: Array, winners: Array, windows: Windows, out: Array) -> None:
    if not windows.are_apart:
        out.fill(0)
    _max_pool_gradient(dy, winners, windows, windows.are_apart, out)


def _doubles(*vectors: Array) -> list[Array]:
    """The vectors in double precision, contiguous: for others, loops would be compiled again."""
    return [np.ascontiguousarray(vector, np.float64) for vector in vectors]


def _or_full(vector: Array | None, rows: Array, value: float) -> Array:
    """The vector, or one of equal values."""
    return np.full(rows.shape[1], value, rows.dtype) if vector is None else np.ascontiguousarray(vector, rows.dtype)


def _flat(a: Array) -> Array:
    if not a.flags.c_contiguous:
        raise ArgumentError(f"kernels: expected a C-contiguous array, received strides {a.strides} of shape {a.shape}.")
    return a.reshape(-1)


_add_rows = compiled(row_loops.add_rows)
_im2col = compiled(window_loops.im2col)
_col2im = compiled(window_loops.col2im)
_max_pool = compiled(window_loops.max_pool)
_max_pool_gradient = compiled(window_loops.max_pool_gradient)
