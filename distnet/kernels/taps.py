"""Depthwise convolution, a tap of the kernel at a time.

No matrix product is in it. A compiled loop over windows was not faster than these passes over memory.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from distnet.kernels.windows import Windows
from distnet.types import Array


def convolve(x: Array, kernel: Array, windows: Windows, out: Array) -> Array:
    """``out[c * M + m] = patches(x[c]) kernel[c, m]``; returns ``out``.

    Shapes:
        x (N, D, H, W, C), kernel (..., C, M) -> out (N, D', H', W', C * M).
    """
    out.fill(0)
    for (tap, m), part, entries in _meetings(x, kernel, windows, out):
        part += entries * _taps(kernel)[tap, :, m]
    return out


def kernel_gradient(x: Array, dz: Array, windows: Windows, shape: tuple[int, ...]) -> Array:
    """The gradient of a kernel of ``shape`` (..., C, M)."""
    gradient = np.empty(shape, x.dtype)
    for (tap, m), part, entries in _meetings(x, gradient, windows, dz):
        np.einsum("ndhwc,ndhwc->c", entries, part, out=_taps(gradient)[tap, :, m])
    return gradient


def convolve_back(dz: Array, kernel: Array, windows: Windows, out: Array) -> Array:
    """The transpose of ``convolve``; returns ``out`` (N, D, H, W, C)."""
    out.fill(0)
    for (tap, m), part, entries in _meetings(out, kernel, windows, dz):
        entries += part * _taps(kernel)[tap, :, m]
    return out


def _meetings(x: Array, kernel: Array, windows: Windows, y: Array) -> Iterator[tuple[tuple[int, int], Array, Array]]:
    """For each tap and multiple: their numbers, the windows in ``y`` that they add to, the entries of ``x``."""
    of_channels = y.reshape(*y.shape[:-1], *kernel.shape[-2:])
    for tap, of, at in windows.overlaps():
        for m in range(kernel.shape[-1]):
            yield (tap, m), of_channels[:, *of, :, m], x[:, *at]


def _taps(kernel: Array) -> Array:
    """The kernel as (taps, C, M)."""
    return kernel.reshape(-1, *kernel.shape[-2:])
