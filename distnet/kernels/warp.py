"""Affine maps of images: a matrix says where each pixel of the result is taken from.

Only NumPy, over a whole batch at once; a few images at a time, so that intermediate results stay in the cache.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from distnet.types import Array, DType

MODES = ("constant", "nearest", "reflect", "wrap", "grid-constant", "grid-wrap")
"""What lies outside an image, by SciPy's names; Keras's random layers use the last two for ``"constant"`` and
``"wrap"``."""

_PIXELS_AT_ONCE = 8192


@dataclass(frozen=True)
class _Tap:
    """One source pixel for each pixel of the result.

    Args:
        index: index of the source pixel in the flattened images.
        row_weight: weight of the interpolation along the rows; None for 1.
        column_weight: the same along the columns.
        is_inside: whether it lies inside the image, so that the fill value is not used; None for everywhere.
    """

    index: Array
    row_weight: Array | None
    column_weight: Array | None
    is_inside: Array | None


def warp(x: Array, maps: Array, order: int = 1, mode: str = "nearest", cval: float = 0.0) -> Array:
    """``y[n, i, j] = x[n, maps[n] @ (i, j, 1)]``; between pixels, the nearest one or the weighted mean of four.

    Shapes:
        x: (N, H, W, C); maps: (N, 2, 3); the result is like x.

    Args:
        x: images of any dtype; integer results are rounded.
        maps: from row and column of the result to those of the image.
        order: 0 for the nearest pixel, 1 for linear interpolation.
        mode: what lies outside: one of ``MODES``.
        cval: fill value of the constant modes.

    Source: equal to ``scipy.ndimage.affine_transform`` of each channel.
    """
    y = np.empty_like(x, order="C")
    for part in _parts(x.shape):
        planes = _planes(x[part])
        total: Array | None = None
        for tap in _taps(x.shape[1:3], maps[part], order, mode):
            value = planes.take(tap.index, axis=1).astype(np.float64, copy=False)
            if tap.is_inside is not None:
                value = np.where(tap.is_inside, value, cval)
            for weight in (tap.row_weight, tap.column_weight):
                if weight is not None:
                    value *= weight
            total = value if total is None else np.add(total, value, out=total)
        if total is not None:
            y[part] = np.moveaxis(_rounded(total, y.dtype), 0, -1)
    return y


def warp_gradient(dy: Array, maps: Array, order: int = 1, mode: str = "nearest") -> Array:
    """Gradient of ``warp`` with respect to its images: each pixel of ``dy`` goes back to where it was taken from.

    Shapes:
        dy: (N, H, W, C); maps: (N, 2, 3); the result is like dy.
    """
    dx = np.empty_like(dy, order="C")
    height, width, channels = dy.shape[1:]
    for part in _parts(dy.shape):
        planes = _planes(dy[part])
        total = np.zeros(planes.shape)
        for tap in _taps((height, width), maps[part], order, mode):
            weight = np.ones(tap.index.shape) if tap.is_inside is None else tap.is_inside.astype(np.float64)
            for factor in (tap.row_weight, tap.column_weight):
                if factor is not None:
                    weight *= factor
            index, weight = tap.index.reshape(-1), weight.reshape(-1)
            for plane, into in zip(planes, total, strict=True):
                into += np.bincount(index, weight * plane, into.size)
        dx[part] = np.moveaxis(total.reshape(channels, -1, height, width), 0, -1)
    return dx


def _parts(shape: tuple[int, ...]) -> Iterator[slice]:
    images = max(1, _PIXELS_AT_ONCE // max(1, shape[1] * shape[2]))
    return (slice(start, min(start + images, shape[0])) for start in range(0, shape[0], images))


def _planes(x: Array) -> Array:
    """(C, pixels): each channel's pixels in a row."""
    return np.ascontiguousarray(np.moveaxis(x, -1, 0)).reshape(x.shape[3], -1)


def _taps(extents: tuple[int, ...], maps: Array, order: int, mode: str) -> Iterator[_Tap]:
    height, width = extents
    i, j = np.arange(height, dtype=np.float64)[:, None], np.arange(width, dtype=np.float64)
    row, column = (
        (maps[:, axis, 2, None, None] + i * maps[:, axis, 0, None, None]) + j * maps[:, axis, 1, None, None]
        for axis in (0, 1)
    )
    is_inside = None
    if mode == "constant":
        is_inside = (row >= 0) & (row <= height - 1) & (column >= 0) & (column <= width - 1)
    row, column = _folded(row, height, mode), _folded(column, width, mode)
    first = (np.arange(len(maps)) * (height * width))[:, None, None]
    for at_row, row_weight in _neighbours(row, order):
        rows, row_is_inside = _indices(at_row, height, mode)
        from_row = rows * width + first
        for at_column, column_weight in _neighbours(column, order):
            columns, column_is_inside = _indices(at_column, width, mode)
            if row_is_inside is not None and column_is_inside is not None:
                is_inside = row_is_inside & column_is_inside
            yield _Tap(from_row + columns, row_weight, column_weight, is_inside)


def _folded(at: Array, extent: int, mode: str) -> Array:
    """Coordinates outside the image, moved to where the mode finds their pixels; up to one pixel beyond the edge."""
    if mode == "nearest":
        return np.clip(at, 0, extent - 1)
    if mode == "reflect":
        period = 2 * extent
        below, above = at < 0, at > extent - 1
        turned = np.where(at < -period, at + period * np.trunc(-at / period), at)
        turned = np.where(turned < -extent, turned + period, -turned - 1)
        wrapped = at - period * np.trunc(at / period)
        wrapped = np.where(wrapped >= extent, period - wrapped - 1, wrapped)
        return np.where(below, turned, np.where(above, wrapped, at))
    if mode == "wrap":
        period = extent - 1
        if period == 0:
            return np.zeros_like(at)
        below, above = at < 0, at > extent - 1
        at = np.where(below, at + period * (np.trunc(-at / period) + 1), at)
        return np.where(above, at - period * np.trunc(at / period), at)
    return at


def _neighbours(at: Array, order: int) -> Iterator[tuple[Array, Array | None]]:
    """The pixels next to the coordinates, and their weights."""
    if order == 0:
        yield np.floor(at + 0.5), None
        return
    before = np.floor(at)
    beyond = at - before
    yield before, 1.0 - beyond
    yield before + 1, beyond


def _indices(at: Array, extent: int, mode: str) -> tuple[Array, Array | None]:
    """Integer coordinates as indices, and which lie inside, for modes that need to know."""
    if mode == "grid-wrap":
        return np.mod(at, extent).astype(np.intp), None
    is_inside = (at >= 0) & (at <= extent - 1) if mode == "grid-constant" else None
    return np.clip(at, 0, extent - 1).astype(np.intp), is_inside


def _rounded(value: Array, dtype: DType) -> Array:
    if dtype.kind not in "iu":
        return value.astype(dtype)
    limits = np.iinfo(dtype)
    rounded = np.clip(np.trunc(value + np.copysign(0.5, value)), limits.min, limits.max)
    return np.asarray(rounded, dtype)
