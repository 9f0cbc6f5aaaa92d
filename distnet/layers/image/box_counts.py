"""Images with a fixed number of bounding boxes each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, ClassVar

import numpy as np

from distnet.arguments import COUNT
from distnet.layers.engine.base import register_layer
from distnet.layers.engine.context import BackwardContext, ForwardContext
from distnet.layers.image.image_layer import ImageLayer, Transformation
from distnet.layers.image.image_parts import OF_BOXES
from distnet.layers.image.row_numbers import RowNumbers
from distnet.registry import IF_SET, LEFT_OUT
from distnet.types import Array, Shape


@register_layer()
@dataclass(eq=False)
class MaxNumBoundingBoxes(ImageLayer):
    """Keeps the first boxes of each image, and fills up where there are fewer; the images stay as they are.

    Shapes:
        (N, H, W, C) -> the same; boxes (N, B, 4) -> (N, max_number, 4), their labels (N, B) -> (N, max_number).

    Args:
        max_number: how many boxes each image then has.
        fill_value: what boxes that are added, and their labels, consist of.

    Source: ``keras.layers.MaxNumBoundingBoxes``.
    """

    changes_always: ClassVar[bool] = True
    moves_pixels: ClassVar[bool] = True
    keeps_mask_type: ClassVar[bool] = True
    integers_by: ClassVar[Callable[[Array], Array] | None] = np.round

    max_number: int = field(metadata=COUNT)
    fill_value: int = field(default=-1, metadata=IF_SET)
    _: KW_ONLY
    data_format: str | None = field(default=None, metadata=LEFT_OUT)

    def draw(self, shape: tuple[int, ...], numbers: RowNumbers) -> Transformation:
        return {}

    def change(self, x: Array, transformation: Transformation, ctx: ForwardContext) -> tuple[Array, None]:
        return x, None

    def change_back(self, dy: Array, saved: None, ctx: BackwardContext) -> Array:
        return dy

    def change_boxes(
        self, boxes: Mapping[str, Array], transformation: Transformation, ctx: ForwardContext
    ) -> dict[str, Array]:
        return {key: self._counted(part) for key, part in boxes.items()}

    def _counted(self, part: Array) -> Array:
        kept = part[:, : self.max_number]
        margins = ((0, 0), (0, self.max_number - kept.shape[1]), *((0, 0),) * (part.ndim - 2))
        return np.pad(kept, margins, constant_values=self.fill_value)

    def shape_of_part(self, name: str, shape: Shape) -> Shape:
        return (shape[0], self.max_number, *shape[2:]) if name in OF_BOXES else shape

    def transform_bounding_boxes(
        self, bounding_boxes: Mapping[str, Any], transformation: Transformation = None, training: bool = True
    ) -> dict[str, Any]:
        """The boxes cut to ``max_number``, or filled up."""
        return super().transform_bounding_boxes(bounding_boxes, {}, training)
