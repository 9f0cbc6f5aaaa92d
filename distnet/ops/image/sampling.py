"""Matrices that resample images along one axis."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from distnet import config
from distnet.errors import ShapeError
from distnet.ops.einsum_letters import einsum_of
from distnet.ops.operators import PRIMITIVES
from distnet.types import Array


def _linear(distance: Array) -> Array:
    return np.asarray(np.maximum(0, 1 - distance))


def _cubic(distance: Array) -> Array:
    near = ((1.5 * distance - 2.5) * distance) * distance + 1
    far = ((-0.5 * distance + 2.5) * distance - 4) * distance + 2
    return np.where(distance >= 2, 0, np.where(distance >= 1, far, near))


def _lanczos(radius: int) -> Callable[[Array], Array]:
    return lambda distance: np.where(distance <= radius, np.sinc(distance) * np.sinc(distance / radius), 0)


_CURVES = {"bilinear": _linear, "bicubic": _cubic, "lanczos3": _lanczos(3), "lanczos5": _lanczos(5)}
INTERPOLATIONS = ("bilinear", "nearest", "bicubic", "lanczos3", "lanczos5")


@lru_cache(maxsize=64)
def resize_matrix(size: int, wanted: int, interpolation: str, antialias: bool) -> Array:
    """(wanted, size) weights of the pixels along one axis; each row sums to 1; pixel centres lie at halves.

    Source: ``jax.image.resize``.
    """
    scale = size / wanted
    if interpolation == "nearest":
        nearest = np.floor((np.arange(wanted) + 0.5) * scale).astype(np.intp)
        return np.asarray(np.eye(size)[nearest])
    at = (np.arange(wanted) + 0.5) * scale - 0.5
    width = max(scale, 1.0) if antialias else 1.0
    weights = _CURVES[interpolation](np.abs(at[:, None] - np.arange(size)) / width)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def shift_matrix(
    size: int, wanted: int, scale: float, translation: float, interpolation: str, antialias: bool
) -> Array:
    """(wanted, size) weights of the pixels along an axis that is scaled, then moved; 0 outside the image.

    Source: ``jax.image.scale_and_translate``.
    """
    at = (np.arange(wanted) + 0.5) / scale - translation / scale - 0.5
    width = max(1 / scale, 1.0) if antialias else 1.0
    weights = _CURVES[interpolation](np.abs(at[:, None] - np.arange(size)) / width)
    total = weights.sum(axis=1, keepdims=True)
    is_known = np.abs(total) > 1000 * float(np.finfo(np.float32).eps)
    shares = np.where(is_known, weights / np.where(is_known, total, 1), 0)
    is_inside = (at >= -0.5) & (at <= size - 0.5)
    return np.asarray(np.where(is_inside[:, None], shares, 0))


def along(x: Any, rows: Array, columns: Array) -> Any:
    """Matrices applied along the rows and the columns of images (N, H, W, C)."""
    matrices = (matrix.astype(x.dtype) for matrix in (rows, columns))
    one, two = matrices
    tall = einsum_of(one, x, subscripts="ph,nhwc->npwc")
    return einsum_of(two, tall, subscripts="qw,npwc->npqc")


def as_batch(name: str, images: Any, data_format: str | None) -> tuple[Any, Callable[[Any], Any]]:
    """Images as (N, H, W, C), and what gives a result of that form theirs.

    Raises:
        ShapeError: they have neither three nor four axes.
    """
    x = PRIMITIVES["ConvertToTensor"](images)
    is_one, is_first = x.ndim == 3, (data_format or config.image_data_format()) == "channels_first"
    if x.ndim not in (3, 4):
        raise ShapeError(f"ops.image.{name}: expected an image or a batch of them, received shape {tuple(x.shape)}.")
    x = PRIMITIVES["ExpandDims"](x, 0) if is_one else x
    x = PRIMITIVES["Transpose"](x, (0, 2, 3, 1)) if is_first else x

    def back(y: Any) -> Any:
        y = PRIMITIVES["Transpose"](y, (0, 3, 1, 2)) if is_first else y
        return y[0] if is_one else y

    return x, back


def in_floats(x: Any) -> Any:
    """``x`` in floating point numbers."""
    return x if x.dtype.kind == "f" else PRIMITIVES["Cast"](x, config.floatx())


def in_dtype(y: Any, x: Any, rounding: Callable[[Array], Array] = np.round) -> Any:
    """The result in the dtype of the images: whole numbers rounded, and kept in its range."""
    if y.dtype == x.dtype:
        return y
    if x.dtype.kind == "f":
        return PRIMITIVES["Cast"](y, x.dtype.name)
    return PRIMITIVES["SaturateCast"](rounding(np.asarray(getattr(y, "value", y))), x.dtype.name)


def rounded(x: Array) -> Array:
    """The nearest whole numbers; halves go away from 0."""
    return np.asarray(np.trunc(x + np.copysign(0.5, x)))
