"""Steps, clips, leaks and blocks: the parts of activations.

Masks are written as numbers: multiplying by a bool array, or choosing with ``numpy.where``, is several
times slower.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from distnet.types import Array

_BLOCK_BYTES = 65536
"""Of one array, so that the intermediate results of a long formula stay in the core's cache."""


def in_blocks(function: Callable[..., None], *arrays: Array) -> None:
    """Call an elementwise ``function`` on matching blocks of arrays of one shape."""
    if not all(array.flags.c_contiguous for array in arrays):
        function(*arrays)
        return
    flat = [array.reshape(-1) for array in arrays]
    entries = _BLOCK_BYTES // arrays[0].itemsize
    for start in range(0, arrays[0].size, entries):
        function(*(array[start : start + entries] for array in flat))


def step(z: Array, threshold: float) -> Array:
    """1 where ``z > threshold``, else 0, in the dtype of z."""
    return np.greater(z, threshold, out=np.empty_like(z), casting="unsafe")


def within(z: Array, low: float, high: float) -> Array:
    """1 where ``low < z < high``, else 0, in the dtype of z."""
    inside = step(z, low)
    inside *= z < high
    return inside


def clip_slope(z: Array, low: float, high: float) -> Array:
    """The slope of ``clip(z, low, high)``: 1 inside, 0 outside, and one half at the ends, as in JAX."""
    slope = np.sign(z - low)
    slope += np.sign(high - z)
    slope *= 0.5
    return slope


def leak(z: Array, slope: float, out: Array) -> None:
    """Write z where it is positive and ``slope z`` elsewhere; ``slope >= 0``."""
    leaked = z * slope
    choose = np.maximum if slope <= 1 else np.minimum
    choose(z, leaked, out=out)


def leak_gradient(dy: Array, sign: Array, slope: float, out: Array) -> None:
    """Write dy where ``sign`` is not negative and ``slope dy`` elsewhere."""
    factor = np.less(sign, 0, out=np.empty_like(sign), casting="unsafe")
    factor *= slope - 1
    factor += 1
    np.multiply(dy, factor, out=out)
