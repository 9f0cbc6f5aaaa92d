"""Random parameters of image changes, drawn by address: those of a row are the same on every rank."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from distnet import addresses
from distnet.errors import ArgumentError
from distnet.preprocessing.image.transforms import Transforms
from distnet.types import Array

_NUMBERS = 12
"""Random numbers for one image, whether its changes use them or not."""


class Ranges(Protocol):
    """The limits of the changes; ``ImageDataGenerator`` says what each means."""

    rotation_range: float
    width_shift_range: Any
    height_shift_range: Any
    brightness_range: Sequence[float] | None
    shear_range: float
    zoom_range: Any
    channel_shift_range: float
    horizontal_flip: bool
    vertical_flip: bool


def draw_transforms(
    ranges: Ranges, address: tuple[int | str, ...], epoch: int, rows: Array, height: int, width: int
) -> Transforms:
    """The changes of some rows in an epoch.

    Args:
        address: address of the data set's changes.
        epoch: number of the epoch.
        rows: number of each row in the data set.
        height, width: of the images.
    """
    bits = [addresses.row_bits((*address, "change"), epoch, int(row), 1, _NUMBERS)[0] for row in rows]
    u = (np.array(bits, np.float64).reshape(len(rows), _NUMBERS) / 2.0**32).T
    low, high = ranges.zoom_range
    shift, brightness = ranges.channel_shift_range, ranges.brightness_range
    return Transforms(
        theta=_symmetric(u[0], ranges.rotation_range),
        tx=_shift(u[1], u[2], ranges.height_shift_range, height),
        ty=_shift(u[3], u[4], ranges.width_shift_range, width),
        shear=_symmetric(u[5], ranges.shear_range),
        zx=low + u[6] * (high - low),
        zy=low + u[7] * (high - low),
        flip_horizontal=(u[8] < 0.5) & bool(ranges.horizontal_flip),
        flip_vertical=(u[9] < 0.5) & bool(ranges.vertical_flip),
        channel_shift_intensity=_symmetric(u[10], shift) if shift else None,
        brightness=None if brightness is None else brightness[0] + u[11] * (brightness[1] - brightness[0]),
    )


def limits(value: Any, what: str) -> list[float]:
    """A list of two numbers.

    Raises:
        ArgumentError: ``value`` is something else.
    """
    is_pair = isinstance(value, list | tuple) and len(value) == 2
    if not is_pair or not all(isinstance(number, int | float) for number in value):
        raise ArgumentError(f"{what}: expected two numbers, received {value!r}.")
    return list(value)


def _symmetric(u: Array, reach: float) -> Array:
    return (2 * u - 1) * reach


def _shift(u: Array, u_sign: Array, reach: Any, extent: int) -> Array:
    """Pixels: up to ``reach`` to either side; or a choice from its numbers or, if it is an int, from those below it."""
    if isinstance(reach, float | np.floating):
        pixels = _symmetric(u, float(reach))
    else:
        choices = np.arange(reach) if isinstance(reach, int | np.integer) else np.asarray(reach)
        if not choices.size:
            return np.zeros_like(u)
        pixels = choices[(u * choices.size).astype(np.intp)] * np.where(u_sign < 0.5, -1.0, 1.0)
    return pixels * extent if np.max(reach) < 1 else pixels
