"""The geometry of windows that slide over an image: the one place that knows how many there are and where they lie."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

Taps = tuple[int, slice, slice, slice, slice]


class Axis(NamedTuple):
    """How a window slides along one axis.

    Tap ``k`` of window ``o`` lies on entry ``o * stride + k * dilation - before``; entries outside
    ``extent`` are padding.

    Args:
        extent: entries of the image along the axis.
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
        """Those of windows ``start`` to ``stop`` whose ``tap`` meets the image, counted from ``start``; and where."""
        shift = tap * self.dilation - self.before
        first = max(start, -(shift // self.stride))
        end = min(stop, (self.extent - 1 - shift) // self.stride + 1)
        if end <= first:
            return slice(0, 0), slice(0, 0)
        at = first * self.stride + shift
        return slice(first - start, end - start), slice(at, at + (end - first - 1) * self.stride + 1, self.stride)


POINT = Axis(1, 1, 1)
"""The second axis of a sequence, seen as an image of width 1."""


class Windows(NamedTuple):
    """How a window slides over images of shape (H, W). Compiled loops read it too: it holds integers alone."""

    rows: Axis
    columns: Axis = POINT

    @property
    def taps(self) -> int:
        """Entries that a window touches."""
        return self.rows.taps * self.columns.taps

    @property
    def shape(self) -> tuple[int, int]:
        """Number of windows along both axes."""
        return self.rows.windows, self.columns.windows

    @property
    def are_entries(self) -> bool:
        """Whether the windows are the entries of the image, one by one."""
        return all(axis == Axis(axis.extent, axis.extent, 1) for axis in self)

    def overlaps(self, start: int = 0, stop: int | None = None) -> Iterator[Taps]:
        """For each tap in row-major order: its number, the windows in which it meets the image, and where.

        Args:
            start, stop: the rows of windows looked at, all by default; slices of windows count from ``start``.
        """
        stop = self.rows.windows if stop is None else stop
        for i in range(self.rows.taps):
            of_rows, at_rows = self.rows.overlap(i, start, stop)
            for j in range(self.columns.taps):
                of_columns, at_columns = self.columns.overlap(j, 0, self.columns.windows)
                yield i * self.columns.taps + j, of_rows, of_columns, at_rows, at_columns


def reach(taps: int, dilation: int) -> int:
    """Entries from the first tap of a window to its last, both counted."""
    return (taps - 1) * dilation + 1


def slide(extent: int, taps: int, stride: int, dilation: int, padding: str) -> Axis:
    """The windows over an axis of ``extent`` entries; none where they do not fit.

    Args:
        padding: ``"valid"``: none; ``"same"``: so that there are ``ceil(extent / stride)`` windows, the smaller
            half of it in front; ``"causal"``: all of it in front, so that no window looks ahead.
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
        extra: entries beyond the fewest from which so many windows come; by default as many as make
            ``windows * stride``, where the padding is ``"same"`` or the stride exceeds the window.

    Source: ``keras.layers.Conv2DTranspose``, argument ``output_padding``.
    """
    span = reach(taps, dilation)
    natural = (windows - 1) * stride + span
    if padding == "valid":
        extent = natural + (max(stride - span, 0) if extra is None else extra)
        return Axis(extent, windows, taps, stride, dilation)
    extent = windows * stride if extra is None else (windows - 1) * stride + span % 2 + extra
    return Axis(extent, windows, taps, stride, dilation, max(natural - extent, 0) // 2)
