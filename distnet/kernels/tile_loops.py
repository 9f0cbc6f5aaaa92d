"""Loops of products and convolutions over register blocks: plain Python that numba compiles.

The last block of a row begins earlier, so that it is whole; what it shares with the one before is not written again.
"""

from __future__ import annotations

from distnet.kernels import fetching, vector_code
from distnet.kernels.compiling import compiled
from distnet.kernels.fetching import fetch
from distnet.kernels.vector_code import at, call
from distnet.types import Array

_CHAIN = 1024
"""The most products that are added up in single precision before a sum is added to others."""


@compiled
def pad_volumes(x: Array, number: int, left: int, padded: Array) -> None:
    """Copy volume ``number`` between zeros."""
    depth, height, width, channels = x.shape[1:]
    source, target = x.reshape(-1), padded.reshape(-1)
    around, entries = padded.shape[2] * channels, width * channels
    for line in range(depth * height):
        row = target[line * around : (line + 1) * around]
        start = (number * depth * height + line) * entries
        run = source[start : start + entries]
        inside = row[left * channels : left * channels + entries]
        for c in range(left * channels):
            row[c] = 0
        for c in range(entries):
            inside[c] = run[c]
        for c in range(left * channels + entries, around):
            row[c] = 0


def _correlate(
    x: Array, w: Array, out: Array, spans: Array, offsets: Array, counts: Array, left: int, padded: Array,
    table: Array, strips: Array, block: int, code: int,
) -> None:  # fmt: skip
    """Write the outputs of a sweep in the columns of ``strips``.

    Shapes:
        x (N, D, H, W, C); w (taps, C / groups, columns); out (N, D', H', W', O); padded (D, H, W'', C) or empty;
        table (lines, 2); strips (S, 3): first channel, first output, outputs in the last register.
    """
    depth, height, width, channels = x.shape[1:]
    out_height, out_width, outputs = out.shape[2:]
    w_step = w.shape[2]
    volume, wide, start = x.reshape(-1), width, 0
    if padded.size:
        volume, wide = padded.reshape(-1), padded.shape[2]
    for n in range(x.shape[0]):
        if padded.size:
            pad_volumes(x, n, left, padded)
        else:
            start = n * depth * height * width * channels
        first_tap = 0
        for p in range(spans.shape[0]):
            of_rows, of_columns, run = counts[p, 1], counts[p, 2], counts[p, 3]
            steps = run * w.shape[1]
            count, first, step, stride = spans[p, 2]
            for s in range(strips.shape[0]):
                channel, column, tail = strips[s]
                for u in range(spans[p, 0, 0]):
                    for v in range(spans[p, 1, 0]):
                        lines = 0
                        for a in range(counts[p, 0]):
                            d = u * spans[p, 0, 3] + offsets[p, 0, a]
                            if d < 0 or d >= depth:
                                continue
                            for b in range(of_rows):
                                h = v * spans[p, 1, 3] + offsets[p, 1, b]
                                if h < 0 or h >= height:
                                    continue
                                for c in range(of_columns):
                                    entry = (d * height + h) * wide + offsets[p, 2, c] + left
                                    tap = first_tap + ((a * of_rows + b) * of_columns + c) * run
                                    table[lines, 0] = entry * channels + channel
                                    table[lines, 1] = tap * w.shape[1] * w_step + column
                                    lines += 1
                        plane = n * out.shape[1] + spans[p, 0, 1] + u * spans[p, 0, 2]
                        y = (plane * out_height + spans[p, 1, 1] + v * spans[p, 1, 2]) * out_width
                        if s == p == 0:
                            fetch(out, (y + 2 * out_width) * outputs, (y + 3 * out_width) * outputs)
                            if padded.size:
                                row = ((n + 1) * depth + u * spans[p, 0, 3]) * height + v * spans[p, 1, 3]
                                fetch(x, row * width * channels, (row + spans[p, 1, 3]) * width * channels)
                        for q in range(0, count, block):
                            o = min(q, count - block)
                            call(
                                code, at(out, (y + first + o * step) * outputs + column), step * outputs,
                                q - o, tail, at(volume, start + o * stride * channels), stride * channels, 1,
                                at(table, 0), lines, steps, at(w, 0), w_step, 0,
                            )  # fmt: skip
            first_tap += counts[p, 0] * of_rows * of_columns * run


