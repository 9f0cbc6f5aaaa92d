"""Loops over sliding windows: plain Python that numba compiles.

All arrays are contiguous, images (N, H, W, C). Channels lie side by side: the innermost loops run over them, on slices
cut beforehand, since only then does the compiler see that their indices are not negative (measured: 4 times faster).
"""

from __future__ import annotations

from distnet.kernels.windows import Windows
from distnet.types import Array


def im2col(x: Array, windows: Windows, first: int, channel: int, patches: Array) -> None:
    """Copy the windows in rows ``first``, ``first + 1`` ... to ``patches`` (rows, W', KH, KW, channels)."""
    rows, columns = windows
    channels, stored = patches.shape[4], x.shape[3]
    source, target = x.reshape(-1), patches.reshape(-1)
    is_run = columns.dilation == 1 and channels == stored
    at = 0
    for r in range(patches.shape[0]):
        n, above = divmod(first + r, rows.windows)
        for o in range(columns.windows):
            left = o * columns.stride - columns.before
            is_inside = is_run and left >= 0 and left + columns.taps <= columns.extent
            for i in range(rows.taps):
                h = above * rows.stride - rows.before + i * rows.dilation
                line = (n * rows.extent + h) * columns.extent
                if is_inside and 0 <= h < rows.extent:
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
                    if 0 <= h < rows.extent and 0 <= w < columns.extent:
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
    rows, columns = windows
    channels, stored = patches.shape[4], out.shape[3]
    source, target = patches.reshape(-1), out.reshape(-1)
    is_run = columns.dilation == 1 and channels == stored
    at = 0
    for r in range(patches.shape[0]):
        n, above = divmod(first + r, rows.windows)
        for o in range(columns.windows):
            left = o * columns.stride - columns.before
            is_inside = is_run and left >= 0 and left + columns.taps <= columns.extent
            for i in range(rows.taps):
                h = above * rows.stride - rows.before + i * rows.dilation
                line = (n * rows.extent + h) * columns.extent
                if is_inside and 0 <= h < rows.extent:
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
                    if 0 <= h < rows.extent and 0 <= w < columns.extent:
                        start = (line + w) * stored + channel
                        run = target[start : start + channels]
                        for c in range(channels):
                            run[c] += part[c]
                    at += channels


def max_pool(x: Array, windows: Windows, out: Array, winners: Array) -> None:
    """The largest entry of each window, and the number of the first tap that holds it."""
    rows, columns = windows
    channels = x.shape[3]
    source, target, numbers = x.reshape(-1), out.reshape(-1), winners.reshape(-1)
    for p in range(out.shape[0] * rows.windows * columns.windows):
        r, o = divmod(p, columns.windows)
        n, above = divmod(r, rows.windows)
        y, won = target[p * channels : (p + 1) * channels], numbers[p * channels : (p + 1) * channels]
        for c in range(channels):
            y[c] = -float("inf")
        # The taps go backward: the first of equals wins, and among nothing but -inf one inside the image.
        for tap in range(rows.taps * columns.taps - 1, -1, -1):
            i, j = divmod(tap, columns.taps)
            h = above * rows.stride - rows.before + i * rows.dilation
            w = o * columns.stride - columns.before + j * columns.dilation
            if 0 <= h < rows.extent and 0 <= w < columns.extent:
                start = ((n * rows.extent + h) * columns.extent + w) * channels
                values = source[start : start + channels]
                for c in range(channels):
                    wins = (values[c] >= y[c]) | (values[c] != values[c])  # nan stays nan
                    y[c] = values[c] if wins else y[c]
                    won[c] = tap if wins else won[c]


def max_pool_gradient(dy: Array, winners: Array, windows: Windows, out: Array) -> None:
    """Add each window's gradient to the entry that won."""
    rows, columns = windows
    channels = out.shape[3]
    source, target, numbers = dy.reshape(-1), out.reshape(-1), winners.reshape(-1)
    for p in range(dy.shape[0] * rows.windows * columns.windows):
        r, o = divmod(p, columns.windows)
        n, above = divmod(r, rows.windows)
        gradient, won = source[p * channels : (p + 1) * channels], numbers[p * channels : (p + 1) * channels]
        for tap in range(rows.taps * columns.taps):
            i, j = divmod(tap, columns.taps)
            h = above * rows.stride - rows.before + i * rows.dilation
            w = o * columns.stride - columns.before + j * columns.dilation
            if 0 <= h < rows.extent and 0 <= w < columns.extent:
                start = ((n * rows.extent + h) * columns.extent + w) * channels
                dx = target[start : start + channels]
                for c in range(channels):
                    dx[c] += gradient[c] if won[c] == tap else 0
