"""Convolution as matrix products: patches of the input, a block at a time, times the kernel.

The patches of a whole batch are many times as large as the inputs. A block of them stays in the L2 cache between
copying and multiplying, and holds enough windows to be worth a product.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from distnet import kernels
from distnet.kernels import direct
from distnet.kernels.base import Memory
from distnet.kernels.matrix_products import by_blas
from distnet.kernels.readying import Call, readied_by, ready
from distnet.kernels.windows import Windows
from distnet.types import Array, DType

_BLOCK_BYTES = 1 << 19
_BLOCK_WINDOWS = 256

Block = tuple[int, int, slice, Array]


class NewMemory:
    """Memory that is not used again."""

    def workspace(self, name: str, shape: tuple[int, ...], dtype: DType) -> Array:
        return np.empty(shape, dtype)


def _ready_convolve(x: Array, kernel: Array, windows: Windows, groups: int, out: Array, memory: Memory) -> Call | None:
    if windows.are_entries and groups == 1:
        return ready(by_blas, _matrix(x), _matrix(kernel), out=_matrix(out))
    tiles = direct.tiles_for(windows, kernel.shape, groups, x, kernel, out)
    return None if tiles is None else direct.convolve(tiles, x, kernel, windows, groups, out, memory)


@readied_by(_ready_convolve)
def convolve(x: Array, kernel: Array, windows: Windows, groups: int, out: Array, memory: Memory) -> Array:
    """``out = patches(x) kernel``; returns ``out``.

    Shapes:
        x (N, D, H, W, C), kernel (..., C / groups, O) -> out (N, D', H', W', O); all contiguous.
    """
    made = _ready_convolve(x, kernel, windows, groups, out, memory)
    if made is not None:
        made()
        return out
    weights, z = _matrix(kernel), _matrix(out)
    for first, channel, filters, patches in _blocks(len(x), kernel.shape, kernel.dtype, windows, groups, memory):
        kernels.current().im2col(x, windows, first, channel, patches)
        by_blas(_rows(patches), weights[:, filters], out=z[_positions(first, patches), filters])
    return out


def _ready_kernel_gradient(
    x: Array, dz: Array, windows: Windows, groups: int, shape: tuple[int, ...], memory: Memory
) -> Call | None:
    if windows.are_entries and groups == 1:
        return None
    tiles = direct.tiles_for(windows, shape, groups, x, dz)
    return None if tiles is None else direct.kernel_gradient(tiles, x, dz, windows, groups, shape, memory)


@readied_by(_ready_kernel_gradient)
def kernel_gradient(
    x: Array, dz: Array, windows: Windows, groups: int, shape: tuple[int, ...], memory: Memory
) -> Array:
    """The gradient of a kernel of ``shape``, ``patches(x)^T dz``.

    Shapes:
        x (N, D, H, W, C), dz (N, D', H', W', O); contiguous.
    """
    made = _ready_kernel_gradient(x, dz, windows, groups, shape, memory)
    if made is not None:
        return np.asarray(made())
    gradients, entries = _matrix(dz), math.prod(shape[:-1])
    total = memory.workspace("dkernel", (entries, shape[-1]), x.dtype)
    if windows.are_entries and groups == 1:
        by_blas(_matrix(x).T, gradients, out=total)
        return total.reshape(shape)
    part = memory.workspace("dkernel of a block", (entries, shape[-1] // groups), x.dtype)
    total.fill(0)
    for first, channel, filters, patches in _blocks(len(x), shape, x.dtype, windows, groups, memory):
        kernels.current().im2col(x, windows, first, channel, patches)
        by_blas(_rows(patches).T, gradients[_positions(first, patches), filters], out=part)
        total[:, filters] += part
    return total.reshape(shape)


def _ready_convolve_back(
    dz: Array, kernel: Array, windows: Windows, groups: int, out: Array, memory: Memory
) -> Call | None:
    if windows.are_entries and groups == 1:
        return ready(by_blas, _matrix(dz), _matrix(kernel).T, out=_matrix(out))
    tiles = direct.tiles_for(windows, kernel.shape, groups, dz, kernel, out, is_backward=True)
    return None if tiles is None else direct.convolve_back(tiles, dz, kernel, windows, groups, out, memory)


@readied_by(_ready_convolve_back)
def convolve_back(dz: Array, kernel: Array, windows: Windows, groups: int, out: Array, memory: Memory) -> Array:
    """The transpose of ``convolve``: ``dz kernel^T``, each patch added where it was taken; returns ``out``.

    Shapes:
        dz (N, D', H', W', O), kernel (..., C / groups, O) -> out (N, D, H, W, C); all contiguous.
    """
    made = _ready_convolve_back(dz, kernel, windows, groups, out, memory)
    if made is not None:
        made()
        return out
    weights, gradients = _matrix(kernel), _matrix(dz)
    out.fill(0)
    for first, channel, filters, patches in _blocks(len(dz), kernel.shape, kernel.dtype, windows, groups, memory):
        by_blas(gradients[_positions(first, patches), filters], weights[:, filters].T, out=_rows(patches))
        kernels.current().col2im(patches, windows, first, channel, out)
    return out


def _blocks(
    volumes: int, kernel: tuple[int, ...], dtype: DType, windows: Windows, groups: int, memory: Memory
) -> Iterator[Block]:
    """Blocks of rows of windows: first row, first channel, filters, memory for the patches (R, W', KD, KH, KW, P)."""
    (depth, height, width), channels, filters = windows.shape, kernel[-2], kernel[-1] // groups
    rows = volumes * depth * height
    if not rows * width:
        return
    row_bytes = width * windows.taps * channels * dtype.itemsize
    wanted = max(1, _BLOCK_BYTES // row_bytes, -(-_BLOCK_WINDOWS // width))
    count = -(-rows // wanted)
    size = -(-rows // count)
    shape = (size, width, *(axis.taps for axis in windows), channels)
    patches = memory.workspace("patches", shape, dtype)
    for first in range(0, rows, size):
        for group in range(groups):
            of_group = slice(group * filters, (group + 1) * filters)
            yield first, group * channels, of_group, patches[: min(size, rows - first)]


def _positions(first: int, patches: Array) -> slice:
    """The windows of a block among all windows of all volumes."""
    return slice(first * patches.shape[1], (first + len(patches)) * patches.shape[1])


def _rows(patches: Array) -> Array:
    """One row for each window."""
    return patches.reshape(len(patches) * patches.shape[1], -1)


def _matrix(a: Array) -> Array:
    """All axes but the last as one."""
    return a.reshape(math.prod(a.shape[:-1]), a.shape[-1])
