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
def _take_larger(values: Array, bias: Array | None, tap: int, y: Array, won: Array) -> None:
    """Where a tap's values are as large as the largest so far, they take their place."""
    if bias is None:
        for c in range(y.size):
            wins = (values[c] >= y[c]) | (values[c] != values[c])  # NaN stays NaN
            y[c] = values[c] if wins else y[c]
            won[c] = tap if wins else won[c]
    else:
        for c in range(y.size):
            value = values[c] + bias[c]
            wins = (value >= y[c]) | (value != value)
            y[c] = value if wins else y[c]
            won[c] = tap if wins else won[c]


def max_pool(
    x: Array, windows: Windows, out: Array, winners: Array, bias: Array | None, lowest: float
) -> None:  # fmt: skip
    """See ``Kernels.max_pool``; results are at least ``lowest``."""
    planes, rows, columns = windows
    channels = x.shape[4]
    source, target, numbers = x.reshape(-1), out.reshape(-1), winners.reshape(-1)
    for p in range(out.shape[0] * planes.windows * rows.windows * columns.windows):
        r, o = divmod(p, columns.windows)
        m, above = divmod(r, rows.windows)
        n, front = divmod(m, planes.windows)
        y, won = target[p * channels : (p + 1) * channels], numbers[p * channels : (p + 1) * channels]
        for c in range(channels):
            y[c] = -float("inf")
        # The taps go backward: ties go to the first tap, and if all are -inf, to one inside the volume.
        for tap in range(planes.taps * rows.taps * columns.taps - 1, -1, -1):
            line_of_taps, j = divmod(tap, columns.taps)
            k, i = divmod(line_of_taps, rows.taps)
            d = front * planes.stride - planes.before + k * planes.dilation
            h = above * rows.stride - rows.before + i * rows.dilation
            w = o * columns.stride - columns.before + j * columns.dilation
            if 0 <= d < planes.extent and 0 <= h < rows.extent and 0 <= w < columns.extent:
                start = (((n * planes.extent + d) * rows.extent + h) * columns.extent + w) * channels
                _take_larger(source[start : start + channels], bias, tap, y, won)
        for c in range(channels):
            y[c] = lowest if y[c] < lowest else y[c]


def max_pool_gradient(dy: Array, winners: Array, windows: Windows, are_apart: bool, out: Array) -> None:
    """Add each window's gradient to the entry that won; write it, and zeros, where no entry is in two windows."""
    planes, rows, columns = windows
    channels = out.shape[4]
    source, target, numbers = dy.reshape(-1), out.reshape(-1), winners.reshape(-1)
    zero = dy.dtype.type(0)
    for p in range(dy.shape[0] * planes.windows * rows.windows * columns.windows):
        r, o = divmod(p, columns.windows)
        m, above = divmod(r, rows.windows)
        n, front = divmod(m, planes.windows)
        gradient, won = source[p * channels : (p + 1) * channels], numbers[p * channels : (p + 1) * channels]
        for tap in range(planes.taps * rows.taps * columns.taps):
            line_of_taps, j = divmod(tap, columns.taps)
            k, i = divmod(line_of_taps, rows.taps)
            d = front * planes.stride - planes.before + k * planes.dilation
            h = above * rows.stride - rows.before + i * rows.dilation
            w = o * columns.stride - columns.before + j * columns.dilation
            if 0 <= d < planes.extent and 0 <= h < rows.extent and 0 <= w < columns.extent:
                start = (((n * planes.extent + d) * rows.extent + h) * columns.extent + w) * channels
                dx = target[start : start + channels]
                if are_apart:
                    for c in range(channels):
                        dx[c] = gradient[c] if won[c] == tap else zero
                else:
                    for c in range(channels):
                        dx[c] += gradient[c] if won[c] == tap else zero
