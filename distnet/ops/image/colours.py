"""Colours as red, green and blue, as hue, saturation and value, and as grey."""

from __future__ import annotations

from typing import Any

import numpy as np

from distnet.errors import ArgumentError, ShapeError
from distnet.ops.compositions import composition
from distnet.ops.image.sampling import as_batch, in_floats
from distnet.ops.operators import PRIMITIVES


def _coloured(name: str, images: Any, data_format: str | None) -> tuple[Any, Any]:
    x, back = as_batch(name, images, data_format)
    if x.dtype.kind != "f":
        raise ArgumentError(f"ops.image.{name}: expected floating point numbers, received {x.dtype}. Use ops.cast.")
    if x.shape[-1] != 3:
        raise ShapeError(f"ops.image.{name}: expected 3 channels, received {x.shape[-1]}.")
    return x, back


@composition(module="image", kind="RGBToGrayscale")
def rgb_to_grayscale(images: Any, data_format: str | None = None) -> Any:
    """Images with one channel, how bright their pixels are.

    Source: ``keras.ops.image.rgb_to_grayscale``.
    """
    x, back = as_batch("rgb_to_grayscale", images, data_format)
    if x.shape[-1] not in (1, 3):
        raise ShapeError(f"ops.image.rgb_to_grayscale: expected 1 or 3 channels, received {x.shape[-1]}.")
    if x.shape[-1] == 1:
        return back(x)
    floats = in_floats(x)
    weights = np.array([[0.2989], [0.5870], [0.1140]], floats.dtype)
    grey = PRIMITIVES["Matmul"](floats, weights)
    return back(grey if x.dtype.kind == "f" else PRIMITIVES["Cast"](grey, x.dtype.name))


@composition(module="image", kind="RGBToHSV")
def rgb_to_hsv(images: Any, data_format: str | None = None) -> Any:
    """Hue, saturation and value, in [0, 1], of red, green and blue.

    Source: ``keras.ops.image.rgb_to_hsv``.
    """
    x, back = _coloured("rgb_to_hsv", images, data_format)
    where = PRIMITIVES["Where"]
    x = where(PRIMITIVES["Absolute"](x) < float(np.finfo(x.dtype).eps), 0.0, x)
    red, green, blue = (x[..., i] for i in range(3))
    value = PRIMITIVES["Maximum"](PRIMITIVES["Maximum"](red, green), blue)
    spread = value - PRIMITIVES["Minimum"](PRIMITIVES["Minimum"](red, green), blue)
    norm = 1.0 / (6.0 * where(spread > 0, spread, 1.0))
    saturation = where(value > 0, spread / where(value > 0, value, 1.0), 0.0)
    hue = where(value == green, norm * (blue - red) + 2.0 / 6.0, norm * (red - green) + 4.0 / 6.0)
    hue = where(value == red, norm * (green - blue), hue)
    hue = where(spread > 0, hue, 0.0) + PRIMITIVES["Cast"](hue < 0.0, x.dtype.name)
    return back(PRIMITIVES["Stack"]([hue, saturation, value], axis=-1))


@composition(module="image", kind="HSVToRGB")
def hsv_to_rgb(images: Any, data_format: str | None = None) -> Any:
    """Red, green and blue of hue, saturation and value.

    Source: ``keras.ops.image.hsv_to_rgb``.
    """
    x, back = _coloured("hsv_to_rgb", images, data_format)
    hue, saturation, value = (x[..., i] for i in range(3))
    turn = PRIMITIVES["Mod"](hue, 1.0) * 6.0
    absolute, clip = PRIMITIVES["Absolute"], PRIMITIVES["Clip"]
    shares = (absolute(turn - 3.0) - 1.0, 2.0 - absolute(turn - 2.0), 2.0 - absolute(turn - 4.0))
    parts = [value * (1.0 - saturation + saturation * clip(share, 0.0, 1.0)) for share in shares]
    return back(PRIMITIVES["Stack"](parts, axis=-1))