def _correlate_gradient(
    x: Array, dz: Array, total: Array, spans: Array, offsets: Array, counts: Array, left: int, padded: Array,
    copied: Array, table: Array, strips: Array, block: int, code: int, row_step: int, first: int, stop: int,
) -> None:  # fmt: skip
    """Add the gradient of the weights of a sweep of one phase to ``total``, volume by volume.

    Of the blocks of all strips and lines, in this order, only those from ``first`` to ``stop`` are computed. Steps of a
    line lie ``row_step`` numbers apart in x.

    Shapes:
        x (N, D, H, W, C); dz (N, D', H', W', O); total (lines, steps, O); padded as in ``correlate``; copied: as
        many numbers as a volume of dz and a register have, or empty; table (H', 2); strips (S, 3).
    """
    depth, height, width, channels = x.shape[1:]
    planes, out_height, out_width, filters = dz.shape[1:]
    steps = total.shape[1]
    volume, wide, start = x.reshape(-1), width, 0
    gradient, z = dz.reshape(-1), 0
    entries = planes * out_height * out_width * filters
    if padded.size:
        volume, wide = padded.reshape(-1), padded.shape[2]
    if copied.size:
        gradient = copied
    stride = spans[0, 2, 3]
    many = max(_CHAIN // max(out_width, 1), 1)
    of_strip, of_line = counts[0, 0] * counts[0, 1] * counts[0, 2], -(-steps // block)
    for n in range(x.shape[0]):
        if padded.size:
            pad_volumes(x, n, left, padded)
        else:
            start = n * depth * height * width * channels
        if copied.size:
            of_volume = dz.reshape(-1)[n * entries : (n + 1) * entries]
            for i in range(entries):
                copied[i] = of_volume[i]
        else:
            z = n * entries
        for s in range(strips.shape[0]):
            channel, column, tail = strips[s]
            for line in range(of_strip):
                before = (s * of_strip + line) * of_line
                above, below = max(first - before, 0) * block, min((stop - before) * block, steps)
                if above >= below:
                    continue
                of_plane, c = divmod(line, counts[0, 2])
                a, b = divmod(of_plane, counts[0, 1])
                column_offset = offsets[0, 2, c] + left
                for u in range(planes):
                    d = u * spans[0, 0, 3] + offsets[0, 0, a]
                    if d < 0 or d >= depth:
                        continue
                    lines = 0
                    for v in range(out_height):
                        h = v * spans[0, 1, 3] + offsets[0, 1, b]
                        if h >= 0 and h < height:
                            table[lines, 0] = ((d * height + h) * wide + column_offset) * channels + channel
                            table[lines, 1] = (u * out_height + v) * out_width * filters + column
                            lines += 1
                    for i in range(0, lines, many):
                        for q in range(0, out_width, _CHAIN):
                            pixels = min(_CHAIN, out_width - q)
                            for m in range(above, below, block):
                                j = min(m, steps - block)
                                call(
                                    code, at(total, (line * steps + j) * filters + column), filters, m - j,
                                    tail, at(volume, start + q * stride * channels + j * row_step), row_step,
                                    stride * channels,
                                    at(table, 2 * i), min(many, lines - i), pixels, at(gradient, z + q * filters),
                                    filters, 1,
                                )  # fmt: skip


correlate = compiled(_correlate, vector_code.__file__, fetching.__file__)
correlate_gradient = compiled(_correlate_gradient, vector_code.__file__, fetching.__file__)
