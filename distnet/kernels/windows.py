"""The geometry of sliding windows: the one place that knows how many there are and where they lie.

An image is a volume of depth 1, a sequence an image of width 1.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import product
from typing import NamedTuple, Self

import numpy as np

from distnet.types import Array

Box = tuple[slice, slice, slice]
"""A part of a volume: slices of planes, rows and columns."""

Meeting = tuple[int, Box, Box]
"""The number of a tap, the windows in which it meets the volume, and where in the volume that is."""


class Axis(NamedTuple):
    """How a window slides along one axis.

    Tap ``k`` of window ``o`` lies on entry ``o * stride + k * dilation - before``; entries outside
    ``extent`` are padding.

    Args:
        extent: entries of the volume along the axis.
        windows: positions of the window.
        taps: entries that a window touches.
        stride: entries from one window to the next.
        dilation: entries from one tap to the next.
        before: entries of padding in front.
    """

    extent: int
    windows: int
    taps: int
    stride: int = 1
    dilation: int = 1
    before: int = 0

    def overlap(self, tap: int, start: int, stop: int) -> tuple[slice, slice]:
        """Which of windows ``start`` to ``stop``, counted from ``start``, have this tap in the volume; and where."""
        shift = tap * self.dilation - self.before
        first = max(start, -(shift // self.stride))
        end = min(stop, (self.extent - 1 - shift) // self.stride + 1)
        if end <= first:
            return slice(0, 0), slice(0, 0)
        at = first * self.stride + shift
        return slice(first - start, end - start), slice(at, at + (end - first - 1) * self.stride + 1, self.stride)


POINT = Axis(1, 1, 1)
"""The axis that an image or a sequence lacks."""


class Windows(NamedTuple):
    """How a window slides over volumes of shape (D, H, W). Only integers, because compiled loops read it, too."""

    planes: Axis
    rows: Axis
    columns: Axis

    @classmethod
    def over(cls, *axes: Axis) -> Self:
        """The windows over a sequence (one axis), an image (two) or a volume (three)."""
        first, *rest = axes
        if len(rest) == 2:
            return cls(*axes)
        return cls(POINT, first, *(rest or [POINT]))

    @property
    def taps(self) -> int:
        """Entries that a window touches."""
        return math.prod(axis.taps for axis in self)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of windows along the axes."""
        return self.planes.windows, self.rows.windows, self.columns.windows

    @property
    def extents(self) -> tuple[int, int, int]:
        """Entries of the volume along the axes."""
        return self.planes.extent, self.rows.extent, self.columns.extent

    @property
    def are_entries(self) -> bool:
        """Whether each window is one entry of the volume."""
        return all(axis == Axis(axis.extent, axis.extent, 1) for axis in self)

    @property
    def are_apart(self) -> bool:
        """Whether each entry of the volume is in one window, and no window goes beyond the volume."""
        return all(axis == Axis(axis.windows * axis.taps, axis.windows, axis.taps, axis.taps) for axis in self)

    def overlaps(self, planes: range | None = None, rows: range | None = None) -> Iterator[Meeting]:
        """Where each tap meets the volume, the taps in row-major order.

        Args:
            planes, rows: which windows, by default all; slices of windows count from the first of these.
        """
        whole = [range(count) for count in self.shape]
        looked_at = (planes or whole[0], rows or whole[1], whole[2])
        along = [
            [axis.overlap(tap, part.start, part.stop) for tap in range(axis.taps)]
            for axis, part in zip(self, looked_at, strict=True)
        ]
        for number, ((a, d), (b, h), (c, w)) in enumerate(product(*along)):
            yield number, (a, b, c), (d, h, w)


def reach(taps: int, dilation: int) -> int:
    """Entries from the first tap of a window to its last, both included."""
    return (taps - 1) * dilation + 1


def slide(extent: int, taps: int, stride: int, dilation: int, padding: str) -> Axis:
    """The windows over an axis of ``extent`` entries; no windows if they do not fit.

    Args:
        padding: ``"valid"``: none; ``"same"``: enough for ``ceil(extent / stride)`` windows, the smaller half of it
            in front; ``"causal"``: all of it in front, so that no window looks ahead.
    """
    span = reach(taps, dilation)
    if padding == "valid":
        return Axis(extent, max((extent - span) // stride + 1, 0), taps, stride, dilation)
    windows = -(-extent // stride)
    if padding == "causal":
        return Axis(extent, windows, taps, stride, dilation, span - 1)
    total = max((windows - 1) * stride + span - extent, 0)
    return Axis(extent, windows, taps, stride, dilation, total // 2)


def spread(windows: int, taps: int, stride: int, dilation: int, padding: str, extra: int | None) -> Axis:
    """The axis that ``windows`` windows come from: the geometry of a transposed convolution.

    Args:
        padding: ``"valid"`` or ``"same"``.
        extra: entries beyond the fewest that give so many windows. By default, if the padding is ``"same"`` or the
            stride exceeds the window, as many as make ``windows * stride`` entries.

    Source: ``keras.layers.Conv2DTranspose``, argument ``output_padding``.
    """
    span = reach(taps, dilation)
    natural = (windows - 1) * stride + span
    if padding == "valid":
        extent = natural + (max(stride - span, 0) if extra is None else extra)
        return Axis(extent, windows, taps, stride, dilation)
    extent = windows * stride if extra is None else (windows - 1) * stride + span % 2 + extra
    return Axis(extent, windows, taps, stride, dilation, max(natural - extent, 0) // 2)


def as_volumes(x: Array) -> Array:
    """Sequences (N, T, C) as (N, 1, T, 1, C), images (N, H, W, C) as (N, 1, H, W, C); contiguous."""
    seen = x[:, np.newaxis, :, np.newaxis] if x.ndim == 3 else x[:, np.newaxis] if x.ndim == 4 else x
    return np.ascontiguousarray(seen)


def of_rank(volumes: Array, rank: int) -> Array:
    """What ``as_volumes`` made of sequences (rank 1), images (2) or volumes (3), as these again."""
    extents = volumes.shape[1:-1] if rank == 3 else volumes.shape[2 : 2 + rank]
    return volumes.reshape(len(volumes), *extents, volumes.shape[-1])
