"""Resizing without distortion."""

from __future__ import annotations

from typing import Any

import numpy as np

from distnet import config, ops
from distnet.errors import ShapeError


def smart_resize(
    x: Any,
    size: tuple[int, int],
    interpolation: str = "bilinear",
    data_format: str = "channels_last",
    backend_module: object = None,
) -> Any:
    """Images resized to (height, width); what would distort them is cropped from their margins first.

    Args:
        x: an image (H, W, C), or several (N, H, W, C); integers become real numbers, unless the nearest are taken.
        size: height and width.
        interpolation: as for ``ops.image.resize``.
        data_format: where the channels are.
        backend_module: ignored.

    Raises:
        ShapeError: ``size`` is no pair, or ``x`` are no images.

    Source: ``keras.preprocessing.image.smart_resize``.
    """
    if len(size) != 2:
        raise ShapeError(f"smart_resize: size: expected (height, width), received {size!r}.")
    if np.ndim(x) not in (3, 4):
        raise ShapeError(f"smart_resize: expected an image (H, W, C) or several (N, H, W, C), received {np.shape(x)}.")
    given = x if hasattr(x, "dtype") else np.asarray(x)
    if interpolation != "nearest" and not np.issubdtype(given.dtype, np.floating):
        given = ops.cast(given, config.floatx())
    resized = ops.image.resize(given, size, interpolation, crop_to_aspect_ratio=True, data_format=data_format)
    return ops.convert_to_numpy(resized) if isinstance(x, np.ndarray) else resized
