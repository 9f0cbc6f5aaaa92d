"""Bounding boxes moved with the pixels of their images."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from distnet import ops
from distnet.errors import ShapeError
from distnet.layers.image.box_formats import as_boxes, clip_to_image_size, convert_format, expect_corners
from distnet.types import Array


def crop(boxes: Any, top: Any, left: Any, height: Any, width: Any, bounding_box_format: str = "xyxy") -> Any:
    """Boxes of an image, in a window of it, and cut off at its margins.

    >>> crop([[10.0, 20.0, 50.0, 60.0]], top=10, left=20, height=40, width=30).tolist()
    [[0.0, 10.0, 30.0, 40.0]]

    Args:
        boxes: (..., 4).
        top: row at which the window starts.
        left: column at which it starts.
        height: of the window.
        width: of the window.
        bounding_box_format: only ``"xyxy"``.

    Raises:
        ArgumentError: another format.

    Source: ``keras.utils.bounding_boxes.crop``.
    """
    expect_corners("crop", bounding_box_format)
    numbers = ops.split(as_boxes(boxes), 4, axis=-1)
    limits = zip(numbers, [left, top] * 2, [width, height] * 2, strict=True)
    return ops.concatenate([ops.minimum(ops.maximum(n - start, 0), most) for n, start, most in limits], axis=-1)


def pad(
    boxes: Any, top: Any, left: Any, height: Any = None, width: Any = None, bounding_box_format: str = "xyxy"
) -> Any:
    """Boxes of an image that has got margins above and to the left.

    >>> pad([[10.0, 20.0, 50.0, 60.0]], top=1, left=2).tolist()
    [[12.0, 21.0, 52.0, 61.0]]

    Args:
        boxes: (..., 4).
        top: rows added above.
        left: columns added to the left.
        height: has no effect, as in Keras.
        width: has no effect, as in Keras.
        bounding_box_format: only ``"xyxy"``.

    Raises:
        ArgumentError: another format.

    Source: ``keras.utils.bounding_boxes.pad``.
    """
    expect_corners("pad", bounding_box_format)
    numbers = ops.split(as_boxes(boxes), 4, axis=-1)
    return ops.concatenate([n + start for n, start in zip(numbers, [left, top] * 2, strict=True)], axis=-1)


def affine_transform(
    boxes: Any, angle: Any, translate_x: Any, translate_y: Any, scale: Any, shear_x: Any, shear_y: Any, height: Any,
    width: Any, center_x: Any = None, center_y: Any = None, bounding_box_format: str = "xyxy",
) -> Any:  # fmt: skip
    """The smallest boxes around boxes that were turned, moved, scaled and slanted.

    Args:
        boxes: (N, B, 4); or (B, 4), of one image.
        angle: (N,) in degrees.
        translate_x: (N,) in parts of the width.
        translate_y: (N,) in parts of the height.
        scale: (N,) factors.
        shear_x: (N,) in degrees.
        shear_y: (N,) in degrees.
        height: of the image, in pixels.
        width: of the image, in pixels.
        center_x: around which to turn and scale, in parts of the width; None for 1/2.
        center_y: the same in parts of the height.
        bounding_box_format: only ``"xyxy"``.

    Raises:
        ArgumentError: another format.
        ShapeError: boxes of another shape.

    Source: ``keras.utils.bounding_boxes.affine_transform``.
    """
    expect_corners("affine_transform", bounding_box_format)
    boxes = as_boxes(boxes)
    if boxes.ndim not in (2, 3) or boxes.shape[-1] != 4:
        raise ShapeError(f"affine_transform: expected boxes (N, B, 4) or (B, 4), received {tuple(boxes.shape)}.")
    angle, scale = ops.reshape(as_boxes(angle), (-1,)), as_boxes(scale)
    middle = [
        (0.5 if center is None else center) * (side - 1)
        for center, side in zip((center_x, center_y), (width, height), strict=True)
    ]
    moves = [translate_x * (width - 1), translate_y * (height - 1)]
    inner, outer = _matrix(angle, shear_x, shear_y), [m - move for m, move in zip(middle, moves, strict=True)]
    rows = []
    for i, own in enumerate(inner):
        along, across = (ops.reshape(n * scale, (-1, 1)) for n in own)
        rest = ops.reshape(middle[i], (-1, 1)) - along * _column(outer[0]) - across * _column(outer[1])
        rows.append((along, across, rest))

    def mapped(x: Any, y: Any) -> tuple[Any, Any]:
        across, down = (along * x + other * y + rest for along, other, rest in rows)
        return across, down

    batch = ops.cast(boxes if boxes.ndim == 3 else boxes[None], angle.dtype)
    made = around(batch, mapped)
    return made if boxes.ndim == 3 else made[0]


def moved(
    boxes: Mapping[str, Array],
    name: str,
    move: Callable[[Array], Array],
    before: tuple[int | None, int | None],
    after: tuple[int, int],
) -> dict[str, Any]:
    """Boxes in a format, moved as corners in pixels, and cut off where the image ends.

    Args:
        boxes: ``"boxes"`` (N, B, 4) and ``"labels"`` (N, B).
        name: the format, which the result has, too.
        move: left, top, right and bottom (N, B, 4) -> the same elsewhere.
        before: height and width of the image; None where the format needs none.
        after: height and width of the changed image.
    """
    corners = np.asarray(convert_format(boxes["boxes"], name, "xyxy", *before, dtype="float64"))
    clipped = clip_to_image_size({**boxes, "boxes": move(corners)}, *after)
    return dict(convert_format(clipped, "xyxy", name, *after, dtype=boxes["boxes"].dtype))


def _column(numbers: Any) -> Any:
    """One number for each image, beside those of its boxes."""
    return ops.reshape(numbers, (-1, 1))


def _matrix(angle: Any, shear_x: Any, shear_y: Any) -> list[tuple[Any, Any]]:
    """The two rows of the map that turns and slants."""
    turn, slant_x, slant_y = (-(a * (np.pi / 180)) for a in (angle, shear_x, shear_y))
    a = ops.cos(turn - slant_y) / ops.cos(slant_y)
    c = -ops.sin(turn - slant_y) / ops.cos(slant_y)
    b = a * ops.tan(slant_x) + ops.sin(turn)
    d = ops.cos(turn) - c * ops.tan(slant_x)
    return [(d, -b), (-c, a)]


def around(boxes: Any, mapped: Callable[[Any, Any], tuple[Any, Any]]) -> Any:
    """The smallest boxes around the four corners of boxes, of which each goes elsewhere.

    Args:
        boxes: (N, B, 4), two corners each.
        mapped: (N, B) columns and rows -> where they go.
    """
    left, top, right, bottom = (boxes[..., i] for i in range(4))
    corners = [mapped(x, y) for x in (left, right) for y in (top, bottom)]
    x, y = (ops.stack(list(numbers), axis=-1) for numbers in zip(*corners, strict=True))
    return ops.stack([reduced(n, axis=-1) for reduced in (ops.min, ops.max) for n in (x, y)], axis=-1)
