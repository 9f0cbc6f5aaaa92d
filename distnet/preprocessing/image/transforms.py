"""Changes of images with given parameters: affine maps, flips, channel shifts and brightness.

They work on whole batches, channels last; the functions for single images have Keras's arguments.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from distnet.errors import ArgumentError, ShapeError
from distnet.kernels.warp import warp
from distnet.preprocessing.image.pictures import stretched
from distnet.types import Array

FILL_MODES = ("constant", "nearest", "reflect", "wrap")
_WHITE = 255


@dataclass(frozen=True)
class Transforms:
    """The parameters of image changes, each an array of one number for each image.

    Args:
        theta: rotation in degrees.
        tx: shift in pixels along the columns, as in Keras.
        ty: shift in pixels along the rows.
        shear: angle in degrees.
        zx: scale along the columns; above 1 shrinks.
        zy: scale along the rows.
        flip_horizontal: whether to mirror left and right.
        flip_vertical: whether to mirror top and bottom.
        channel_shift_intensity: added to all values; None for no such change.
        brightness: factor of all values; None for no such change.
    """

    theta: Array
    tx: Array
    ty: Array
    shear: Array
    zx: Array
    zy: Array
    flip_horizontal: Array
    flip_vertical: Array
    channel_shift_intensity: Array | None = None
    brightness: Array | None = None

    @classmethod
    def of_one(cls, parameters: Mapping[str, Any]) -> Transforms:
        """The parameters of one image, from Keras's dict; what is missing changes nothing."""
        neutral: dict[str, Any] = {"zx": 1.0, "zy": 1.0, "channel_shift_intensity": None, "brightness": None}
        unknown = sorted(set(parameters) - {f.name for f in dataclasses.fields(cls)})
        if unknown:
            known = [f.name for f in dataclasses.fields(cls)]
            raise ArgumentError(f"apply_transform: expected some of {known}, received also {unknown}.")
        given = {f.name: parameters.get(f.name, neutral.get(f.name, 0.0)) for f in dataclasses.fields(cls)}
        arrays: dict[str, Any] = {
            name: None if number is None else np.array([number]) for name, number in given.items()
        }
        return cls(**arrays)

    def first(self) -> dict[str, Any]:
        """Keras's dict of the first image's parameters."""
        arrays = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return {name: None if array is None else array[0].item() for name, array in arrays.items()}

    def maps(self, height: int, width: int) -> Array:
        """(N, 2, 3) maps from pixels of the results to pixels of the images."""
        count = len(self.theta)
        theta, shear = np.deg2rad(self.theta), np.deg2rad(self.shear)
        rotation, shift, shearing, zoom = (np.tile(np.eye(3), (count, 1, 1)) for _ in range(4))
        rotation[:, 0, 0], rotation[:, 0, 1] = np.cos(theta), -np.sin(theta)
        rotation[:, 1, 0], rotation[:, 1, 1] = np.sin(theta), np.cos(theta)
        shift[:, 0, 2], shift[:, 1, 2] = self.tx, self.ty
        shearing[:, 0, 1], shearing[:, 1, 1] = -np.sin(shear), np.cos(shear)
        zoom[:, 0, 0], zoom[:, 1, 1] = self.zx, self.zy
        centred, back = np.eye(3), np.eye(3)
        centred[:2, 2] = height / 2 - 0.5, width / 2 - 0.5
        back[:2, 2] = -centred[:2, 2]
        whole = centred @ (rotation @ shift @ shearing @ zoom) @ back
        # Keras builds the matrix for (column, row), but around the centre of (row, column).
        return whole[:, [1, 0]][:, :, [1, 0, 2]]


def transformed(x: Array, changes: Transforms, fill_mode: str, cval: float, order: int) -> Array:
    """Images after their changes, in Keras's order; ``x`` itself stays as it is.

    Shapes:
        (N, H, W, C) -> the same.
    """
    maps = changes.maps(*x.shape[1:3])
    is_moved = np.any(maps != np.eye(3)[:2])
    y = warp(x, maps, order, fill_mode, cval) if is_moved else x.copy()
    if changes.channel_shift_intensity is not None:
        low, high = y.min(axis=(1, 2, 3), keepdims=True), y.max(axis=(1, 2, 3), keepdims=True)
        y = np.clip(y + _each(changes.channel_shift_intensity, y), low, high)
    flipped = np.flatnonzero(changes.flip_horizontal)
    y[flipped] = y[flipped][:, :, ::-1]
    flipped = np.flatnonzero(changes.flip_vertical)
    y[flipped] = y[flipped][:, ::-1]
    if changes.brightness is not None:
        for image, brightness in zip(y, changes.brightness, strict=True):
            image[...] = _brightened(image, float(brightness), scale=False)
    return y


