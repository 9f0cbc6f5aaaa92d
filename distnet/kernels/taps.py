"""Depthwise convolution: in register blocks, entry by entry; or a tap of the kernel at a time, in NumPy.

No matrix product is in it. With several kernels for a channel, the blocks read a copy of x with each channel repeated.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial

import numpy as np

from distnet import kernels
from distnet.kernels import direct
from distnet.kernels.base import Memory, Tiles
from distnet.kernels.readying import Call, one_by_one, readied_by
from distnet.kernels.windows import Windows
from distnet.types import Array


def _ready_convolve(x: Array, kernel: Array, windows: Windows, out: Array, memory: Memory) -> Call | None:
    tiles = _tiles_for(x, kernel, out)
    if tiles is None:
        return None
    repeated, repeat = _repeated(x, kernel.shape[-1], memory)
    convolve_each = direct.convolve(tiles, repeated, _grouped(kernel), windows, out.shape[-1], out, memory)
    return one_by_one([*repeat, convolve_each])


@readied_by(_ready_convolve)
def convolve(x: Array, kernel: Array, windows: Windows, out: Array, memory: Memory) -> Array:
    """``out[c * M + m] = patches(x[c]) kernel[c, m]``; returns ``out``.

    Shapes:
        x (N, D, H, W, C), kernel (..., C, M) -> out (N, D', H', W', C * M); all contiguous.
    """
    made = _ready_convolve(x, kernel, windows, out, memory)
    if made is not None:
        made()
        return out
    out.fill(0)
    for (tap, m), part, entries in _meetings(x, kernel, windows, out):
        part += entries * _taps(kernel)[tap, :, m]
    return out


def _ready_kernel_gradient(
    x: Array, dz: Array, windows: Windows, shape: tuple[int, ...], memory: Memory
) -> Call | None:
    tiles = _tiles_for(x, dz)
    if tiles is None:
        return None
    repeated, repeat = _repeated(x, shape[-1], memory)
    grouped = (*shape[:-2], 1, math.prod(shape[-2:]))
    add_up = direct.kernel_gradient(tiles, repeated, dz, windows, grouped[-1], grouped, memory)
    before = one_by_one(repeat)

    def added_up() -> Array:
        before()
        return np.asarray(add_up()).reshape(shape)

    return added_up


@readied_by(_ready_kernel_gradient)
def kernel_gradient(x: Array, dz: Array, windows: Windows, shape: tuple[int, ...], memory: Memory) -> Array:
    """The gradient of a kernel of ``shape`` (..., C, M); x and ``dz`` are contiguous."""
    made = _ready_kernel_gradient(x, dz, windows, shape, memory)
    if made is not None:
        return np.asarray(made())
    gradient = np.empty(shape, x.dtype)
    for (tap, m), part, entries in _meetings(x, gradient, windows, dz):
        np.einsum("ndhwc,ndhwc->c", entries, part, out=_taps(gradient)[tap, :, m])
    return gradient


def _ready_convolve_back(dz: Array, kernel: Array, windows: Windows, out: Array, memory: Memory) -> Call | None:
    tiles = _tiles_for(dz, kernel, out)
    if tiles is None:
        return None
    filters, multiple = dz.shape[-1], kernel.shape[-1]
    target = out if multiple == 1 else memory.workspace("repeated", (*out.shape[:-1], filters), out.dtype)
    calls = [direct.convolve_back(tiles, dz, _grouped(kernel), windows, filters, target, memory)]
    if multiple > 1:
        calls.append(partial(_add_up, target.reshape(*out.shape, multiple), out))
    return one_by_one(calls)


@readied_by(_ready_convolve_back)
def convolve_back(dz: Array, kernel: Array, windows: Windows, out: Array, memory: Memory) -> Array:
    """The transpose of ``convolve``; returns ``out`` (N, D, H, W, C)."""
    made = _ready_convolve_back(dz, kernel, windows, out, memory)
    if made is not None:
        made()
        return out
    out.fill(0)
    for (tap, m), part, entries in _meetings(out, kernel, windows, dz):
        entries += part * _taps(kernel)[tap, :, m]
    return out


def _tiles_for(*arrays: Array) -> Tiles | None:
    """The register blocks, where they take such arrays."""
    dtype = arrays[0].dtype
    are_alike = dtype in (np.float32, np.float64) and all(a.dtype == dtype and a.flags.c_contiguous for a in arrays)
    return kernels.current().tiles if are_alike else None


def _grouped(kernel: Array) -> Array:
    """The kernel as that of a convolution in groups of one channel."""
    return kernel.reshape(*kernel.shape[:-2], 1, math.prod(kernel.shape[-2:]))


def _repeated(x: Array, multiple: int, memory: Memory) -> tuple[Array, list[Call]]:
    """``x`` with each channel so many times, and what is to be done before each use of it."""
    if multiple == 1:
        return x, []
    repeated = memory.workspace("repeated", (*x.shape[:-1], x.shape[-1] * multiple), x.dtype)
    return repeated, [partial(np.copyto, repeated.reshape(*x.shape, multiple), x[..., np.newaxis])]


def _add_up(each: Array, total: Array) -> None:
    """Sum over the last axis: ``np.sum`` is slow where it is short."""
    np.copyto(total, each[..., 0])
    for m in range(1, each.shape[-1]):
        total += each[..., m]


def _meetings(x: Array, kernel: Array, windows: Windows, y: Array) -> Iterator[tuple[tuple[int, int], Array, Array]]:
    """For each tap and multiple: their numbers, the windows in ``y`` that they add to, the entries of ``x``."""
    of_channels = y.reshape(*y.shape[:-1], *kernel.shape[-2:])
    for tap, of, at in windows.overlaps():
        for m in range(kernel.shape[-1]):
            yield (tap, m), of_channels[:, *of, :, m], x[:, *at]


def _taps(kernel: Array) -> Array:
    """The kernel as (taps, C, M)."""
    return kernel.reshape(-1, *kernel.shape[-2:])
