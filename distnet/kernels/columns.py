"""Sums over rows and affine maps of channels in NumPy, in blocks that stay in the L2 cache.

NumPy is slow where the last axis is short, so several rows are folded into one; and the sums are products
with a vector of ones, which BLAS computes several times faster than ``np.sum`` (measured on 32768 x 16
float32: 0.03 ms against 0.54 ms). A sum is single precision within a block only, double from block to block.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np

from distnet.types import Array, DType

_FOLDED_ENTRIES = 512
_BLOCK_BYTES = 1 << 17


@dataclass(frozen=True)
class Columns:
    """Sums and affine maps of arrays (G, S, C), with one vector (C,) for each group of S rows.

    Args:
        groups: G.
        rows: S.
        channels: C.
        dtype: of the arrays; the sums are float64.
    """

    groups: int
    rows: int
    channels: int
    dtype: DType

    @classmethod
    def of(cls, x: Array) -> Self:
        """For the array ``x``, (G, S, C)."""
        groups, rows, channels = x.shape
        return cls(groups, rows, channels, x.dtype)

    def sums(self, x: Array) -> Array:
        """(G, C) sums over the rows."""
        total = np.zeros((self.groups, self.channels))
        for part, (block,) in self._blocks(x):
            self._add(total[part], block)
        return total

    def squares(self, x: Array, mean: Array) -> Array:
        """(G, C) sums over the rows of ``(x - mean)^2``."""
        total, means = np.zeros((self.groups, self.channels)), self._folded(mean)
        for part, (block,) in self._blocks(x):
            centered = block - means[part, :, : block.shape[2]]
            centered *= centered
            self._add(total[part], centered)
        return total

    def moments(self, x: Array) -> tuple[Array, Array]:
        """(G, C) means over the rows, and sums of the squares about them; 0 where there are no rows."""
        mean = self.sums(x) / max(self.rows, 1)
        return mean, self.squares(x, mean)

    def affine(self, x: Array, mean: Array, scale: Array, shift: Array, out: Array) -> None:
        """Write ``(x - mean) scale + shift``."""
        means, scales, shifts = self._folded(mean), self._folded(scale), self._folded(shift)
        for part, (block, y) in self._blocks(x, out):
            width = block.shape[2]
            np.subtract(block, means[part, :, :width], out=y)
            np.multiply(y, scales[part, :, :width], out=y)
            np.add(y, shifts[part, :, :width], out=y)

    def products(self, dy: Array, x: Array, mean: Array) -> tuple[Array, Array]:
        """(G, C) sums of ``dy`` and of ``dy (x - mean)``."""
        plain, weighted = np.zeros((2, self.groups, self.channels))
        means = self._folded(mean)
        for part, (block, of_x) in self._blocks(dy, x):
            self._add(plain[part], block)
            product = of_x - means[part, :, : block.shape[2]]
            product *= block
            self._add(weighted[part], product)
        return plain, weighted

    def gradient(self, dy: Array, x: Array, mean: Array, scale: Array, slope: Array, shift: Array, out: Array) -> None:
        """Write ``dy scale + (x - mean) slope + shift``."""
        means, scales, slopes, shifts = map(self._folded, (mean, scale, slope, shift))
        for part, (block, of_x, dx) in self._blocks(dy, x, out):
            width = block.shape[2]
            term = of_x - means[part, :, :width]
            term *= slopes[part, :, :width]
            term += shifts[part, :, :width]
            np.multiply(block, scales[part, :, :width], out=dx)
            dx += term

    @property
    def _fold(self) -> int:
        """How many rows are folded into one: a power of two, which divides S unless there is only one group."""
        most = 1 << max(_FOLDED_ENTRIES // self.channels, 1).bit_length() - 1
        return most if self.groups == 1 else math.gcd(most, self.rows)

    def _blocks(self, *arrays: Array) -> Iterator[tuple[slice, list[Array]]]:
        """Matching blocks (groups, folded rows, folded channels) of the arrays, and their groups."""
        fold, row_bytes = self._fold, self.channels * self.dtype.itemsize
        rows = max(_BLOCK_BYTES // (fold * row_bytes), 1) * fold
        groups = max(rows // max(self.rows, 1), 1)
        whole = self.rows - self.rows % fold
        ends = [(start, min(start + rows, whole)) for start in range(0, whole, rows)]
        if whole < self.rows:
            ends.append((whole, self.rows))
        for group in range(0, self.groups, groups):
            part = slice(group, group + groups)
            for start, end in ends:
                width = min(fold, end - start) * self.channels
                folded = (-1, (end - start) * self.channels // width, width)
                yield part, [a[part, start:end].reshape(folded) for a in arrays]

    def _folded(self, vectors: Array) -> Array:
        """(G, 1, fold C) of (G, C) or (C,), in the dtype of the arrays."""
        return np.tile(vectors.astype(self.dtype).reshape(-1, 1, self.channels), (1, 1, self._fold))

    def _add(self, total: Array, block: Array) -> None:
        """Add the sums over a block's rows to ``total``."""
        ones = np.ones((1, block.shape[1]), self.dtype)
        folded = np.matmul(ones, block).reshape(len(block), -1, self.channels)
        total += folded.sum(axis=1, dtype=np.float64)


def squares_about(point: Array, mean: Array, squares: Array, rows: int) -> Array:
    """The sums of squares about another point, of those about the mean of so many rows.

    Both terms are positive, so that nothing is lost where the mean is large.
    """
    step = mean - point
    return np.asarray(squares + rows * step * step)
