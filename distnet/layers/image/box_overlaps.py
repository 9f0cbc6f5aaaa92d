"""How much bounding boxes overlap."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from distnet import ops
from distnet.config import epsilon
from distnet.errors import ShapeError
from distnet.layers.image.box_deltas import extent_of
from distnet.layers.image.box_formats import as_boxes, convert_format


def compute_iou(
    boxes1: Any, boxes2: Any, bounding_box_format: str, use_masking: bool = False, mask_val: float = -1,
    image_shape: Sequence[int] | None = None,
) -> Any:  # fmt: skip
    """The area that each box shares with each of others, divided by that which they cover together.

    >>> compute_iou([[0.0, 0.0, 2.0, 2.0]], [[1.0, 0.0, 3.0, 2.0]], "xyxy").numpy().round(4)
    array([[0.3333]], dtype=float32)

    Shapes:
        (N, A, 4) or (A, 4), (N, B, 4) or (B, 4) -> (N, A, B) or (A, B).

    Args:
        boxes1: some boxes.
        boxes2: others.
        bounding_box_format: how both are written.
        use_masking: give ``mask_val`` for boxes whose numbers are all below 0.
        mask_val: see above.
        image_shape: height and width of the image, and its channels, for relative formats.

    Raises:
        ShapeError: boxes of another number of axes.
        ArgumentError: an unknown format, or a relative one without ``image_shape``.

    Source: ``keras.utils.bounding_boxes.compute_iou``.
    """
    both = [as_boxes(boxes) for boxes in (boxes1, boxes2)]
    if any(boxes.ndim not in (2, 3) for boxes in both):
        shapes = " and ".join(str(tuple(boxes.shape)) for boxes in both)
        raise ShapeError(f"compute_iou: expected boxes (N, A, 4) or (A, 4), received {shapes}.")
    height, width = extent_of(image_shape)
    first, second = (convert_format(boxes, bounding_box_format, "xyxy", height, width) for boxes in both)
    first, second = ops.expand_dims(first, -2), ops.expand_dims(second, -3)
    shared = _shared(first, second)
    iou = shared / (_area(first) + _area(second) - shared + epsilon())
    if not use_masking:
        return iou
    is_masked = ops.logical_or(ops.max(first, axis=-1) < 0, ops.max(second, axis=-1) < 0)
    return ops.where(is_masked, ops.cast(mask_val, iou.dtype), iou)


def compute_ciou(boxes1: Any, boxes2: Any, bounding_box_format: str, image_shape: Sequence[int] | None = None) -> Any:
    """The overlap of pairs of boxes, less the distance of their centres and the difference of their shapes.

    Shapes:
        (..., 4), (..., 4) -> (...).

    Args:
        boxes1: some boxes.
        boxes2: as many others.
        bounding_box_format: how both are written.
        image_shape: height and width of the image, and its channels, for relative formats.

    Raises:
        ArgumentError: an unknown format, or a relative one without ``image_shape``.

    Source: Z. Zheng et al. (2020), "Distance-IoU Loss"; ``keras.utils.bounding_boxes.compute_ciou``.
    """
    height, width = extent_of(image_shape)
    both = [convert_format(boxes, bounding_box_format, "xyxy", height, width) for boxes in (boxes1, boxes2)]
    tiny = epsilon()
    (wide1, tall1), (wide2, tall2) = ((b[..., 2] - b[..., 0], b[..., 3] - b[..., 1] + tiny) for b in both)
    shared = _shared(*both)
    iou = shared / (wide1 * tall1 + wide2 * tall2 - shared + tiny + tiny)
    first, second = both
    hull = ops.maximum(first[..., 2:], second[..., 2:]) - ops.minimum(first[..., :2], second[..., :2])
    apart = (first[..., :2] + first[..., 2:]) / 2 - (second[..., :2] + second[..., 2:]) / 2
    distance = ops.sum(apart * apart, axis=-1) / (ops.sum(hull * hull, axis=-1) + tiny)
    v = 4 / np.pi**2 * (ops.arctan(wide2 / tall2) - ops.arctan(wide1 / tall1)) ** 2
    return iou - (distance + v * v / (v - iou + (1 + tiny)))


def _area(boxes: Any) -> Any:
    return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])


def _shared(first: Any, second: Any) -> Any:
    """The area that boxes share."""
    sides = ops.minimum(first[..., 2:], second[..., 2:]) - ops.maximum(first[..., :2], second[..., :2])
    sides = ops.maximum(sides, 0)
    return sides[..., 0] * sides[..., 1]
