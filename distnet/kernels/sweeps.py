"""Which numbers a direct convolution multiplies: the geometry of windows, written down as tables for compiled loops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import NamedTuple, Self

import numpy as np

from distnet.kernels.windows import Axis, Windows
from distnet.types import Array


class Reading(NamedTuple):
    """How a sequence of outputs reads the entries along one axis.

    Output ``u`` is number ``first + u * step`` of all, and reads the entries ``u * stride + offset``; entries
    outside of the volume are 0.

    Args:
        outputs: how many.
        first, step: which of all outputs they are.
        stride: entries from one output to the next.
        offsets: ascending, one for each tap.
        taps: the numbers of the taps in the kernel.
    """

    outputs: int
    first: int
    step: int
    stride: int
    offsets: tuple[int, ...]
    taps: tuple[int, ...]

    def is_run(self) -> bool:
        """Whether the taps lie side by side."""
        return all(b - a == 1 for a, b in zip(self.offsets, self.offsets[1:], strict=False))

    def padding(self, extent: int) -> tuple[int, int]:
        """Entries read in front of the volume, and behind it."""
        if not self.outputs or not self.offsets:
            return 0, 0
        last = (self.outputs - 1) * self.stride + self.offsets[-1]
        return max(-self.offsets[0], 0), max(last - extent + 1, 0)


Phase = tuple[Reading, ...]
"""Of planes, rows and columns."""


@dataclass(frozen=True, eq=False)
class Sweep:
    """A convolution of volumes (D, H, W, C) to (D', H', W', O), or what has the same form: the gradient of its input.

    Args:
        phases: parts of the outputs, each with taps of its own.
        extents: D, H, W.
        shape: D', H', W'.
        groups: parts of the channels and of the outputs; each part of the outputs sees its part of the channels.
        channels: C / groups.
    """

    phases: tuple[Phase, ...]
    extents: tuple[int, ...]
    shape: tuple[int, ...]
    groups: int
    channels: int
    spans: Array
    """(phases, 3, 4) count, first, step, stride for each axis."""
    offsets: Array
    """(phases, 3, taps), of columns one for each line."""
    counts: Array
    """(phases, 4) how many of them count, and how many taps a line has."""
    taps: Array
    """The taps in the order in which they are read."""
    left: int
    """Zeros in front of each row."""
    width: int
    """Entries of a row, with zeros in front and behind."""

    @classmethod
    def of(
        cls, phases: Sequence[Phase], windows: Windows, extents: Sequence[int], shape: Sequence[int], groups: int,
        channels: int,
    ) -> Self:  # fmt: skip
        """Tables for the phases; the taps of ``windows`` are numbered in row-major order."""
        columns = [phase[2] for phase in phases if all(r.outputs for r in phase)]
        paddings = [column.padding(extents[2]) for column in columns]
        left, right = (max((p[side] for p in paddings), default=0) for side in (0, 1))
        most = max(len(reading.offsets) for phase in phases for reading in phase)
        spans = np.array([[reading[:4] for reading in phase] for phase in phases], np.int64)
        offsets, counts = np.zeros((len(phases), 3, max(most, 1)), np.int64), np.zeros((len(phases), 4), np.int64)
        for p, phase in enumerate(phases):
            is_run = groups == 1 and phase[2].is_run()
            counts[p, 3] = len(phase[2].offsets) if is_run else 1
            for axis, reading in enumerate(phase):
                kept = reading.offsets[:1] if is_run and axis == 2 else reading.offsets
                offsets[p, axis, : len(kept)], counts[p, axis] = kept, len(kept)
        _, rows_of_taps, columns_of_taps = (axis.taps for axis in windows)
        taps = [
            (k * rows_of_taps + i) * columns_of_taps + j
            for phase in phases
            for k, i, j in product(*(reading.taps for reading in phase))
        ]
        return cls(
            tuple(phases), tuple(extents), tuple(shape), groups, channels, spans, offsets, counts,
            np.array(taps, np.intp), left, left + extents[2] + right,
        )  # fmt: skip

    @property
    def is_padded(self) -> bool:
        """Whether rows need zeros around them."""
        return self.width > self.extents[2]

    @property
    def lines(self) -> int:
        """The most lines of numbers that an output reads."""
        return int(self.counts[:, :3].prod(axis=1).max(initial=0))

    @property
    def least_columns(self) -> int:
        """The fewest outputs side by side in a phase."""
        return min((phase[2].outputs for phase in self.phases if phase[2].outputs), default=0)


@lru_cache(512)
def forward(windows: Windows, channels: int, groups: int) -> Sweep:
    """The convolution of ``channels`` channels."""
    phase = tuple(_plain(axis) for axis in windows)
    return Sweep.of([phase], windows, windows.extents, windows.shape, groups, channels // groups)


@lru_cache(512)
def backward(windows: Windows, filters: int, groups: int) -> Sweep:
    """The gradient of its input: from ``filters`` filters to the channels."""
    phases = list(product(*(_transposed(axis) for axis in windows)))
    return Sweep.of(phases, windows, windows.shape, windows.extents, groups, filters // groups)


def _plain(axis: Axis) -> Reading:
    """How the windows along an axis read its entries."""
    offsets = tuple(k * axis.dilation - axis.before for k in range(axis.taps))
    return Reading(axis.windows, 0, 1, axis.stride, offsets, tuple(range(axis.taps)))


def _transposed(axis: Axis) -> list[Reading]:
    """How the entries of an axis read the windows that they are in, those apart whose windows have other taps."""
    readings = []
    for first in range(min(axis.stride, axis.extent)):
        places = [(first + axis.before - k * axis.dilation, k) for k in range(axis.taps)]
        read = sorted((place // axis.stride, k) for place, k in places if place % axis.stride == 0)
        count = (axis.extent - first + axis.stride - 1) // axis.stride
        readings.append(
            Reading(count, first, axis.stride, 1, tuple(place for place, _ in read), tuple(k for _, k in read))
        )
    return readings
