"""Bounding boxes as differences from anchors, as detectors predict them, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from distnet import ops
from distnet.config import epsilon
from distnet.errors import ArgumentError
from distnet.layers.image.box_formats import convert_format

_ENCODINGS = ("center_xywh", "center_yxhw")


def encode_box_to_deltas(
    anchors: Any, boxes: Any, anchor_format: str, box_format: str, encoding_format: str = "center_yxhw",
    variance: Sequence[float] | None = None, image_shape: Sequence[int] | None = None,
) -> Any:  # fmt: skip
    """How far the centres of boxes are from those of anchors, in extents of these; and the logarithms of the
    ratios of their extents.

    Shapes:
        anchors (A, 4), boxes (A, 4) or (N, A, 4) -> as boxes.

    Args:
        anchors: the anchors.
        boxes: a box for each.
        anchor_format: how anchors are written.
        box_format: how boxes are written.
        encoding_format: ``"center_xywh"`` or ``"center_yxhw"``.
        variance: 4 numbers by which the differences are divided.
        image_shape: height and width of the image, and its channels, for relative formats.

    Raises:
        ArgumentError: an encoding of another kind, or other than 4 variances.

    Source: ``keras.utils.bounding_boxes.encode_box_to_deltas``.
    """
    divisor = _checked("encode_box_to_deltas", encoding_format, variance)
    height, width = extent_of(image_shape)
    anchors = convert_format(anchors, anchor_format, encoding_format, height, width)
    boxes = convert_format(boxes, box_format, encoding_format, height, width)
    of_anchors, of_boxes = (ops.maximum(b[..., 2:], epsilon()) for b in (anchors, boxes))
    moves = (boxes[..., :2] - anchors[..., :2]) / of_anchors
    deltas = ops.concatenate([moves, ops.log(of_boxes / of_anchors)], axis=-1)
    return deltas if divisor is None else deltas / divisor


def decode_deltas_to_boxes(
    anchors: Any, boxes_delta: Any, anchor_format: str, box_format: str, encoded_format: str = "center_yxhw",
    variance: Sequence[float] | None = None, image_shape: Sequence[int] | None = None,
) -> Any:  # fmt: skip
    """The boxes that ``encode_box_to_deltas`` has made differences of.

    Shapes:
        anchors (A, 4), deltas (A, 4) or (N, A, 4) -> as deltas.

    Args:
        anchors: the anchors, or a dict of those of each level.
        boxes_delta: the differences, in the same structure.
        anchor_format: how anchors are written.
        box_format: the format wanted.
        encoded_format: ``"center_xywh"`` or ``"center_yxhw"``.
        variance: 4 numbers by which the differences were divided.
        image_shape: height and width of the image, and its channels, for relative formats.

    Raises:
        ArgumentError: an encoding of another kind, or other than 4 variances.

    Source: ``keras.utils.bounding_boxes.decode_deltas_to_boxes``.
    """
    factor = _checked("decode_deltas_to_boxes", encoded_format, variance)
    height, width = extent_of(image_shape)

    def decoded(of_level: Any, deltas: Any) -> Any:
        own = convert_format(of_level, anchor_format, encoded_format, height, width)
        deltas = ops.cast(deltas, "float32") if factor is None else ops.cast(deltas, "float32") * factor
        centres = deltas[..., :2] * own[..., 2:] + own[..., :2]
        boxes = ops.concatenate([centres, ops.exp(deltas[..., 2:]) * own[..., 2:]], axis=-1)
        return convert_format(boxes, encoded_format, box_format, height, width)

    if isinstance(anchors, Mapping) and isinstance(boxes_delta, Mapping):
        return {level: decoded(of_level, boxes_delta[level]) for level, of_level in anchors.items()}
    return decoded(anchors, boxes_delta)


def extent_of(image_shape: Sequence[int] | None) -> tuple[int | None, int | None]:
    """Height and width, where they are known."""
    return (None, None) if image_shape is None else (image_shape[0], image_shape[1])


def _checked(where: str, encoding: str, variance: Sequence[float] | None) -> Any:
    """The variances as an array, if there are some."""
    if encoding not in _ENCODINGS:
        raise ArgumentError(f"{where}: expected an encoding of {_ENCODINGS}, received {encoding!r}.")
    if variance is None:
        return None
    numbers = ops.convert_to_tensor(variance, "float32")
    if tuple(numbers.shape)[-1:] != (4,):
        raise ArgumentError(f"{where}: expected 4 variances, received {variance!r}.")
    return numbers
