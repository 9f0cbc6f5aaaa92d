"""Images resized or cropped."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, TypeAlias

import numpy as np

from distnet.arguments import COUNT, whole_number
from distnet.errors import ArgumentError
from distnet.kernels.matrix_products import matmul
from distnet.layers.engine.base import register_layer
from distnet.layers.engine.context import BackwardContext, ForwardContext
from distnet.layers.image.image_layer import ImageLayer, Transformation
from distnet.layers.image.row_numbers import RowNumbers
from distnet.ops.image.sampling import INTERPOLATIONS, resize_matrix
from distnet.registry import IF_SET, LEFT_OUT
from distnet.types import Array, Shape

Window: TypeAlias = tuple[slice, slice]
"""Rows and columns to keep of an image."""


@register_layer()
@dataclass(eq=False)
class Resizing(ImageLayer):
    """Resizes images.

    Shapes:
        (N, H, W, C) -> (N, height, width, C).

    Args:
        height: of the result.
        width: of the result.
        interpolation: ``"bilinear"``, ``"nearest"``, ``"bicubic"``, ``"lanczos3"`` or ``"lanczos5"``.
        crop_to_aspect_ratio: crop the margins rather than distort.
        pad_to_aspect_ratio: add margins of ``fill_value`` rather than distort.
        fill_mode: only ``"constant"``.
        antialias: when shrinking, average over all pixels.

    Source: ``keras.layers.Resizing`` on JAX.
    """

    changes_always: ClassVar[bool] = True
    moves_pixels: ClassVar[bool] = True
    keeps_mask_type: ClassVar[bool] = True
    integers_by: ClassVar[Callable[[Array], Array] | None] = np.round

    height: int = field(metadata=COUNT)
    width: int = field(metadata=COUNT)
    interpolation: str = "bilinear"
    crop_to_aspect_ratio: bool = False
    pad_to_aspect_ratio: bool = field(default=False, metadata=IF_SET)
    fill_mode: str = field(default="constant", metadata=IF_SET)
    fill_value: float = field(default=0.0, metadata=IF_SET)
    antialias: bool = field(default=False, metadata=IF_SET)
    data_format: str | None = field(default=None, metadata=LEFT_OUT)

    def validate(self) -> None:
        super().validate()
        if self.interpolation not in INTERPOLATIONS:
            raise ArgumentError(
                f"{self.name}: expected an interpolation of {INTERPOLATIONS}, received {self.interpolation!r}."
            )
        if self.fill_mode != "constant":
            raise ArgumentError(f"{self.name}: expected fill_mode 'constant', received {self.fill_mode!r}.")
        if self.crop_to_aspect_ratio and self.pad_to_aspect_ratio:
            raise ArgumentError(f"{self.name}: expected to crop or to pad to the aspect ratio, received both.")

    def shape_last(self, shape: Shape) -> Shape:
        return (shape[0], self.height, self.width, shape[3])

    def draw(self, shape: tuple[int, ...], numbers: RowNumbers) -> Transformation:
        return shape[1:3]

    def change(self, x: Array, transformation: Transformation, ctx: ForwardContext) -> tuple[Array, tuple[int, ...]]:
        return self._resized(x, self.interpolation), x.shape

    def change_masks(self, masks: Array, transformation: Transformation, ctx: ForwardContext) -> Array:
        return self._resized(masks, "nearest")

    def change_boxes(
        self, boxes: Mapping[str, Array], transformation: Transformation, ctx: ForwardContext
    ) -> dict[str, Array]:
        """The boxes of resized images, with margins rounded as Keras does; boxes of zeros or of -1 become zeros."""
        height, width = (int(side) for side in transformation)
        down, right = self.height / height, self.width / width
        if self.crop_to_aspect_ratio or self.pad_to_aspect_ratio:
            down = right = max(down, right) if self.crop_to_aspect_ratio else min(down, right)
        margins = [_half(self.width - width * right), _half(self.height - height * down)] * 2
        scales = [right, down] * 2
        made = self.moved_boxes(
            boxes, lambda corners: corners * scales + margins, (height, width), (self.height, self.width)
        )
        is_filling = [np.all(boxes["boxes"] == value, axis=-1, keepdims=True) for value in (0, -1)]
        return {**made, "boxes": np.where(is_filling[0] | is_filling[1], made["boxes"].dtype.type(0), made["boxes"])}

    def _resized(self, x: Array, interpolation: str) -> Array:
        window, (top, left) = self._window(x.shape)
        cut = x[:, window[0], window[1]]
        if top or left:
            margins = ((0, 0), (top, top), (left, left), (0, 0))
            cut = np.pad(cut, margins, constant_values=self.fill_value)
        return resize(cut, (self.height, self.width), interpolation, self.antialias)

    def change_back(self, dy: Array, saved: tuple[int, ...], ctx: BackwardContext) -> Array:
        window, (top, left) = self._window(saved)
        rows, columns = (part.stop - part.start for part in window)
        padded = (saved[0], rows + 2 * top, columns + 2 * left, saved[3])
        of_padded = resize_gradient(dy, padded, self.interpolation, self.antialias)
        dx = np.zeros(saved, dy.dtype)
        dx[:, window[0], window[1]] = of_padded[:, top : top + rows, left : left + columns]
        return dx

    def _window(self, shape: tuple[int, ...]) -> tuple[Window, tuple[int, int]]:
        """The part of an image to keep, and the margins to add above and below, left and right."""
        rows, columns = shape[1:3]
        if self.crop_to_aspect_ratio:
            return largest_window(rows, columns, self.height, self.width), (0, 0)
        whole = (slice(0, rows), slice(0, columns))
        if not self.pad_to_aspect_ratio:
            return whole, (0, 0)
        top = (max(rows, int(columns * self.height / self.width)) - rows) // 2
        left = (max(columns, int(rows * self.width / self.height)) - columns) // 2
        return whole, (top, 0 if top else left)


@dataclass(eq=False)
class _Cropped(ImageLayer):
    """Crops a window of (height, width) from each image; smaller images are resized."""

    changes_always: ClassVar[bool] = True
    moves_pixels: ClassVar[bool] = True

    def shape_last(self, shape: Shape) -> Shape:
        return (shape[0], *self._size(), shape[3])

    @abstractmethod
    def _size(self) -> tuple[int, int]:
        """Height and width of the result."""

    def _boxes_within(
        self, boxes: Mapping[str, Array], window: Window, extent: tuple[int | None, int | None]
    ) -> dict[str, Array]:
        """Boxes of images of this extent, in the window, which may have been resized."""
        starts = [window[1].start, window[0].start] * 2
        height, width = self._size()
        scales = [width / (window[1].stop - window[1].start), height / (window[0].stop - window[0].start)] * 2
        return self.moved_boxes(boxes, lambda corners: (corners - starts) * scales, extent, (height, width))

    def _cut(self, x: Array, window: Window) -> tuple[Array, tuple[tuple[int, ...], Window]]:
        cut = x[:, window[0], window[1]]
        y = cut if cut.shape[1:3] == self._size() else resize(cut, self._size())
        return y, (x.shape, window)

    def change_back(self, dy: Array, saved: tuple[tuple[int, ...], Window], ctx: BackwardContext) -> Array:
        shape, window = saved
        rows, columns = (part.stop - part.start for part in window)
        is_cut = (rows, columns) == self._size()
        dx = np.zeros(shape, dy.dtype)
        dx[:, window[0], window[1]] = dy if is_cut else resize_gradient(dy, (shape[0], rows, columns, shape[3]))
        return dx


@register_layer()
@dataclass(eq=False)
class CenterCrop(_Cropped):
    """Crops the centre of images; of a smaller image, it resizes the largest window of the same shape.

    Shapes:
        (N, H, W, C) -> (N, height, width, C).

    Source: ``keras.layers.CenterCrop``.
    """

    height: int = field(metadata=COUNT)
    width: int = field(metadata=COUNT)
    data_format: str | None = field(default=None, metadata=LEFT_OUT)

    def _size(self) -> tuple[int, int]:
        return self.height, self.width

    def draw(self, shape: tuple[int, ...], numbers: RowNumbers) -> Transformation:
        return {"input_shape": self.in_own_order(shape)}

    def change(
        self, x: Array, transformation: Transformation, ctx: ForwardContext
    ) -> tuple[Array, tuple[tuple[int, ...], Window]]:
        return self._cut(x, self._centre(x.shape[1], x.shape[2]))

    def change_boxes(
        self, boxes: Mapping[str, Array], transformation: Transformation, ctx: ForwardContext
    ) -> dict[str, Array]:
        extent = self.extent_of(transformation["input_shape"])
        return self._boxes_within(boxes, self._centre(*extent), extent)

    def _centre(self, rows: int, columns: int) -> Window:
        """The part of an image to keep."""
        top, left = (rows - self.height) // 2, (columns - self.width) // 2
        if top < 0 or left < 0:
            return largest_window(rows, columns, self.height, self.width)
        return slice(top, top + self.height), slice(left, left + self.width)


class _Place(tuple[int, int]):
    """The row and the column at which a window starts, as Keras draws them; boxes need to know more.

    Args:
        window: the window.
        extent: height and width of the image.
    """

    window: Window
    extent: tuple[int, int]

    @classmethod
    def of(cls, window: Window, extent: Sequence[int]) -> _Place:
        place = cls(part.start for part in window)
        place.window, place.extent = window, (extent[0], extent[1])
        return place


@register_layer()
@dataclass(eq=False)
class RandomCrop(_Cropped):
    """Crops images at random in training, at one place for the whole batch.

    In inference, and for images that are not larger in both directions, it takes the largest window of that shape
    around the centre, and resizes it.

    Shapes:
        (N, H, W, C) -> (N, height, width, C).

    Args:
        height: of the result.
        width: of the result.
        seed: takes the place of the global seed.

    Source: ``keras.layers.RandomCrop`` as it is documented.
    """

    height: int = field(metadata=COUNT)
    width: int = field(metadata=COUNT)
    seed: int | None = whole_number(None, 0)
    data_format: str | None = field(default=None, metadata=LEFT_OUT)

    def _size(self) -> tuple[int, int]:
        return self.height, self.width

    def draw(self, shape: tuple[int, ...], numbers: RowNumbers) -> Transformation:
        spare = self._spare(shape)
        if not numbers.ctx.augments or min(spare) <= 0:
            return _Place.of(largest_window(shape[1], shape[2], self.height, self.width), shape[1:3])
        drawn = numbers.of_batch(2)
        top, left = (math.floor(u * (most + 1)) for u, most in zip(drawn, spare, strict=True))
        return _Place.of(self._window_at(top, left), shape[1:3])

    def change(
        self, x: Array, transformation: Transformation, ctx: ForwardContext
    ) -> tuple[Array, tuple[tuple[int, ...], Window]]:
        if not ctx.augments or min(self._spare(x.shape)) <= 0:
            return self._cut(x, largest_window(x.shape[1], x.shape[2], self.height, self.width))
        return self._cut(x, self._window_at(*transformation))

    def change_boxes(
        self, boxes: Mapping[str, Array], transformation: Transformation, ctx: ForwardContext
    ) -> dict[str, Array]:
        if isinstance(transformation, _Place):
            return self._boxes_within(boxes, transformation.window, transformation.extent)
        return self._boxes_within(boxes, self._window_at(*transformation), (None, None))

    def _window_at(self, top: int, left: int) -> Window:
        top, left = int(top), int(left)
        return slice(top, top + self.height), slice(left, left + self.width)

    def _spare(self, shape: tuple[int, ...]) -> tuple[int, int]:
        return shape[1] - self.height, shape[2] - self.width


def _half(margin: float) -> int:
    """Half of a margin in whole pixels, toward 0; as it were without the errors of rounding."""
    return math.trunc(round(margin / 2, 6))


def largest_window(rows: int, columns: int, height: int, width: int) -> Window:
    """The largest window around an image's centre with this ratio of height to width."""
    tall = max(min(rows, int(columns * height / width)), 1)
    wide = max(min(columns, int(rows * width / height)), 1)
    top, left = (rows - tall) // 2, (columns - wide) // 2
    return slice(top, top + tall), slice(left, left + wide)


