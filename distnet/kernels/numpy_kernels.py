"""The reference kernels: NumPy alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from typing import Any

import numpy as np

from distnet import addresses
from distnet.errors import ArgumentError
from distnet.kernels import vectors
from distnet.kernels.base import FUSED_ACTIVATIONS, Cells, Draw, Formula, Passed, Tiles, Vectorwise
from distnet.kernels.columns import Columns
from distnet.kernels.late_sum import LateSum
from distnet.kernels.windows import Windows
from distnet.types import Array

_FEW = 4
"""Occurrences of a row that are added in passes over all rows."""

_CHUNK_BYTES = 1 << 18
"""A formula's temporaries stay in the L2 cache, and are just large enough for NumPy to reuse them in place."""


class NumpyKernels:
    """Kernels in NumPy: several passes, over pieces that fit the cache."""

    name = "numpy"
    cells: Cells | None = None
    tiles: Tiles | None = None

    def update(
        self, formula: Formula, w: Array, g: Array, slots: Sequence[Array], scalars: Sequence[float] = ()
    ) -> None:
        numbers = [w.dtype.type(scalar) for scalar in scalars]
        chunk = _CHUNK_BYTES // w.itemsize
        # Diverging weights silently become inf or NaN, as in every kernel set: callbacks look at the loss.
        with np.errstate(all="ignore"):
            for start in range(0, w.size, chunk):
                part = slice(start, start + chunk)
                results = formula(w[part], g[part], *(slot[part] for slot in slots), *numbers)
                for target, result in zip((w, *slots), results, strict=True):
                    target[part] = result

    def ready_update(
        self, formula: Formula, w: Array, g: Array, slots: Sequence[Array], count: int
    ) -> Callable[[Sequence[float]], object]:
        return partial(self.update, formula, w, g, slots)

    def vectorwise(self, function: Vectorwise) -> Vectorwise:
        return _silent(function)

    def update_by_sum(
        self, formula: Formula, w: Array, g: LateSum, slots: Sequence[Array], scalars: Sequence[float] = ()
    ) -> None:
        self.update(formula, w, g.total(), slots, scalars)

    def bias_activation(self, z: Array, bias: Array | None, activation: str, out: Array | None = None) -> Array:
        check_activation(activation)
        out = z if out is None else out
        if bias is not None:
            np.add(z, bias, out=out)
        elif out is not z:
            np.copyto(out, z)
        if activation == "relu":
            np.maximum(out, 0, out=out)
        return out

    def activation_gradient(self, dy: Array, y: Array, activation: str, out: Array) -> Array:
        check_activation(activation)
        if out is not dy:
            np.copyto(out, dy)
        if activation == "relu":
            _zero_unless(y > 0, out)
        return out

    def bias_gradient(self, dy: Array, y: Array, activation: str, out: Array, scale: float = 1.0) -> Array:
        dz = self.activation_gradient(dy, y, activation, out)
        return self.column_sums(scaled(dz, scale)[np.newaxis]).reshape(-1)

    def dropout(self, x: Array, bits: Array, threshold: int, scale: float, out: Array) -> Array:
        np.multiply(x, x.dtype.type(scale), out=out)
        # NumPy 2.1 dies of comparing strided numbers with 2**32, which is none of theirs.
        kept = bits <= np.uint32(threshold - 1) if threshold else np.zeros(bits.shape, bool)
        _zero_unless(kept, out)
        return out

    def relu_dropout(self, z: Array, bias: Array | None, draw: Draw, threshold: int, scale: float) -> None:
        bits = self.random_bits(draw.key, draw.step, draw.first_row, np.empty(z.shape, np.uint32))
        shape = z.shape if bias is None else (z.size // max(bias.size, 1), bias.size)
        self.bias_activation(z.reshape(shape), bias, "relu")
        self.dropout(z, bits, threshold, scale, z)

    def ready_relu_dropout(
        self, z: Array, bias: Array | None, key: int, threshold: int, scale: float
    ) -> Callable[[int, int], object]:
        return lambda step, first_row: self.relu_dropout(z, bias, Draw(key, step, first_row), threshold, scale)

    def add_rows(self, out: Array, rows: Array, values: Array) -> None:
        order = np.argsort(rows, kind="stable")
        ordered = rows[order]
        starts = np.flatnonzero(np.diff(ordered, prepend=-1))
        counts = np.diff(starts, append=len(rows))
        # The first occurrences of all rows, then the second ones ...: reduceat would cost a microsecond for each row.
        for occurrence in range(_FEW):
            again = counts > occurrence
            at = starts[again] + occurrence
            out[ordered[at]] += values[order[at]]
        many = counts > _FEW
        if many.any():
            is_left = np.arange(len(rows)) - np.repeat(starts, counts) >= _FEW
            ends = np.cumsum(counts[many] - _FEW)
            out[ordered[starts[many]]] += np.add.reduceat(values[order[is_left]], ends - counts[many] + _FEW)

    def softmax_crossentropy(self, z: Array, t: Array, values: Array, slopes: Array, factor: Any = 1.0) -> None:
        log_q = z - z.max(axis=1, keepdims=True, initial=-np.inf)
        np.exp(log_q, out=slopes)
        totals = slopes.sum(axis=1, keepdims=True)
        log_q -= np.log(totals)
        np.negative((t * log_q).sum(axis=1), out=values)
        slopes /= totals
        slopes *= t.sum(axis=1, keepdims=True)
        slopes -= t
        if factor != 1.0:
            slopes *= slopes.dtype.type(factor)

    def equal_peaks(self, a: Array, b: Array) -> int:
        return int(np.count_nonzero(a.argmax(axis=1) == b.argmax(axis=1)))

    def random_bits(self, key: int, step: int, first_row: int, out: Array) -> Array:
        out[...] = addresses.random_bits(key, step, first_row, *out.shape)
        return out

    def softmax(self, x: Array, out: Array) -> None:
        vectors.softmax(x, out)

    def softmax_gradient(self, dy: Array, y: Array, out: Array) -> None:
        vectors.softmax_gradient(dy, y, out)

    def normalize_rows(
        self, x: Array, gamma: Array | None, beta: Array | None, epsilon: float, is_centered: bool, out: Array
    ) -> tuple[Array, Array]:
        return vectors.normalize(x, gamma, beta, epsilon, is_centered, out)

    def normalize_rows_gradient(
        self, dy: Array, x: Array, statistics: tuple[Array, Array], gamma: Array | None, is_centered: bool, out: Array
    ) -> tuple[Array, Array]:
        return vectors.normalize_gradient(dy, x, statistics, gamma, is_centered, out)

    def column_sums(self, x: Array) -> Array:
        return Columns.of(x).sums(x)

    def column_moments(self, x: Array) -> tuple[Array, Array]:
        return Columns.of(x).moments(x)

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
        Columns.of(x).affine(x, mean, scale, shift, out)
        if other is not None:
            out += other
        if activation == "relu":
            np.maximum(out, 0, out=out)

    def column_products(self, dy: Array, x: Array, mean: Array, passed: Passed | None = None) -> tuple[Array, Array]:
        return Columns.of(x).products(dy if passed is None else self._passed(dy, x, mean, *passed), x, mean)

    def relu_products(self, dy: Array, y: Array, x: Array, mean: Array, dz: Array) -> tuple[Array, Array]:
        return self.column_products(self.activation_gradient(dy, y, "relu", dz), x, mean)

    def column_gradient(
        self, dy: Array, x: Array, mean: Array, scale: Array, slope: Array, shift: Array, out: Array,
        limit: Array | None = None,
    ) -> None:  # fmt: skip
        slopes = dy if limit is None else self._passed(dy, x, mean, scale, limit)
        Columns.of(x).gradient(slopes, x, mean, scale, slope, shift, out)

    def _passed(self, dy: Array, x: Array, mean: Array, scale: Array, shift: Array) -> Array:
        """dy where a ReLU behind the map of channels passed something."""
        y = np.empty_like(x)
        self.column_map(x, mean, scale, shift, y)
        return self.activation_gradient(dy, y, "relu", np.empty_like(dy))

    def im2col(self, x: Array, windows: Windows, first: int, channel: int, patches: Array) -> None:
        channels = slice(channel, channel + patches.shape[-1])
        patches[...] = 0
        for images, planes, rows, part in _pieces(patches, windows, first):
            for tap, of, at in windows.overlaps(planes, rows):
                part[:, *of, tap] = x[images, *at, channels]

    def col2im(self, patches: Array, windows: Windows, first: int, channel: int, out: Array) -> None:
        channels = slice(channel, channel + patches.shape[-1])
        for images, planes, rows, part in _pieces(patches, windows, first):
            for tap, of, at in windows.overlaps(planes, rows):
                out[images, *at, channels] += part[:, *of, tap]

    def max_pool(
        self, x: Array, windows: Windows, out: Array, winners: Array, bias: Array | None = None,
        activation: str = "linear",
    ) -> None:  # fmt: skip
        check_activation(activation)
        out[...] = -np.inf
        # The taps go backward: ties go to the first tap, and if all are -inf, to one inside the volume.
        for tap, of, at in reversed(list(windows.overlaps())):
            values, best = x[:, *at] if bias is None else x[:, *at] + bias, out[:, *of]
            wins = (values >= best) | (values != values)
            np.copyto(best, values, where=wins)
            np.copyto(winners[:, *of], tap, where=wins)
        if activation == "relu":
            np.maximum(out, 0, out=out)

    def max_pool_gradient(self, dy: Array, winners: Array, windows: Windows, out: Array) -> None:
        out[...] = 0
        for tap, of, at in windows.overlaps():
            out[:, *at] += dy[:, *of] * (winners[:, *of] == tap)


@cache
def _silent(function: Vectorwise) -> Vectorwise:
    """The function, which does not warn of NaN or infinity, like compiled code."""
    return np.errstate(all="ignore")(function)


def _pieces(patches: Array, windows: Windows, first: int) -> Iterator[tuple[slice, range, range, Array]]:
    """Cut patches into whole volumes, and parts of one plane of windows.

    Yields for each piece its volumes, its planes, its rows of windows, and its patches (volumes, planes, rows, W',
    taps, P).
    """
    (depth, height, columns), count, channels = windows.shape, len(patches), patches.shape[-1]
    at = 0
    while at < count:
        volume, start = divmod(first + at, depth * height)
        plane, row = divmod(start, height)
        volumes = 0 if start else (count - at) // (depth * height)
        if volumes:
            planes, rows = range(depth), range(height)
        else:
            planes, rows = range(plane, plane + 1), range(row, min(height, row + count - at))
        shape = (volumes or 1, len(planes), len(rows), columns, windows.taps, channels)
        taken = math.prod(shape[:3])
        yield slice(volume, volume + shape[0]), planes, rows, patches[at : at + taken].reshape(shape)
        at += taken


def _zero_unless(keep: Array, out: Array) -> None:
    """Zero entries in place by multiplying their bits, seen as integers: exact, and faster than a masked copy."""
    bits = out.view(f"i{out.itemsize}")
    np.multiply(bits, keep, out=bits)


def scaled(a: Array, scale: float) -> Array:
    """``a``, multiplied by a number where it lies."""
    return a if scale == 1.0 else np.multiply(a, a.dtype.type(scale), out=a)


def check_activation(activation: str) -> None:
    """Fail unless the kernels fuse this activation.

    Raises:
        ArgumentError: it is not one of ``FUSED_ACTIVATIONS``.
    """
    if activation not in FUSED_ACTIVATIONS:
        raise ArgumentError(
            f"kernels: expected an activation out of {FUSED_ACTIVATIONS}, received {activation!r}. "
            "Compute it with distnet.activations."
        )
