"""Convolution without patches: each block of outputs is computed where it lies, in register blocks."""

from __future__ import annotations

import math

import numpy as np

from distnet import kernels
from distnet.kernels import sweeps
from distnet.kernels.base import Memory, Tiles
from distnet.kernels.readying import Call, one_by_one
from distnet.kernels.windows import POINT, Windows
from distnet.types import Array

_LEAST_COLUMNS = 3
"""Outputs side by side: with fewer, blocks have too few rows to be fast."""

_MOST_KERNEL_BYTES = 1 << 18
"""Larger kernels leave the L2 cache between one volume and the next."""

_LEAST_CHANNELS = 8
"""Channels of a gradient that fill enough of a register."""


def tiles_for(
    windows: Windows, kernel: tuple[int, ...], groups: int, *arrays: Array, is_backward: bool = False
) -> Tiles | None:
    """The register blocks, where they are faster than patches and BLAS; else None.

    Measured on one core with AVX-512 and with AVX2, in volumes of 3 x 3 to 40 x 40, with 1 to 512 channels.

    Args:
        kernel: its shape, (..., C / groups, O).
        arrays: what is read and written.
        is_backward: whether the gradient of the input is wanted.
    """
    tiles = kernels.current().tiles
    windows, _ = _as_row(windows)
    dtype = arrays[0].dtype
    if tiles is None or dtype not in (np.float32, np.float64) or any(a.dtype != dtype for a in arrays):
        return None
    is_narrow = is_backward and groups == 1 and kernel[-2] < _LEAST_CHANNELS
    is_large = math.prod(kernel) * dtype.itemsize > _MOST_KERNEL_BYTES
    return None if is_narrow or is_large or windows.columns.windows < _LEAST_COLUMNS else tiles


def convolve(tiles: Tiles, x: Array, kernel: Array, windows: Windows, groups: int, out: Array, memory: Memory) -> Call:
    """``patches.convolve``, made ready."""
    windows, (x, out) = _as_row(windows, x, out)
    sweep = sweeps.forward(windows, x.shape[-1], groups)
    return tiles.correlate(x, kernel.reshape(windows.taps, *kernel.shape[-2:]), sweep, out, memory)


def kernel_gradient(
    tiles: Tiles, x: Array, dz: Array, windows: Windows, groups: int, shape: tuple[int, ...], memory: Memory
) -> Call:
    """``patches.kernel_gradient``, made ready."""
    windows, (x, dz) = _as_row(windows, x, dz)
    sweep = sweeps.forward(windows, x.shape[-1], groups)
    total = memory.workspace("dkernel", (math.prod(shape[:-2]), *shape[-2:]), x.dtype)
    add_up, gradient = tiles.correlate_gradient(x, dz, sweep, total, memory), total.reshape(shape)

    def added_up() -> Array:
        add_up()
        return gradient

    return added_up


def convolve_back(
    tiles: Tiles, dz: Array, kernel: Array, windows: Windows, groups: int, out: Array, memory: Memory
) -> Call:
    """``patches.convolve_back``, made ready."""
    windows, (dz, out) = _as_row(windows, dz, out)
    filters, channels = kernel.shape[-1], kernel.shape[-2]
    sweep = sweeps.backward(windows, filters, groups)
    shape = len(sweep.taps), filters // groups, groups * channels
    w = memory.workspace("transposed kernel", shape, kernel.dtype)
    transpose = tiles.transpose_taps(kernel.reshape(windows.taps, channels, filters), sweep.taps, groups, w)
    return one_by_one([transpose, tiles.correlate(dz, w, sweep, out, memory)])


def _as_row(windows: Windows, *volumes: Array) -> tuple[Windows, list[Array]]:
    """Volumes one entry wide as volumes one entry high: the steps of a sequence lie side by side."""
    if windows.columns != POINT:
        return windows, list(volumes)
    planes, rows, columns = windows
    return Windows(planes, columns, rows), [a.swapaxes(2, 3) for a in volumes]
