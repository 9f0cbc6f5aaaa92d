"""What belongs to images in a dict of Keras's: labels, bounding boxes, segmentation masks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from distnet.errors import ArgumentError
from distnet.types import Array

PARTS = ("images", "bounding_boxes", "labels", "segmentation_masks")
OF_BOXES = ("bounding_boxes/boxes", "bounding_boxes/labels")
"""Paths of boxes and of their labels."""
_KEYS = ("boxes", "labels")


def named_parts(where: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of a dict by their paths, such as ``"bounding_boxes/boxes"``; the images first.

    Raises:
        ArgumentError: there are no images.
    """
    if "images" not in data:
        raise ArgumentError(f"{where}: expected a dict with the key 'images', received {sorted(data)}.")
    parts = {"images": data["images"]}
    for key, value in data.items():
        if isinstance(value, Mapping):
            parts.update({f"{key}/{name}": part for name, part in value.items()})
        else:
            parts[key] = value
    return parts


def nested(parts: Mapping[str, Any], like: Mapping[str, Any]) -> dict[str, Any]:
    """Parts by their paths in the form of the dict that they belong to."""
    return {
        key: {name: parts[f"{key}/{name}"] for name in value} if isinstance(value, Mapping) else parts[key]
        for key, value in like.items()
    }


def with_rows(data: Mapping[str, Any]) -> dict[str, Any]:
    """What belongs to one image as a batch of one."""
    return {
        key: with_rows(value) if isinstance(value, Mapping) else np.asarray(value)[np.newaxis]
        for key, value in data.items()
    }


def without_rows(data: Mapping[str, Any]) -> dict[str, Any]:
    """A batch of one as what belongs to one image."""
    return {key: without_rows(value) if isinstance(value, Mapping) else value[0] for key, value in data.items()}


def dense_boxes(where: str, given: Mapping[str, Any]) -> dict[str, Array]:
    """Boxes (N, B, 4) in single precision and their labels (N, B); lists of different lengths are filled up.

    Boxes that are added are of zeros, with the label -1, as in Keras.

    Raises:
        ArgumentError: it is no dict of ``"boxes"`` and ``"labels"``, or they do not fit each other.
    """
    if not isinstance(given, Mapping) or not set(_KEYS) <= given.keys():
        received = sorted(given) if isinstance(given, Mapping) else type(given).__name__
        raise ArgumentError(
            f"{where}: expected bounding_boxes with the keys 'boxes' and 'labels', received {received}."
        )
    boxes, labels = given["boxes"], given["labels"]
    if isinstance(boxes, list | tuple) and len({len(row) for row in boxes}) > 1:
        most = max(len(row) for row in boxes)
        filled = np.zeros((len(boxes), most, 4), "float32"), np.full((len(boxes), most), -1, "int32")
        for i, (of_boxes, of_labels) in enumerate(zip(boxes, labels, strict=True)):
            filled[0][i, : len(of_boxes)] = np.reshape(of_boxes, (-1, 4))
            filled[1][i, : len(of_labels)] = of_labels
        boxes, labels = filled
    dense = {**given, "boxes": np.asarray(boxes, "float32"), "labels": np.asarray(labels)}
    shapes = dense["boxes"].shape, dense["labels"].shape
    if len(shapes[0]) != 3 or shapes[0][-1] != 4 or shapes[1][:2] != shapes[0][:2]:
        raise ArgumentError(
            f"{where}: expected boxes (N, B, 4) and their labels (N, B), received {shapes[0]} and {shapes[1]}."
        )
    return dense
