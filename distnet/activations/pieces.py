"""Steps, clips and leaks: what the piecewise linear activations are made of.

Masks are written as numbers: to multiply by a bool array, or to choose with ``numpy.where``, is several
times slower.
"""

from __future__ import annotations

import numpy as np

from distnet.types import Array


def step(z: Array, threshold: float) -> Array:
    """1 where ``z > threshold``, else 0, in the dtype of z."""
    return np.greater(z, threshold, out=np.empty_like(z), casting="unsafe")


def within(z: Array, low: float, high: float) -> Array:
    """1 where ``low < z < high``, else 0, in the dtype of z."""
    inside = step(z, low)
    inside *= z < high
    return inside


def clip_slope(z: Array, low: float, high: float) -> Array:
    """The slope of ``clip(z, low, high)``: 1 within, 0 outside, and JAX's one half at the ends."""
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