def apply_affine_transform(
    x: Array,
    theta: float = 0,
    tx: float = 0,
    ty: float = 0,
    shear: float = 0,
    zx: float = 1,
    zy: float = 1,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    order: int = 1,
) -> Array:
    """One image, rotated, shifted, sheared and zoomed; see ``Transforms``.

    Args:
        x: three axes, in the order of ``row_axis``, ``col_axis`` and ``channel_axis``.
        fill_mode: what lies outside the image: ``"constant"``, ``"nearest"``, ``"reflect"`` or ``"wrap"``.
        cval: fill value of ``"constant"``.
        order: order of the interpolation, 0 or 1.

    Raises:
        ArgumentError: ``fill_mode`` or ``order`` is unknown, or the axes are not 0, 1 and 2.
        ShapeError: ``x`` does not have three axes.

    Source: ``keras.preprocessing.image.apply_affine_transform``.
    """
    check_filling(fill_mode, order, "apply_affine_transform")
    axes = (row_axis, col_axis, channel_axis)
    if sorted(axes) != [0, 1, 2]:
        raise ArgumentError(f"apply_affine_transform: expected the axes 0, 1 and 2, received {axes}.")
    if x.ndim != 3:
        raise ShapeError(f"apply_affine_transform: expected one image, received an array of shape {x.shape}.")
    changes = Transforms.of_one({"theta": theta, "tx": tx, "ty": ty, "shear": shear, "zx": zx, "zy": zy})
    y = transformed(x.transpose(axes)[None], changes, fill_mode, cval, order)[0]
    return np.asarray(y.transpose(tuple(np.argsort(axes))))


def apply_channel_shift(x: Array, intensity: float, channel_axis: int = 0) -> Array:
    """``x + intensity``, clipped to the smallest and the largest value of ``x``.

    Args:
        channel_axis: Keras's; all channels change in the same way.

    Source: ``keras.preprocessing.image.apply_channel_shift``.
    """
    return np.asarray(np.clip(x + intensity, x.min(), x.max()))


def apply_brightness_shift(x: Array, brightness: float, scale: bool = True) -> Array:
    """One image with its values, as 8-bit integers, multiplied by ``brightness``; a fourth channel stays as it is.

    Args:
        x: (height, width, channels).
        scale: first shift and scale the values to 0 ... 255.

    Source: ``keras.preprocessing.image.apply_brightness_shift``, and Pillow's ``ImageEnhance.Brightness``.
    """
    return _brightened(x, brightness, scale)


def check_filling(fill_mode: str, order: int, where: str) -> None:
    """Fail unless this filling and this interpolation are supported.

    Raises:
        ArgumentError: one is not.
    """
    if fill_mode not in FILL_MODES:
        raise ArgumentError(f"{where}: expected a fill_mode of {FILL_MODES}, received {fill_mode!r}.")
    if order not in (0, 1):
        raise ArgumentError(f"{where}: expected an interpolation order of 0 (nearest) or 1 (linear), received {order}.")


def _brightened(x: Array, brightness: float, scale: bool) -> Array:
    if x.size == 0:
        return x
    low, high = x.min(), x.max()
    is_outside = bool(low < 0 or high > _WHITE)
    pixels = (stretched(x) if is_outside or scale else x).astype(np.uint8)
    # Pillow multiplies in single precision and truncates.
    bright = np.clip(np.float32(brightness) * pixels.astype(np.float32), 0, _WHITE).astype(np.uint8)
    if x.shape[-1] == 4:
        bright[..., 3] = pixels[..., 3]
    y = bright.astype(x.dtype)
    return np.asarray(y / _WHITE * (high - low) + low) if is_outside and not scale else y


def _each(numbers: Array, x: Array) -> Array:
    return numbers.astype(x.dtype)[:, None, None, None]
