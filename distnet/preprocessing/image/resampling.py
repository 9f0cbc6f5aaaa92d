"""Pictures resized as ``tf.image.resize`` does it: without smoothing, with pixels' centres at halves.

Each pixel of a result is a sum of a few pixels of a row and a column, with weights that depend on the extents alone.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TypeAlias

import numpy as np

from distnet.types import Array

Taps: TypeAlias = tuple[Array, Array]
"""(wanted, K) places, and their weights."""

_CUBIC_TABLE = 1024
"""Steps between two pixels at which TensorFlow has tabulated the bicubic weights."""


def _lanczos(radius: float) -> Callable[[Array], Array]:
    return lambda x: np.where(x <= radius, np.sinc(x) * np.sinc(x / radius), 0)


def _gaussian(x: Array) -> Array:
    return np.where(x < 1.5, np.exp(-2 * x * x), 0)


def _mitchell(x: Array) -> Array:
    far = ((-7 / 18 * x + 2) * x - 10 / 3) * x + 16 / 9
    return np.where(x >= 2, 0, np.where(x >= 1, far, (7 / 6 * x - 2) * x * x + 8 / 9))


def _keys(x: Array) -> Array:
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x >= 2, 0, np.where(x >= 1, far, (1.5 * x - 2.5) * x * x + 1))


_CURVES: dict[str, tuple[float, Callable[[Array], Array]]] = {
    "lanczos3": (3.0, _lanczos(3)),
    "lanczos5": (5.0, _lanczos(5)),
    "gaussian": (1.5, _gaussian),
    "mitchellcubic": (2.0, _mitchell),
}
"""Radius and weight by distance."""
METHODS = ("bilinear", "nearest", "bicubic", "area", *_CURVES)


def resampled(image: Array, size: tuple[int, int], method: str) -> Array:
    """An image of another height and width.

    Shapes:
        (H, W, C) -> (*size, C); float32, but of the same dtype where ``method`` is ``"nearest"``.

    Args:
        image: any numbers.
        size: height and width.
        method: one of ``METHODS``.

    Source: ``tf.image.resize``.
    """
    (rows, of_rows), (columns, of_columns) = (
        _taps(extent, wanted, method) for extent, wanted in zip(image.shape, size, strict=False)
    )
    if method == "nearest":
        return image[rows[:, 0]][:, columns[:, 0]]
    tall = _summed(image, rows, of_rows[:, :, None, None])
    wide = _summed(tall.transpose(1, 0, 2), columns, of_columns[:, :, None, None])
    return np.ascontiguousarray(wide.transpose(1, 0, 2))


def _summed(lines: Array, places: Array, weights: Array) -> Array:
    total = lines[places[:, 0]] * weights[:, 0]
    for k in range(1, places.shape[1]):
        total += lines[places[:, k]] * weights[:, k]
    return total


@lru_cache(maxsize=256)
def _taps(size: int, wanted: int, method: str) -> Taps:
    scale = np.float32(size / wanted)
    middle = (np.arange(wanted, dtype=np.float32) + np.float32(0.5)) * scale
    if method == "nearest":
        return np.minimum(np.floor(middle).astype(np.intp), size - 1)[:, None], np.ones((wanted, 1), np.float32)
    if method == "area":
        return _area(size, wanted)
    if method in _CURVES:
        return _smooth(size, wanted, *_CURVES[method])
    at = middle - np.float32(0.5)
    lower = np.floor(at)
    first, past = lower.astype(np.intp), at - lower
    if method == "bilinear":
        return np.clip(first[:, None] + np.arange(2), 0, size - 1), np.stack([1 - past, past], axis=1)
    past = np.rint(past * _CUBIC_TABLE) / np.float32(_CUBIC_TABLE)
    return _normalized(first[:, None] + np.arange(-1, 3), _keys(np.abs(past[:, None] - np.arange(-1, 3))), size)


def _smooth(size: int, wanted: int, radius: float, curve: Callable[[Array], Array]) -> Taps:
    # Rounded as TensorFlow does it: the Gaussian jumps to 0 at its radius.
    middle = (np.arange(wanted, dtype=np.float32) + np.float32(0.5)) * (np.float32(1) / np.float32(wanted / size))
    first = np.ceil(middle - radius - 0.5).astype(np.intp)
    places = first[:, None] + np.arange(int(2 * radius) + 1)
    return _normalized(places, curve(np.abs(places + 0.5 - middle[:, None])), size)


def _area(size: int, wanted: int) -> Taps:
    """Means over the parts of pixels that a pixel of the result covers."""
    scale = size / wanted
    begin = np.arange(wanted)[:, None] * scale
    places = np.floor(begin).astype(np.intp) + np.arange(int(np.ceil(scale)) + 1)
    covered = np.minimum(places + 1, begin + scale) - np.maximum(places, begin)
    return _normalized(places, np.maximum(covered, 0), size)


def _normalized(places: Array, weights: Array, size: int) -> Taps:
    """Places within the image, and weights that sum to 1."""
    weights = np.where((places >= 0) & (places < size), weights, 0)
    shares = weights / weights.sum(axis=1, keepdims=True)
    return np.clip(places, 0, size - 1), shares.astype(np.float32)