def resize(x: Array, size: tuple[int, int], interpolation: str = "bilinear", antialias: bool = False) -> Array:
    """Images (N, H, W, C) resized to (N, *size, C)."""
    of_rows = resize_matrix(x.shape[1], size[0], interpolation, antialias)
    of_columns = resize_matrix(x.shape[2], size[1], interpolation, antialias)
    return _applied(x, of_rows.astype(x.dtype), of_columns.astype(x.dtype))


def resize_gradient(
    dy: Array, shape: tuple[int, ...], interpolation: str = "bilinear", antialias: bool = False
) -> Array:
    """Gradient of ``resize`` with respect to images of ``shape``."""
    of_rows = resize_matrix(shape[1], dy.shape[1], interpolation, antialias)
    of_columns = resize_matrix(shape[2], dy.shape[2], interpolation, antialias)
    return _applied(dy, of_rows.astype(dy.dtype).T, of_columns.astype(dy.dtype).T)


def _applied(x: Array, rows: Array, columns: Array) -> Array:
    """Matrices applied along the rows and the columns of images."""
    images, height, width, channels = x.shape
    tall = matmul(rows, x.reshape(images, height, width * channels)).reshape(images * len(rows), width, channels)
    return matmul(columns, tall).reshape(images, len(rows), len(columns), channels)
