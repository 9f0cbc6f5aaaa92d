"""Images rotated, zoomed, moved and slanted at random in training.

The random numbers of an image are addressed by step and row of the global batch: they are the same on any number
of ranks.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, cast

import numpy as np

from distnet.arguments import whole_number
from distnet.errors import ArgumentError
from distnet.kernels.warp import warp, warp_gradient
from distnet.layers.engine.base import register_layer
from distnet.layers.engine.context import BackwardContext, ForwardContext
from distnet.layers.image.box_moves import around
from distnet.layers.image.factors import OneFactor, between, limits, pair
from distnet.layers.image.image_layer import ImageLayer, Transformation
from distnet.layers.image.row_numbers import RowNumbers
from distnet.registry import LEFT_OUT
from distnet.types import Array

FILL_MODES = {"reflect": "reflect", "wrap": "grid-wrap", "constant": "grid-constant", "nearest": "nearest"}
"""Keras's names -> SciPy's."""
_LEAST_AREA = 1e-12
"""In place of the area 0 that a pixel has where a slanted image is a line."""
_ORDERS = {"nearest": 0, "bilinear": 1}


class _RandomWarp(ImageLayer):
    """Warps images in training by random affine maps, which say where each pixel is taken from."""

    moves_pixels: ClassVar[bool] = True
    keeps_mask_type: ClassVar[bool] = True

    fill_mode: str
    interpolation: str
    seed: int | None
    fill_value: float

    @abstractmethod
    def matrix(self, transformation: Transformation, height: int, width: int) -> Array:
        """(N, 6) numbers: pixel (x, y) is taken from ``a0 x + a1 y + a2, b0 x + b1 y + b2``."""

    def validate(self) -> None:
        super().validate()
        if self.fill_mode not in FILL_MODES:
            raise ArgumentError(
                f"{self.name}: expected a fill_mode of {list(FILL_MODES)}, received {self.fill_mode!r}."
            )
        if self.interpolation not in _ORDERS:
            raise ArgumentError(
                f"{self.name}: expected an interpolation of {list(_ORDERS)}, received {self.interpolation!r}."
            )
        self._order, self._mode = _ORDERS[self.interpolation], FILL_MODES[self.fill_mode]

    def change(self, x: Array, transformation: Transformation, ctx: ForwardContext) -> tuple[Array, Array]:
        maps = self._maps(x.shape, transformation)
        return warp(x, maps, self._order, self._mode, self.fill_value), maps

    def change_back(self, dy: Array, saved: Array, ctx: BackwardContext) -> Array:
        return warp_gradient(dy, saved, self._order, self._mode)

    def change_masks(self, masks: Array, transformation: Transformation, ctx: ForwardContext) -> Array:
        return warp(masks, self._maps(masks.shape, transformation), 0, self._mode, self.fill_value)

    def change_boxes(
        self, boxes: Mapping[str, Array], transformation: Transformation, ctx: ForwardContext
    ) -> dict[str, Array]:
        """The boxes around where the corners go: as pixels do, by the inverse of the map."""
        extent = self.shown_extent(transformation)
        numbers = np.asarray(self.matrix(transformation, *extent), np.float64)
        a0, a1, a2, b0, b1, b2 = numbers[:, :6].T[..., None]
        area = a0 * b1 - a1 * b0
        area = np.where(area == 0, _LEAST_AREA, area)

        def went(x: Array, y: Array) -> tuple[Array, Array]:
            right, down = x - a2, y - b2
            return (b1 * right - a1 * down) / area, (a0 * down - b0 * right) / area

        return self.moved_boxes(boxes, lambda corners: np.asarray(around(corners, went)), extent, extent)

    def shown_extent(self, transformation: Transformation) -> tuple[int, int]:
        """Height and width of the images for which the map was drawn."""
        return self.extent_of(transformation["input_shape"])

    def _maps(self, shape: tuple[int, ...], transformation: Transformation) -> Array:
        """(N, 2, 3) maps from row and column of the result to those of the image."""
        numbers = np.asarray(self.matrix(transformation, *shape[1:3]), np.float64)
        return numbers[:, [4, 3, 5, 1, 0, 2]].reshape(-1, 2, 3)


@dataclass(eq=False)
class _Filled:
    """How pixels between and beyond those of an image are found.

    Args:
        fill_mode: what lies outside the image: ``"reflect"``, ``"wrap"``, ``"constant"`` or ``"nearest"``.
        interpolation: ``"nearest"`` or ``"bilinear"``.
        seed: takes the place of the global seed.
        fill_value: fill value of ``"constant"``.
    """

    fill_mode: str = "reflect"
    interpolation: str = "bilinear"
    seed: int | None = whole_number(None, 0)
    fill_value: float = 0.0
    data_format: str | None = field(default=None, metadata=LEFT_OUT)


@dataclass(eq=False)
class _Stretches:
    height_factor: float | Sequence[float]
    width_factor: float | Sequence[float] | None = None


@dataclass(eq=False)
class _Moves:
    height_factor: float | Sequence[float]
    width_factor: float | Sequence[float]


@register_layer()
@dataclass(eq=False)
class RandomRotation(_Filled, OneFactor, _RandomWarp):
    """Rotates each image at random around its centre in training.

    Shapes:
        (N, H, W, C) -> the same.

    Args:
        factor: smallest and largest angle in full turns, or the largest to either side.

    Source: ``keras.layers.RandomRotation``.
    """

    def validate(self) -> None:
        super().validate()
        self.factor = limits(self, self.factor, "factor", -1, 1)

    def draw(self, shape: tuple[int, ...], numbers: RowNumbers) -> Transformation:
        rows, height, width = shape[:3]
        angle = 360.0 * numbers.uniform(1, pair(self.factor))[0]
        turned = {"angle": angle, "rotation_matrix": self._turned(angle, height, width)}
        return {**turned, "image_height": height, "image_width": width, "batch_size": rows}

    def matrix(self, transformation: Transformation, height: int, width: int) -> Array:
        return np.asarray(transformation["rotation_matrix"])

    def shown_extent(self, transformation: Transformation) -> tuple[int, int]:
        return int(transformation["image_height"]), int(transformation["image_width"])

    @staticmethod
    def _turned(angle: Array, height: int, width: int) -> Array:
        """(N, 8) numbers of ``matrix``, and two zeros."""
        cosine, sine = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
        x, y, zero = (width - 1) / 2, (height - 1) / 2, np.zeros_like(angle)
        of_x = [cosine, -sine, x - x * cosine + y * sine]
        return np.stack([*of_x, sine, cosine, y - x * sine - y * cosine, zero, zero], axis=1)


@register_layer()
@dataclass(eq=False)
class RandomZoom(_Filled, _Stretches, _RandomWarp):
    """Zooms each image at random around its centre in training.

    Shapes:
        (N, H, W, C) -> the same.

    Args:
        height_factor: smallest and largest fraction, above -1, by which more is shown; below 0 the image grows.
        width_factor: the same for the width; None for the height's, so that nothing is distorted.

    Source: ``keras.layers.RandomZoom``.
    """

    def validate(self) -> None:
        super().validate()
        self.height_factor = limits(self, self.height_factor, "height_factor", -1, 1, is_open=True)
        if self.width_factor is not None:
            self.width_factor = limits(self, self.width_factor, "width_factor", -1, 1, is_open=True)

    def draw(self, shape: tuple[int, ...], numbers: RowNumbers) -> Transformation:
        u = numbers.uniform(2)
        tall = 1 + between(u[0], self.height_factor)
        wide = tall if self.width_factor is None else 1 + between(u[1], self.width_factor)
        zooms = {"height_zoom": tall[:, None], "width_zoom": wide[:, None]}
        return {**zooms, "input_shape": self.in_own_order(shape)}

    def matrix(self, transformation: Transformation, height: int, width: int) -> Array:
        tall, wide = (np.asarray(transformation[f"{side}_zoom"])[:, 0] for side in ("height", "width"))
        zero = np.zeros_like(tall)
        right, down = (width - 1) / 2 * (1 - wide), (height - 1) / 2 * (1 - tall)
        return np.stack([wide, zero, right, zero, tall, down], axis=1)


@register_layer()
@dataclass(eq=False)
class RandomTranslation(_Filled, _Moves, _RandomWarp):
    """Moves each image at random in training.

    Shapes:
        (N, H, W, C) -> the same.

    Args:
        height_factor: smallest and largest fraction of the height, in [-1, 1], to move down by.
        width_factor: the same for the width, to move right by.

    Source: ``keras.layers.RandomTranslation``.
    """

    def validate(self) -> None:
        super().validate()
        self.height_factor = limits(self, self.height_factor, "height_factor", -1, 1)
        self.width_factor = limits(self, self.width_factor, "width_factor", -1, 1)

    def draw(self, shape: tuple[int, ...], numbers: RowNumbers) -> Transformation:
        u = numbers.uniform(2)
        down, right = shape[1] * between(u[0], self.height_factor), shape[2] * between(u[1], self.width_factor)
        return {"translations": np.stack([right, down], axis=1), "input_shape": self.in_own_order(shape)}

    def matrix(self, transformation: Transformation, height: int, width: int) -> Array:
        right, down = np.asarray(transformation["translations"]).T
        zero = np.zeros_like(right)
        return np.stack([zero + 1, zero, -right, zero, zero + 1, -down], axis=1)


@dataclass(eq=False)
class _Shears:
    x_factor: float | Sequence[float] = 0.0
    y_factor: float | Sequence[float] = 0.0
    interpolation: str = "bilinear"
    fill_mode: str = "reflect"
    fill_value: float = 0.0
    data_format: str | None = field(default=None, metadata=LEFT_OUT)
    seed: int | None = whole_number(None, 0)


@register_layer()
@dataclass(eq=False)
class RandomShear(_Shears, _RandomWarp):
    """Slants each image at random in training: pixel (x, y) is taken from ``x + a y, y + b x``.

    Shapes:
        (N, H, W, C) -> the same.

    Args:
        x_factor: smallest and largest a, in [0, 1], of either sign; or the largest.
        y_factor: the same for b, which has the sign that a has.

    Source: ``keras.layers.RandomShear``.
    """

    def validate(self) -> None:
        super().validate()
        self._slants = [self._slant(getattr(self, name), name) for name in ("x_factor", "y_factor")]
        self.x_factor, self.y_factor = (_as_keras_reads_it(slant) for slant in self._slants)

    def _slant(self, factor: float | Sequence[float], name: str) -> tuple[float, float]:
        low, high = limits(self, factor, name, -1, 1)
        is_one = not isinstance(factor, list | tuple)
        if (is_one and cast(float, factor) < 0) or (low < 0 and -low != high):
            raise ArgumentError(f"{self.name}: {name} must be one or two numbers in [0, 1], received {factor!r}.")
        return low, high

    def draw(self, shape: tuple[int, ...], numbers: RowNumbers) -> Transformation:
        u = numbers.uniform(3)
        sign = np.where(u[0] > 0.5, -1.0, 1.0)
        slants = [sign * between(part, slant) for part, slant in zip(u[1:], self._slants, strict=True)]
        return {"shear_factor": np.stack(slants, axis=1), "input_shape": self.in_own_order(shape)}

    def matrix(self, transformation: Transformation, height: int, width: int) -> Array:
        along, down = np.asarray(transformation["shear_factor"]).T
        zero = np.zeros_like(along)
        return np.stack([zero + 1, along, zero, down, zero + 1, zero], axis=1)


def _as_keras_reads_it(slant: tuple[float, float]) -> float | tuple[float, float]:
    """One number for either sign: Keras writes both, and cannot read that again."""
    return slant[1] if slant[0] == -slant[1] else slant
