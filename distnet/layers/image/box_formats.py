"""Bounding boxes in Keras's ways of writing them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from distnet import ops
from distnet.errors import ArgumentError, ShapeError

FORMATS = (
    *("xyxy", "yxyx", "xywh", "center_xywh", "center_yxhw"),
    *("rel_xyxy", "rel_yxyx", "rel_xywh", "rel_center_xywh"),
)
"""Two corners, a corner and the extent, or the centre and the extent; ``rel_``: in parts of the image's extent."""

_RELATIVE = "rel_"


def format_named(where: str, name: object) -> str:
    """The format of this name, in lower case.

    Raises:
        ArgumentError: there is none.
    """
    lower = name.lower() if isinstance(name, str) else name
    if lower not in FORMATS:
        raise ArgumentError(f"{where}: expected a format of boxes of {FORMATS}, received {name!r}.")
    return str(lower)


def expect_corners(where: str, name: str) -> None:
    """Refuse another format than two corners in pixels.

    Raises:
        ArgumentError: it is another.
    """
    if name != "xyxy":
        raise ArgumentError(f"{where}: expected boxes as 'xyxy', received {name!r}. Use convert_format first.")


def convert_format(
    boxes: Any, source: str, target: str, height: Any = None, width: Any = None, dtype: Any = "float32"
) -> Any:
    """Boxes in one format, in another.

    >>> convert_format([[10, 20, 30, 60]], "xyxy", "center_xywh").tolist()
    [[20.0, 40.0, 20.0, 40.0]]

    Shapes:
        (..., 4) -> the same.

    Args:
        boxes: the boxes, or a dict with ``"boxes"``, of which a changed copy is given.
        source: their format, one of ``"xyxy"``, ``"yxyx"``, ``"xywh"``, ``"center_xywh"``, ``"center_yxhw"``,
            ``"rel_xyxy"``, ``"rel_yxyx"``, ``"rel_xywh"``, ``"rel_center_xywh"``, in any case.
        target: the format wanted.
        height: of the image, in pixels; needed where one of the formats is relative to it.
        width: the same.
        dtype: of the result.

    Raises:
        ArgumentError: a format is unknown, or the image's extent is missing.
        ShapeError: the last axis is not of 4 numbers.

    Source: ``keras.utils.bounding_boxes.convert_format``.
    """
    if isinstance(boxes, Mapping):
        return {**boxes, "boxes": convert_format(boxes["boxes"], source, target, height, width, dtype)}
    boxes = ops.cast(boxes, dtype)
    if boxes.shape[-1] != 4:
        raise ShapeError(f"convert_format: expected boxes (..., 4), received {tuple(boxes.shape)}.")
    source, target = (format_named("convert_format", name) for name in (source, target))
    are_relative = [name.startswith(_RELATIVE) for name in (source, target)]
    if any(are_relative) and (height is None or width is None):
        raise ArgumentError(
            f"convert_format: expected height and width of the image for {source!r} and {target!r}, received "
            f"{height!r} and {width!r}."
        )
    if source == target:
        return boxes
    extent = [None if side is None else ops.cast(side, dtype) for side in (width, height)]
    numbers = ops.split(boxes, 4, axis=-1)
    layouts = [name.removeprefix(_RELATIVE) for name in (source, target)]
    if are_relative == [True, False]:
        numbers = [n * side for n, side in zip(numbers, _sides(layouts[0], extent), strict=True)]
    numbers = _laid_out(_corners(numbers, layouts[0]), layouts[1])
    if are_relative == [False, True]:
        numbers = [n / side for n, side in zip(numbers, _sides(layouts[1], extent), strict=True)]
    return ops.concatenate(numbers, axis=-1)


def _sides(layout: str, extent: list[Any]) -> list[Any]:
    """By which side of the image each of the four numbers counts."""
    return (extent[::-1] if _is_down_first(layout) else extent) * 2


def _is_down_first(layout: str) -> bool:
    return layout in ("yxyx", "center_yxhw")


def _other_first(numbers: list[Any]) -> list[Any]:
    return [numbers[i] for i in (1, 0, 3, 2)]


def _corners(numbers: list[Any], layout: str) -> list[Any]:
    """Left, top, right and bottom."""
    x, y, right, bottom = _other_first(numbers) if _is_down_first(layout) else numbers
    if layout.startswith("center"):
        return [x - right / 2, y - bottom / 2, x + right / 2, y + bottom / 2]
    return [x, y, x + right, y + bottom] if layout == "xywh" else [x, y, right, bottom]


def _laid_out(corners: list[Any], layout: str) -> list[Any]:
    """The four numbers of a layout."""
    left, top, right, bottom = corners
    numbers = corners
    if layout.startswith("center"):
        wide, tall = right - left, bottom - top
        numbers = [left + wide / 2, top + tall / 2, wide, tall]
    elif layout == "xywh":
        numbers = [left, top, right - left, bottom - top]
    return _other_first(numbers) if _is_down_first(layout) else numbers


def clip_to_image_size(
    bounding_boxes: Mapping[str, Any], height: Any = None, width: Any = None, bounding_box_format: str = "xyxy"
) -> dict[str, Any]:
    """Boxes cut off where the image ends; one of which nothing is left gets the label -1.

    Args:
        bounding_boxes: ``"boxes"`` (..., 4), and perhaps their ``"labels"``.
        height: of the image, in pixels.
        width: the same.
        bounding_box_format: ``"xyxy"``, or ``"rel_xyxy"``, which needs no extent.

    Raises:
        ArgumentError: another format, or the extent is missing.

    Source: ``keras.utils.bounding_boxes.clip_to_image_size``.
    """
    name = bounding_box_format
    if name not in ("xyxy", "rel_xyxy"):
        raise ArgumentError(f"clip_to_image_size: expected boxes as 'xyxy' or 'rel_xyxy', received {name!r}.")
    if name == "xyxy" and (height is None or width is None):
        raise ArgumentError("clip_to_image_size: expected height and width of the image for boxes as 'xyxy'.")
    boxes = as_boxes(bounding_boxes["boxes"])
    extent = (1, 1) if name == "rel_xyxy" else (width, height)
    limits = [ops.cast(side, boxes.dtype) for side in extent] * 2
    left, top, right, bottom = (
        ops.minimum(ops.maximum(n, 0), most) for n, most in zip(ops.split(boxes, 4, axis=-1), limits, strict=True)
    )
    made = {**bounding_boxes, "boxes": ops.concatenate([left, top, right, bottom], axis=-1)}
    labels = bounding_boxes.get("labels")
    if labels is not None:
        is_left = (right - left) * (bottom - top) > 0
        labels = labels if hasattr(labels, "dtype") else np.asarray(labels)
        is_left = is_left if labels.ndim == boxes.ndim else is_left[..., 0]
        made["labels"] = ops.where(is_left, labels, ops.cast(-1, labels.dtype))
    return made


def as_boxes(boxes: Any) -> Any:
    """Arrays and tensors as they are, lists as arrays."""
    return boxes if hasattr(boxes, "dtype") else ops.convert_to_tensor(boxes)
