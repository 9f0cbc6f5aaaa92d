"""Pictures decoded to 8 bits a channel, as TensorFlow does it."""

from __future__ import annotations

import numpy as np

from distnet.preprocessing.image.pictures import opened
from distnet.types import Array

_GRAY = (9798, 19235, 3735)
"""What red, green and blue of a PNG file count in a gray, of 2^15; the rest of the division is dropped.

Source: ``tensorflow/core/lib/png/png_io.cc``; libpng, ``png_set_rgb_to_gray``.
"""


def decoded(path: str, channels: int) -> Array:
    """(height, width, channels) uint8; the first picture of a film.

    Raises:
        DatasetError: the file cannot be read as a picture.
        MissingPackageError: Pillow is not installed.

    Source: ``tf.io.decode_image``.
    """
    with opened(path, "image_dataset_from_directory") as img:
        mode, kind = img.mode, img.format
        if mode.startswith("I"):
            gray = (np.asarray(img).astype(np.int64) >> 8).astype(np.uint8)
            return _widened(gray[:, :, None], channels)
        if channels == 1 and kind == "PNG" and mode not in ("L", "LA", "1"):
            return _gray(np.asarray(img.convert("RGB")))
        image = np.asarray(img.convert({1: "L", 3: "RGB", 4: "RGBA"}[channels]))
    return image.reshape(*image.shape[:2], channels)


def _gray(image: Array) -> Array:
    total = sum(image[:, :, i].astype(np.int64) * weight for i, weight in enumerate(_GRAY))
    return np.asarray(total >> 15, np.uint8)[:, :, None]


def _widened(gray: Array, channels: int) -> Array:
    alike = np.repeat(gray, min(channels, 3), axis=2)
    return alike if channels < 4 else np.concatenate([alike, np.full_like(gray, 255)], axis=2)
