"""Steps, clips, leaks and blocks: the parts of elementary functions and of their derivatives.

Masks are written as numbers: multiplying by a bool array, or choosing with ``numpy.where``, is several
times slower. Those of tensors are constants, which nothing is differentiated through.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from distnet.ops.operators import PRIMITIVES
from distnet.ops.tensor import Tensor
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


def _piecewise_constant(function: Callable[..., Array]) -> Callable[..., Any]:
    """Also of tensors, for which it gives tensors without gradients."""

    @functools.wraps(function)
    def of_either(z: Any, *options: float) -> Any:
        return Tensor(function(z.value, *options)) if type(z) is Tensor else function(z, *options)

    return of_either


@_piecewise_constant
def step(z: Array, threshold: float) -> Array:
    """1 where ``z > threshold``, else 0, in the dtype of z."""
    return np.greater(z, threshold, out=np.empty_like(z), casting="unsafe")


@_piecewise_constant
def within(z: Array, low: float, high: float) -> Array:
    """1 where ``low < z < high``, else 0, in the dtype of z."""
    inside = np.greater(z, low, out=np.empty_like(z), casting="unsafe")
    inside *= z < high
    return inside


@_piecewise_constant
def up_to(z: Array, limit: float) -> Array:
    """1 where ``|z| <= limit``, else 0, in the dtype of z."""
    size = np.abs(z)
    return np.less_equal(size, limit, out=size, casting="unsafe")


@_piecewise_constant
def differs(z: Array, number: float) -> Array:
    """1 where z is not the number, else 0, in the dtype of z."""
    return np.not_equal(z, number, out=np.empty_like(z), casting="unsafe")


@_piecewise_constant
def clip_slope(z: Array, low: float, high: float) -> Array:
    """The slope of ``clip(z, low, high)``: 1 inside, 0 outside, and one half at the ends, as in JAX."""
    slope = np.sign(z - low)
    slope += np.sign(high - z)
    slope *= 0.5
    return slope


@_piecewise_constant
def leak_slope(sign: Array, slope: float) -> Array:
    """1 where ``sign`` is not negative and ``slope`` elsewhere."""
    factor = np.less(sign, 0, out=np.empty_like(sign), casting="unsafe")
    factor *= slope - 1
    factor += 1
    return factor


def leak(z: Array, slope: float, out: Array) -> None:
    """Write z where it is positive and ``slope z`` elsewhere; ``slope >= 0``."""
    leaked = z * slope
    choose = np.maximum if slope <= 1 else np.minimum
    choose(z, leaked, out=out)


def negative_part(z: Any) -> Any:
    """z where it is negative, else 0; its derivative is 1 at 0."""
    if type(z) is Tensor:
        return PRIMITIVES["Where"](Tensor(z.value <= 0), z, 0.0)
    return np.clip(z, -np.inf, 0)


def of_either(kind: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """NumPy's function of arrays, the primitive of this kind of tensors."""
    return lambda z: PRIMITIVES[kind](z) if type(z) is Tensor else function(z)


exp, expm1, tanh = of_either("Exp", np.exp), of_either("Expm1", np.expm1), of_either("Tanh", np.tanh)
absolute, logarithm = of_either("Absolute", np.abs), of_either("Log", np.log)
