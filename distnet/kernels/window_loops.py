"""Loops over sliding windows: plain Python that numba compiles.

All arrays are contiguous, volumes (N, D, H, W, C). Channels lie side by side: the innermost loops run over them, on
slices cut beforehand, since only then does the compiler see that their indices are not negative (measured: 4 times
faster).
"""

from __future__ import annotations

from distnet.kernels.compiling import compiled
from distnet.kernels.windows import Windows
from distnet.types import Array


def im2col(x: Array, windows: Windows, first: int, channel: int, patches: Array) -> None:
    """Copy the windows in rows ``first``, ``first + 1`` ... to ``patches`` (rows, W', KD, KH, KW, channels)."""
    planes, rows, columns = windows
    channels, stored = patches.shape[5], x.shape[4]
    source, target = x.reshape(-1), patches.reshape(-1)
    is_run = columns.dilation == 1 and channels == stored
    at = 0
    for r in range(patches.shape[0]):
        m, above = divmod(first + r, rows.windows)
        n, front = divmod(m, planes.windows)
        for o in range(columns.windows):
            left = o * columns.stride - columns.before
            is_inside = is_run and left >= 0 and left + columns.taps <= columns.extent
            for line_of_taps in range(planes.taps * rows.taps):
                k, i = divmod(line_of_taps, rows.taps)
                d = front * planes.stride - planes.before + k * planes.dilation
                h = above * rows.stride - rows.before + i * rows.dilation
                is_line = 0 <= d < planes.extent and 0 <= h < rows.extent
                line = ((n * planes.extent + d) * rows.extent + h) * columns.extent
                if is_inside and is_line:
                    entries = columns.taps * stored
                    run = source[(line + left) * stored : (line + left) * stored + entries]
                    out = target[at : at + entries]
                    for c in range(entries):
                        out[c] = run[c]
                    at += entries
                    continue
                for j in range(columns.taps):
                    w = left + j * columns.dilation
                    out = target[at : at + channels]
                    if is_line and 0 <= w < columns.extent:
                        start = (line + w) * stored + channel
                        run = source[start : start + channels]
                        for c in range(channels):
                            out[c] = run[c]
                    else:
                        for c in range(channels):
                            out[c] = 0
                    at += channels


def col2im(patches: Array, windows: Windows, first: int, channel: int, out: Array) -> None:
    """Add what ``im2col`` would have copied from ``out`` back to it."""
    planes, rows, columns = windows
    channels, stored = patches.shape[5], out.shape[4]
    source, target = patches.reshape(-1), out.reshape(-1)
    is_run = columns.dilation == 1 and channels == stored
    at = 0
    for r in range(patches.shape[0]):
        m, above = divmod(first + r, rows.windows)
        n, front = divmod(m, planes.windows)
        for o in range(columns.windows):
            left = o * columns.stride - columns.before
            is_inside = is_run and left >= 0 and left + columns.taps <= columns.extent
            for line_of_taps in range(planes.taps * rows.taps):
                k, i = divmod(line_of_taps, rows.taps)
                d = front * planes.stride - planes.before + k * planes.dilation
                h = above * rows.stride - rows.before + i * rows.dilation
                is_line = 0 <= d < planes.extent and 0 <= h < rows.extent
                line = ((n * planes.extent + d) * rows.extent + h) * columns.extent
                if is_inside and is_line:
                    entries = columns.taps * stored
                    run = target[(line + left) * stored : (line + left) * stored + entries]
                    part = source[at : at + entries]
                    for c in range(entries):
                        run[c] += part[c]
                    at += entries
                    continue
                for j in range(columns.taps):
                    w = left + j * columns.dilation
                    part = source[at : at + channels]
                    if is_line and 0 <= w < columns.extent:
                        start = (line + w) * stored + channel
                        run = target[start : start + channels]
                        for c in range(channels):
                            run[c] += part[c]
                    at += channels


