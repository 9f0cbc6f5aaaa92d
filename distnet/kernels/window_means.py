"""Means over the entries of windows, in passes over the taps."""

from __future__ import annotations

import numpy as np

from distnet.kernels.long_sums import BLOCK
from distnet.kernels.windows import Windows
from distnet.types import Array


def means(x: Array, windows: Windows, out: Array) -> Array:
    """Write the mean of each window's entries inside the volume; returns the share of an entry, (D', H', W', 1).

    Shapes:
        x (N, D, H, W, C) -> out (N, D', H', W', C).
    """
    entries = np.zeros((*windows.shape, 1), x.dtype)
    out.fill(0)
    part = np.zeros_like(out) if windows.taps > BLOCK else out
    for tap, (_, of, at) in enumerate(windows.overlaps(), 1):
        part[:, *of] += x[:, *at]
        entries[of] += 1
        if part is not out and tap % BLOCK == 0:
            out += part
            part.fill(0)
    if part is not out:
        out += part
    np.reciprocal(entries, out=entries)
    out *= entries
    return entries


def means_back(dy: Array, windows: Windows, shares: Array, out: Array) -> None:
    """Write the gradient of the volume; ``shares`` is what ``means`` returned.

    Shapes:
        dy (N, D', H', W', C) -> out (N, D, H, W, C).
    """
    out.fill(0)
    each = dy * shares
    for _, of, at in windows.overlaps():
        out[:, *at] += each[:, *of]


def shares_of(windows: Windows, dtype: np.dtype[np.generic]) -> Array:
    """The share of an entry in the mean of each window."""
    volume = np.ones((1, *windows.extents, 1), dtype)
    return means(volume, windows, np.empty((1, *windows.shape, 1), dtype))
