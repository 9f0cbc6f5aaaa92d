"""Convolutions that skip the zeros of a factor: loops that numba compiles; geometry as in ``sweeps.Sweep``."""

from __future__ import annotations

from distnet.kernels import tile_loops, vector_code, zero_code, zero_loops
from distnet.kernels.compiling import compiled
from distnet.kernels.tile_loops import pad_volumes
from distnet.kernels.vector_code import at, lanes_of, transpose
from distnet.kernels.zero_code import are_not_zero, call_sum
from distnet.kernels.zero_loops import list_row
from distnet.types import Array

_SAMPLES = 256
"""Registers' worth of numbers that are looked at."""


def _share_of_nonzeros(a: Array) -> float:
    """About which part of a contiguous array is not zero: that of some places all over it."""
    flat, zero = a.reshape(-1), a.dtype.type(0)
    size = lanes_of(zero)
    registers = flat.size // size
    samples = min(registers, _SAMPLES)
    if not samples:
        return 1.0
    count = 0
    for i in range(samples):
        count += are_not_zero(zero, at(flat, i * registers // samples * size))
    return float(count / (samples * size))


def _correlate(
    x: Array, w: Array, out: Array, spans: Array, offsets: Array, counts: Array, values: Array, places: Array,
    starts: Array, strips: Array,
) -> None:  # fmt: skip
    """Write the outputs of a sweep without the zeros of ``x``.

    The numbers of a run of taps lie side by side in the list, so that a sum takes them at once. Of a line of taps all
    outputs of a volume are computed before the next: its weights then stay in the nearest cache.

    Shapes:
        x (N, D, H, W, C); w (taps, C, O); out (N, D', H', W', O); values, places: as many as a volume has numbers,
        and a register more; starts (D H W + 1,): where the list of each pixel begins; strips (S, 3): first output,
        registers, address of the code.
    """
    depth, height, width, channels = x.shape[1:]
    planes, out_height, out_width, outputs = out.shape[1:]
    flat, written = x.reshape(-1), out.reshape(-1)
    pixels, of_volume = depth * height * width, planes * out_height * out_width * outputs
    of_tap = channels * outputs
    for n in range(x.shape[0]):
        end = 0
        for i in range(pixels):
            starts[i] = end
            end = list_row(
                flat, (n * pixels + i) * channels, channels, i % width * of_tap, outputs, values, places, end
            )  # fmt: skip
        starts[pixels] = end
        for i in range(n * of_volume, (n + 1) * of_volume):
            written[i] = 0
        first_tap = 0
        for p in range(spans.shape[0]):
            of_rows, of_columns, run = counts[p, 1], counts[p, 2], counts[p, 3]
            count, first, step, stride = spans[p, 2]
            for line in range(counts[p, 0] * of_rows * of_columns):
                of_plane, c = divmod(line, of_columns)
                a, b = divmod(of_plane, of_rows)
                tap = first_tap + line * run
                for s in range(strips.shape[0]):
                    column, _, code = strips[s]
                    for u in range(spans[p, 0, 0]):
                        d = u * spans[p, 0, 3] + offsets[p, 0, a]
                        if d < 0 or d >= depth:
                            continue
                        plane = n * planes + spans[p, 0, 1] + u * spans[p, 0, 2]
                        for v in range(spans[p, 1, 0]):
                            h = v * spans[p, 1, 3] + offsets[p, 1, b]
                            if h < 0 or h >= height:
                                continue
                            y = (plane * out_height + spans[p, 1, 1] + v * spans[p, 1, 2]) * out_width
                            row = (d * height + h) * width
                            for o in range(count):
                                q = o * stride + offsets[p, 2, c]
                                if q >= width or q + run <= 0:
                                    continue
                                start, stop = starts[row + max(q, 0)], starts[row + min(q + run, width)]
                                if stop > start:
                                    call_sum(
                                        code, at(out, (y + first + o * step) * outputs + column), at(values, start),
                                        at(places, start), stop - start, at(w, (tap - q) * of_tap + column), 1,
                                    )  # fmt: skip
            first_tap += counts[p, 0] * of_rows * of_columns * run


def _correlate_gradient(
    x: Array, dz: Array, turned_total: Array, spans: Array, offsets: Array, counts: Array, left: int, padded: Array,
    strips: Array, first: int, stop: int, rows_at_once: int, values: Array, places: Array, starts: Array, turned: Array,
) -> None:  # fmt: skip
    """Add the gradient of the weights of a sweep of one phase, of the filters ``first`` to ``stop``.

    Without the zeros of ``dz``, of which some rows are listed at a time: what a sum reads of ``x`` then stays in the
    nearest cache.

    Shapes:
        x (N, D, H, W, C); dz (N, D', H', W', O); turned_total (O, lines, steps); padded (D, H, W'', C) or empty;
        strips (S, 3): first step, registers, address of the code; values, places: as many as rows_at_once have of
        these filters, and a register more; starts (filters, rows_at_once + 1); turned (lanes, rows_at_once, W').
    """
    depth, height, width, channels = x.shape[1:]
    planes, out_height, out_width, filters = dz.shape[1:]
    of_strip, steps = turned_total.shape[1:]
    volume, wide, start = x.reshape(-1), width, 0
    if padded.size:
        volume, wide = padded.reshape(-1), padded.shape[2]
    gradient, flat = dz.reshape(-1), turned.reshape(-1)
    zero, pitch = dz.dtype.type(0), turned.shape[1] * out_width
    size = lanes_of(zero)
    down, along = spans[0, 1, 3] * wide * channels, spans[0, 2, 3] * channels
    for n in range(x.shape[0]):
        if padded.size:
            pad_volumes(x, n, left, padded)
        else:
            start = n * depth * height * width * channels
        for u in range(planes):
            for above in range(0, out_height, rows_at_once):
                rows = min(rows_at_once, out_height - above)
                pixel, pixels = ((n * planes + u) * out_height + above) * out_width, rows * out_width
                end = 0
                for j in range(first, stop, size):
                    inside = min(size, stop - j)
                    whole = pixels - pixels % size if j + size <= filters else 0
                    for q in range(0, whole, size):
                        transpose(zero, at(dz, (pixel + q) * filters + j), filters, at(flat, q), pitch)
                    for q in range(whole, pixels):
                        for m in range(inside):
                            flat[m * pitch + q] = gradient[(pixel + q) * filters + j + m]
                    for m in range(inside):
                        for v in range(rows):
                            starts[j - first + m, v] = end
                            end = list_row(
                                flat, m * pitch + v * out_width, out_width, v * down, along, values, places, end
                            )  # fmt: skip
                        starts[j - first + m, rows] = end
                for line in range(of_strip):
                    of_plane, c = divmod(line, counts[0, 2])
                    a, b = divmod(of_plane, counts[0, 1])
                    d = u * spans[0, 0, 3] + offsets[0, 0, a]
                    if d < 0 or d >= depth:
                        continue
                    h = above * spans[0, 1, 3] + offsets[0, 1, b]
                    least, most = 0, rows
                    while least < most and h + least * spans[0, 1, 3] < 0:
                        least += 1
                    while most > least and h + (most - 1) * spans[0, 1, 3] >= height:
                        most -= 1
                    place = start + ((d * height + h) * wide + offsets[0, 2, c] + left) * channels
                    for s in range(strips.shape[0]):
                        column, _, code = strips[s]
                        for f in range(first, stop):
                            begin, after = starts[f - first, least], starts[f - first, most]
                            if after > begin:
                                call_sum(
                                    code, at(turned_total, (f * of_strip + line) * steps + column), at(values, begin),
                                    at(places, begin), after - begin, at(volume, place + column), 1,
                                )  # fmt: skip


_SOURCES = vector_code.__file__, zero_code.__file__, zero_loops.__file__, tile_loops.__file__
correlate = compiled(_correlate, *_SOURCES)
correlate_gradient = compiled(_correlate_gradient, *_SOURCES)
share_of_nonzeros = compiled(_share_of_nonzeros, *_SOURCES)
