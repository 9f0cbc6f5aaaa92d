"""Convolutions that skip the zeros of a factor: loops that numba compiles; geometry as in ``sweeps.Sweep``."""

from __future__ import annotations

from distnet.kernels import tile_loops, vector_code, zero_code, zero_loops
from distnet.kernels.compiling import compiled
from distnet.kernels.tile_loops import pad_volumes
from distnet.kernels.vector_code import at, lanes_of
from distnet.kernels.zero_code import are_not_zero, call_sum
from distnet.kernels.zero_loops import list_row, turn
from distnet.types import Array

_SAMPLES = 64
"""Registers' worth of numbers that are looked at; each that is not in the cache is waited for."""


def _share_of_nonzeros(a: Array) -> float:
    """About which part of a contiguous array is not zero: that of some places all over it, and in all its channels."""
    flat, zero = a.reshape(-1), a.dtype.type(0)
    size = lanes_of(zero)
    registers = flat.size // size
    samples = min(registers, _SAMPLES)
    if not samples:
        return 1.0
    count = 0
    for i in range(samples):
        count += are_not_zero(zero, at(flat, (i * registers // samples + i) % registers * size))
    return float(count / (samples * size))


def _list_pixels(
    pixels: Array, width: int, of_tap: int, outputs: int, values: Array, places: Array, starts: Array
) -> None:
    """List what is not zero of each pixel of a volume; number c of the pixel in column q refers to weights of tap q.

    Shapes:
        pixels (P, C); values, places: as many as these, and a register more; starts (P + 1,).
    """
    count, channels = pixels.shape
    flat, end = pixels.reshape(-1), 0
    for i in range(count):
        starts[i] = end
        end = list_row(flat, i * channels, channels, i % width * of_tap, outputs, values, places, end)
    starts[count] = end


_SOURCES = vector_code.__file__, zero_code.__file__, zero_loops.__file__, tile_loops.__file__
list_pixels = compiled(_list_pixels, *_SOURCES)


def _correlate(
    x: Array, w: Array, out: Array, spans: Array, offsets: Array, counts: Array, values: Array, places: Array,
    starts: Array, strips: Array,
) -> None:  # fmt: skip
    """Write the outputs of a sweep without the zeros of ``x``.

    The numbers of a run of taps lie side by side in the list, so that a sum takes them at once. Of a line of taps all
    outputs of a volume are computed before the next: its weights then stay in the nearest cache.

    Shapes:
        x (N, D, H, W, C); w (taps, C, O); out (N, D', H', W', O); strips (S, 3): first output, registers, address of
        the code; the rest as in ``list_pixels``.
    """
    depth, height, width, channels = x.shape[1:]
    planes, out_height, out_width, outputs = out.shape[1:]
    volumes, written = x.reshape(x.shape[0], depth * height * width, channels), out.reshape(x.shape[0], -1)
    of_tap = channels * outputs
    for n in range(x.shape[0]):
        list_pixels(volumes[n], width, of_tap, outputs, values, places, starts)
        written[n] = 0
        first_tap = 0
        for p in range(spans.shape[0]):
            of_rows, of_columns, run = counts[p, 1], counts[p, 2], counts[p, 3]
            count, first, step, stride = spans[p, 2]
            for line in range(counts[p, 0] * of_rows * of_columns):
                of_plane, c = divmod(line, of_columns)
                a, b = divmod(of_plane, of_rows)
                for number in range(strips.shape[0] * spans[p, 0, 0] * spans[p, 1, 0]):
                    of_strip, v = divmod(number, spans[p, 1, 0])
                    s, u = divmod(of_strip, spans[p, 0, 0])
                    column, _, code = strips[s]
                    d, h = u * spans[p, 0, 3] + offsets[p, 0, a], v * spans[p, 1, 3] + offsets[p, 1, b]
                    if d < 0 or d >= depth or h < 0 or h >= height:
                        continue
                    plane = n * planes + spans[p, 0, 1] + u * spans[p, 0, 2]
                    y = (plane * out_height + spans[p, 1, 1] + v * spans[p, 1, 2]) * out_width + first
                    row = (d * height + h) * width
                    for o in range(count):
                        q = o * stride + offsets[p, 2, c]
                        start, stop = starts[row + min(max(q, 0), width)], starts[row + max(min(q + run, width), 0)]
                        if stop > start:
                            call_sum(
                                code, at(out, (y + o * step) * outputs + column), at(values, start), at(places, start),
                                stop - start, at(w, (first_tap + line * run - q) * of_tap + column), 1,
                            )  # fmt: skip
            first_tap += counts[p, 0] * of_rows * of_columns * run


def _list_filters(
    pixels: Array, first_pixel: int, rows: int, width: int, first: int, stop: int, down: int, along: int,
    values: Array, places: Array, starts: Array, turned: Array,
) -> None:  # fmt: skip
    """List what is not zero of the filters ``first`` to ``stop`` in some rows of pixels.

    The pixel in row v and column q refers to ``v down + q along``.

    Shapes:
        pixels (P, O); values, places: as many as there are, and a register more; starts (filters, rows + 1 or more);
        turned (lanes, pixels or more).
    """
    size, pitch = turned.shape
    flat, end = turned.reshape(-1), 0
    for j in range(first, stop, size):
        turn(pixels, first_pixel, rows * width, j, flat, pitch)
        for m in range(min(size, stop - j)):
            of_filter = starts[j + m - first]
            for v in range(rows):
                of_filter[v] = end
                end = list_row(flat, m * pitch + v * width, width, v * down, along, values, places, end)
            of_filter[rows] = end


list_filters = compiled(_list_filters, *_SOURCES)


def _correlate_gradient(
    x: Array, dz: Array, turned_total: Array, spans: Array, offsets: Array, counts: Array, left: int, padded: Array,
    strips: Array, first: int, stop: int, rows_at_once: int, values: Array, places: Array, starts: Array, turned: Array,
) -> None:  # fmt: skip
    """Add the gradient of the weights of a sweep of one phase, of the filters ``first`` to ``stop``.

    Without the zeros of ``dz``, of which some rows are listed at a time: what a sum reads of ``x`` then stays in the
    nearest cache.

    Shapes:
        x (N, D, H, W, C); dz (N, D', H', W', O); turned_total (O, lines, steps); padded (D, H, W'', C) or empty;
        strips (S, 3): first step, registers, address of the code; the rest as in ``list_filters``.
    """
    depth, height, width, channels = x.shape[1:]
    planes, out_height, out_width, filters = dz.shape[1:]
    of_strip, steps = turned_total.shape[1:]
    volume, wide, start = x.reshape(-1), width, 0
    if padded.size:
        volume, wide = padded.reshape(-1), padded.shape[2]
    pixels, stride = dz.reshape(-1, filters), spans[0, 1, 3]
    of_plane = -(-out_height // rows_at_once)
    for n in range(x.shape[0]):
        if padded.size:
            pad_volumes(x, n, left, padded)
        else:
            start = n * depth * height * width * channels
        for number in range(planes * of_plane):
            u, above = number // of_plane, number % of_plane * rows_at_once
            rows = min(rows_at_once, out_height - above)
            list_filters(
                pixels, ((n * planes + u) * out_height + above) * out_width, rows, out_width, first, stop,
                stride * wide * channels, spans[0, 2, 3] * channels, values, places, starts, turned,
            )  # fmt: skip
            for line in range(of_strip):
                of_rows, c = divmod(line, counts[0, 2])
                a, b = divmod(of_rows, counts[0, 1])
                d, h = u * spans[0, 0, 3] + offsets[0, 0, a], above * stride + offsets[0, 1, b]
                least, most = max(-(h // stride), 0), min((height - 1 - h) // stride + 1, rows)
                if d < 0 or d >= depth or least >= most:
                    continue
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


correlate = compiled(_correlate, *_SOURCES)
correlate_gradient = compiled(_correlate_gradient, *_SOURCES)
share_of_nonzeros = compiled(_share_of_nonzeros, *_SOURCES)
