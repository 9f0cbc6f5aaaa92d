"""Images seen from elsewhere, or pulled about, at random in training."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from distnet import ops
from distnet.arguments import FRACTION, number, whole_number
from distnet.errors import ArgumentError
from distnet.kernels.matrix_products import matmul
from distnet.layers.engine.base import register_layer
from distnet.layers.engine.context import ForwardContext
from distnet.layers.image.box_moves import around
from distnet.layers.image.derived_change import DerivedChange
from distnet.layers.image.factors import limits, pair, range_of_values
from distnet.layers.image.image_layer import Transformation
from distnet.layers.image.row_numbers import RowNumbers
from distnet.ops.image.coordinates import MODES, ORDERS, homography, moved
from distnet.ops.image.filters import bell, sliding
from distnet.ops.tensor import Tensor
from distnet.registry import LEFT_OUT
from distnet.types import Array

_LEAST_SIGMA = 1e-12


class _Distortion(DerivedChange):
    """A change that takes pixels from elsewhere: masks from the nearest ones."""

    moves_pixels: ClassVar[bool] = True

    factor: float | Sequence[float]
    interpolation: str

    def validate(self) -> None:
        super().validate()
        self.factor = limits(self, self.factor, "factor", 0, 1)
        if self.interpolation not in ORDERS:
            raise ArgumentError(
                f"{self.name}: expected an interpolation of {list(ORDERS)}, received {self.interpolation!r}."
            )

    def changed(self, x: Any, transformation: Transformation, ctx: ForwardContext) -> Any:
        return self.distorted(x, transformation, self.interpolation)

    def change_masks(self, masks: Array, transformation: Transformation, ctx: ForwardContext) -> Array:
        y: Tensor = self.distorted(Tensor(masks), transformation, "nearest")
        return y.value

    @abstractmethod
    def distorted(self, x: Any, transformation: Transformation, interpolation: str) -> Any:
        """The images ``x`` (N, H, W, C) distorted."""


@register_layer()
@dataclass(eq=False)
class RandomPerspective(_Distortion):
    """Moves the corners of images at random in training, and what lies between with them.

    Shapes:
        (N, H, W, C) -> the same.

    Args:
        factor: smallest and largest probability, which is drawn for each image; or the largest.
        scale: how far corners move: coordinates change by up to half of this part of them, in [0, 1].
        interpolation: ``"nearest"`` or ``"bilinear"``.
        fill_value: what lies outside the image.
        seed: takes the place of the global seed.

    Source: ``keras.layers.RandomPerspective``.
    """

    keeps_mask_type: ClassVar[bool] = True

    factor: float | Sequence[float] = 1.0
    scale: float = number(1.0, FRACTION)
    interpolation: str = "bilinear"
    fill_value: float = 0.0
    seed: int | None = whole_number(None, 0)
    data_format: str | None = field(default=None, metadata=LEFT_OUT)

    def draw(self, shape: tuple[int, ...], numbers: RowNumbers) -> Transformation:
        rows, height, width = shape[:3]
        applies = numbers.happens(pair(self.factor))
        moves = numbers.uniform(8, (-0.5 * self.scale, 0.5 * self.scale)).T.reshape(rows, 4, 2)
        last = np.array([width - 1, height - 1], np.float64)
        start = np.broadcast_to([[0, 0], [1, 0], [0, 1], [1, 1]] * last, (rows, 4, 2))
        return {
            "apply_perspective": applies,
            "start_points": np.array(start),
            "end_points": start + start * moves,
            "input_shape": self.in_own_order(shape),
        }

    def distorted(self, x: Any, transformation: Transformation, interpolation: str) -> Any:
        applies = np.asarray(transformation["apply_perspective"]).reshape(-1, 1, 1, 1)
        points = (np.asarray(transformation[key], x.dtype) for key in ("start_points", "end_points"))
        seen = ops.image.perspective_transform(
            x, *points, interpolation=interpolation, fill_value=self.fill_value, data_format="channels_last"
        )
        return ops.where(applies, seen, x)

    def change_boxes(
        self, boxes: Mapping[str, Array], transformation: Transformation, ctx: ForwardContext
    ) -> dict[str, Array]:
        extent = self.extent_of(transformation["input_shape"])
        applies = np.asarray(transformation["apply_perspective"]).reshape(-1, 1, 1)
        start, end = (np.asarray(transformation[key], np.float64) for key in ("start_points", "end_points"))
        t = np.asarray(homography(end, start)).T[..., None]  # what takes the start points to the end points

        def went(x: Array, y: Array) -> tuple[Array, Array]:
            below = t[6] * x + t[7] * y + 1
            return (t[0] * x + t[1] * y + t[2]) / below, (t[3] * x + t[4] * y + t[5]) / below

        return self.moved_boxes(
            boxes, lambda corners: np.where(applies, np.asarray(around(corners, went)), corners), extent, extent
        )


@register_layer()
@dataclass(eq=False)
class RandomElasticTransform(_Distortion):
    """Moves the pixels of images at random in training, neighbours alike; all images of a batch equally far.

    Shapes:
        (N, H, W, C) -> the same.

    Args:
        factor: smallest and largest probability, which is drawn for each image; or the largest.
        scale: smallest and largest extent of the moves, in [0, 1]; or the largest. At 1 they are smooth over a
            twentieth of the shorter side.
        interpolation: ``"nearest"`` or ``"bilinear"``.
        fill_mode: what lies outside: ``"constant"``, ``"nearest"``, ``"wrap"``, ``"mirror"`` or ``"reflect"``.
        fill_value: fill value of ``"constant"``.
        value_range: the range of values, to which they are clipped.
        seed: takes the place of the global seed.

    Source: ``keras.layers.RandomElasticTransform``.
    """

    factor: float | Sequence[float] = 1.0
    scale: float | Sequence[float] = 1.0
    interpolation: str = "bilinear"
    fill_mode: str = "reflect"
    fill_value: float = 0.0
    value_range: Sequence[float] = (0, 255)
    seed: int | None = whole_number(None, 0)
    data_format: str | None = field(default=None, metadata=LEFT_OUT)

    def validate(self) -> None:
        super().validate()
        self.scale = limits(self, self.scale, "scale", 0, 1)
        self.value_range = range_of_values(self, self.value_range)
        if self.fill_mode not in MODES:
            raise ArgumentError(f"{self.name}: expected a fill_mode of {MODES}, received {self.fill_mode!r}.")

    def draw(self, shape: tuple[int, ...], numbers: RowNumbers) -> Transformation:
        if pair(self.scale)[1] == 0 or pair(self.factor)[1] == 0:
            return None
        rows, height, width = shape[:3]
        applies = numbers.happens(pair(self.factor))
        extent = float(numbers.of_batch(1, pair(self.scale))[0])
        noise = numbers.normal(2 * height * width).reshape(rows, 2, height, width)
        return {"apply_transform": applies, "distortion_factor": extent, "noise": noise}

    def distorted(self, x: Any, transformation: Transformation, interpolation: str) -> Any:
        if transformation is None:
            return x
        applies = np.asarray(transformation["apply_transform"]).reshape(-1, 1, 1, 1)
        moves = self._moves(np.asarray(transformation["noise"], x.dtype), transformation["distortion_factor"])
        pulled = moved(x, *moves, interpolation, self.fill_mode, self.fill_value)
        return ops.clip(ops.where(applies, pulled, x), *pair(self.value_range))

    @staticmethod
    def _moves(noise: Array, scale: float) -> tuple[Array, Array]:
        """How far down and to the right each pixel is taken from, (N, H, W) each."""
        height, width = noise.shape[2:]
        alpha, sigma = max(height, width) * 0.1 * scale, max(min(height, width) * 0.05 * scale, _LEAST_SIGMA)
        size = int(6 * sigma) | 1
        rows, columns = (sliding(bell(size, sigma), extent).astype(noise.dtype) for extent in (height, width))
        smooth = matmul(matmul(rows, noise * sigma), columns.T)
        return smooth[:, 1] * alpha, smooth[:, 0] * alpha