@compiled
def _pool(
    volume: Array, windows: Windows, front: int, above: int, y: Array, won: Array, bias: Array | None
) -> None:  # fmt: skip
    """A row of windows of a volume (D H W C,): y and won (W' C,).

    Taps are found by loops, since divisions take longer than all the rest; and no function is called for each of them,
    which would count references to every array.
    """
    planes, rows, columns = windows
    channels = y.size // max(columns.windows, 1)
    y[:] = -float("inf")
    for o in range(columns.windows):
        best, number = y[o * channels : (o + 1) * channels], won[o * channels : (o + 1) * channels]
        # The taps go backward: ties go to the first tap, and if all are -inf, to one inside the volume.
        for line in range(planes.taps * rows.taps - 1, -1, -1):
            k, i = divmod(line, rows.taps)
            d = front * planes.stride - planes.before + k * planes.dilation
            h = above * rows.stride - rows.before + i * rows.dilation
            if d < 0 or d >= planes.extent or h < 0 or h >= rows.extent:
                continue
            for j in range(columns.taps - 1, -1, -1):
                w = o * columns.stride - columns.before + j * columns.dilation
                if w < 0 or w >= columns.extent:
                    continue
                start, tap = ((d * rows.extent + h) * columns.extent + w) * channels, line * columns.taps + j
                values = volume[start : start + channels]
                for c in range(channels):
                    value = values[c] if bias is None else values[c] + bias[c]
                    wins = (value >= best[c]) | (value != value)  # NaN stays NaN
                    best[c] = value if wins else best[c]
                    number[c] = tap if wins else number[c]


def max_pool(
    x: Array, windows: Windows, out: Array, winners: Array, bias: Array | None, lowest: float
) -> None:  # fmt: skip
    """See ``Kernels.max_pool``; results are at least ``lowest``."""
    planes, rows, columns = windows
    size, line = columns.windows * x.shape[4], 0
    target, numbers = out.reshape(-1), winners.reshape(-1)
    for n in range(out.shape[0]):
        volume = x[n].reshape(-1)
        for front in range(planes.windows):
            for above in range(rows.windows):
                y = target[line * size : (line + 1) * size]
                _pool(volume, windows, front, above, y, numbers[line * size : (line + 1) * size], bias)
                for c in range(y.size):
                    y[c] = lowest if y[c] < lowest else y[c]
                line += 1


@compiled
def _give_back(
    gradient: Array, won: Array, windows: Windows, front: int, above: int, are_apart: bool, volume: Array
) -> None:  # fmt: skip
    """A row of windows of the gradient of a volume."""
    planes, rows, columns = windows
    channels, zero = gradient.size // max(columns.windows, 1), gradient.dtype.type(0)
    for o in range(columns.windows):
        slope, number = gradient[o * channels : (o + 1) * channels], won[o * channels : (o + 1) * channels]
        for line in range(planes.taps * rows.taps):
            k, i = divmod(line, rows.taps)
            d = front * planes.stride - planes.before + k * planes.dilation
            h = above * rows.stride - rows.before + i * rows.dilation
            if d < 0 or d >= planes.extent or h < 0 or h >= rows.extent:
                continue
            for j in range(columns.taps):
                w = o * columns.stride - columns.before + j * columns.dilation
                if w < 0 or w >= columns.extent:
                    continue
                start, tap = ((d * rows.extent + h) * columns.extent + w) * channels, line * columns.taps + j
                dx = volume[start : start + channels]
                if are_apart:
                    for c in range(channels):
                        dx[c] = slope[c] if number[c] == tap else zero
                else:
                    for c in range(channels):
                        dx[c] += slope[c] if number[c] == tap else zero


def max_pool_gradient(dy: Array, winners: Array, windows: Windows, are_apart: bool, out: Array) -> None:
    """Add each window's gradient to the entry that won; write it, and zeros, where no entry is in two windows."""
    planes, rows, columns = windows
    size, line = columns.windows * out.shape[4], 0
    source, numbers = dy.reshape(-1), winners.reshape(-1)
    for n in range(dy.shape[0]):
        volume = out[n].reshape(-1)
        for front in range(planes.windows):
            for above in range(rows.windows):
                part = slice(line * size, (line + 1) * size)
                _give_back(source[part], numbers[part], windows, front, above, are_apart, volume)
                line += 1
