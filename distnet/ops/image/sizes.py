"""Images resized, scaled, cropped and padded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from distnet import config
from distnet.errors import ArgumentError, ShapeError
from distnet.ops.compositions import composition
from distnet.ops.einsum_letters import einsum_of
from distnet.ops.image.sampling import INTERPOLATIONS, along, as_batch, in_dtype, in_floats, resize_matrix, shift_matrix
from distnet.ops.operators import PRIMITIVES


@composition(module="image")
def resize(
    images: Any, size: Any, interpolation: str = "bilinear", antialias: bool = False,
    crop_to_aspect_ratio: bool = False, pad_to_aspect_ratio: bool = False, fill_mode: str = "constant",
    fill_value: float = 0.0, data_format: str | None = None,
) -> Any:  # fmt: skip
    """Images resized to (height, width).

    Args:
        interpolation: ``"bilinear"``, ``"nearest"``, ``"bicubic"``, ``"lanczos3"`` or ``"lanczos5"``.
        antialias: when shrinking, average over all pixels.
        crop_to_aspect_ratio: crop the margins rather than distort.
        pad_to_aspect_ratio: add margins of ``fill_value`` rather than distort.
        fill_mode: only ``"constant"``.

    Source: ``keras.ops.image.resize`` on JAX.
    """
    if interpolation not in INTERPOLATIONS or fill_mode != "constant" or (crop_to_aspect_ratio and pad_to_aspect_ratio):
        raise ArgumentError(
            f"ops.image.resize: expected an interpolation of {INTERPOLATIONS}, fill_mode='constant', and to crop or to "
            f"pad, received {interpolation!r}, {fill_mode!r}, {crop_to_aspect_ratio} and {pad_to_aspect_ratio}."
        )
    x, back = as_batch("resize", images, data_format)
    height, width = size
    rows, columns = x.shape[1:3]
    if crop_to_aspect_ratio:
        tall, wide = max(min(rows, int(columns * height / width)), 1), max(min(columns, int(rows * width / height)), 1)
        top, left = (rows - tall) // 2, (columns - wide) // 2
        x = x[:, top : top + tall, left : left + wide]
    elif pad_to_aspect_ratio:
        top = (max(rows, int(columns * height / width)) - rows) // 2
        left = 0 if top else (max(columns, int(rows * width / height)) - columns) // 2
        x = PRIMITIVES["Pad"](x, ((0, 0), (top, top), (left, left), (0, 0)), constant_values=fill_value)
    if interpolation == "nearest":
        chosen = (resize_matrix(n, m, "nearest", False).argmax(axis=1) for n, m in zip(x.shape[1:3], size, strict=True))
        return back(PRIMITIVES["Take"](PRIMITIVES["Take"](x, next(chosen), 1), next(chosen), 2))
    of_rows, of_columns = (
        resize_matrix(n, int(m), interpolation, antialias) for n, m in zip(x.shape[1:3], size, strict=True)
    )
    return back(in_dtype(along(in_floats(x), of_rows, of_columns), x))


_METHODS = {"linear": "bilinear", "trilinear": "bilinear", "cubic": "bicubic", "tricubic": "bicubic"}


@composition(module="image")
def scale_and_translate(
    images: Any, output_shape: Sequence[int], scale: Any, translation: Any, spatial_dims: Sequence[int], method: str,
    antialias: bool = True,
) -> Any:  # fmt: skip
    """Images whose axes are scaled, then moved; gradients flow to the images alone.

    Args:
        output_shape: of the result, all axes.
        scale: for each spatial axis.
        translation: for each spatial axis, in pixels of the result.
        spatial_dims: the axes.
        method: ``"linear"``, ``"cubic"``, ``"lanczos3"`` or ``"lanczos5"``.
        antialias: when shrinking, average over all pixels.

    Source: ``keras.ops.image.scale_and_translate``.
    """
    name = _METHODS.get(method, method)
    if name not in INTERPOLATIONS or name == "nearest":
        raise ArgumentError(
            f"ops.image.scale_and_translate: expected a method of {[*_METHODS, 'lanczos3', 'lanczos5']}, received "
            f"{method!r}."
        )
    y = in_floats(PRIMITIVES["ConvertToTensor"](images))
    scales, moves = (np.asarray(getattr(v, "value", v)) for v in (scale, translation))
    letters = "abcdefgh"[: y.ndim]
    for axis, by, move in zip(spatial_dims, scales, moves, strict=True):
        matrix = shift_matrix(y.shape[axis], int(output_shape[axis]), float(by), float(move), name, antialias)
        made = letters.replace(letters[axis], "z")
        y = einsum_of(matrix.astype(y.dtype), y, subscripts=f"z{letters[axis]},{letters}->{made}")
    return y


def _sides(name: str, extent: int, before: int | None, after: int | None, target: int | None, sign: int) -> list[int]:
    """How much is added (sign 1) or cut (sign -1) before and after, of which two of three are given."""
    if sum(value is None for value in (before, after, target)) != 1:
        raise ArgumentError(
            f"ops.image.{name}: expected two of the sides and the target for each axis, received {before}, {after} and "
            f"{target}."
        )
    if target is not None:
        rest = sign * (target - extent)
        before = rest - after if before is None and after is not None else before
        after = rest - before if after is None and before is not None else after
    sides = [int(before or 0), int(after or 0)]
    if min(sides) < 0 or extent + sign * sum(sides) < 0:
        raise ShapeError(f"ops.image.{name}: {sides} does not fit {extent} pixels.")
    return sides


@composition(module="image")
def pad_images(
    images: Any, top_padding: int | None = None, left_padding: int | None = None, bottom_padding: int | None = None,
    right_padding: int | None = None, target_height: int | None = None, target_width: int | None = None,
    data_format: str | None = None,
) -> Any:  # fmt: skip
    """Images with zeros around them; of the two sides and the target of an axis, two are given.

    Source: ``keras.ops.image.pad_images``.
    """
    x, back = as_batch("pad_images", images, data_format)
    rows = _sides("pad_images", x.shape[1], top_padding, bottom_padding, target_height, 1)
    columns = _sides("pad_images", x.shape[2], left_padding, right_padding, target_width, 1)
    return back(PRIMITIVES["Pad"](x, ((0, 0), tuple(rows), tuple(columns), (0, 0))))


@composition(module="image")
def crop_images(
    images: Any, top_cropping: int | None = None, left_cropping: int | None = None, bottom_cropping: int | None = None,
    right_cropping: int | None = None, target_height: int | None = None, target_width: int | None = None,
    data_format: str | None = None,
) -> Any:  # fmt: skip
    """Images without their margins; of the two sides and the target of an axis, two are given.

    Source: ``keras.ops.image.crop_images``.
    """
    x, back = as_batch("crop_images", images, data_format)
    top, bottom = _sides("crop_images", x.shape[1], top_cropping, bottom_cropping, target_height, -1)
    left, right = _sides("crop_images", x.shape[2], left_cropping, right_cropping, target_width, -1)
    return back(x[:, top : x.shape[1] - bottom, left : x.shape[2] - right])


def _places(extent: int, size: int, stride: int, dilation: int, is_same: bool) -> tuple[Any, int, tuple[int, int]]:
    """The pixels of each patch along an axis, how many patches there are, and what is added before and after."""
    reach = dilation * (size - 1) + 1
    count = -(-extent // stride) if is_same else (extent - reach) // stride + 1
    spare = max((count - 1) * stride + reach - extent, 0) if is_same else 0
    return np.arange(size)[:, None] * dilation + np.arange(count) * stride, count, (spare // 2, spare - spare // 2)


def _patches(x: Any, size: Sequence[int], strides: Any, dilation_rate: Any, padding: str) -> Any:
    """(N, *extents, C) -> (N, *counts, size * C)."""
    axes = len(size)
    steps, apart = (([v] * axes if isinstance(v, int) else list(v)) for v in (strides or size, dilation_rate))
    each = [_places(*numbers, padding == "same") for numbers in zip(x.shape[1:-1], size, steps, apart, strict=True)]
    padded = PRIMITIVES["Pad"](x, ((0, 0), *(sides for _, _, sides in each), (0, 0)))
    key = [
        places.reshape([n for j in range(axes) for n in [places.shape[0] if j == i else 1]] + [
            places.shape[1] if j == i else 1 for j in range(axes)
        ])
        for i, (places, _, _) in enumerate(each)
    ]  # fmt: skip
    windows = PRIMITIVES["GetItem"](padded, (slice(None), *key))
    order = (0, *range(axes + 1, 2 * axes + 1), *range(1, axes + 1), 2 * axes + 1)
    counts = tuple(count for _, count, _ in each)
    return PRIMITIVES["Reshape"](
        PRIMITIVES["Transpose"](windows, order), (x.shape[0], *counts, int(np.prod(size)) * x.shape[-1])
    )


@composition(module="image")
def extract_patches(
    images: Any, size: Any, strides: Any = None, dilation_rate: Any = 1, padding: str = "valid",
    data_format: str | None = None,
) -> Any:  # fmt: skip
    """Patches of images, each as the channels of one pixel; with a size of three numbers, of volumes.

    Shapes:
        (N, H, W, C) -> (N, rows, columns, size * size * C).

    Source: ``keras.ops.image.extract_patches``.
    """
    if not isinstance(size, int) and len(size) == 3:
        return _of_volumes(images, size, strides, dilation_rate, padding, data_format)
    x, back = as_batch("extract_patches", images, data_format)
    return back(_patches(x, (size, size) if isinstance(size, int) else size, strides, dilation_rate, padding))


def extract_patches_3d(
    volumes: Any, size: Any, strides: Any = None, dilation_rate: Any = 1, padding: str = "valid",
    data_format: str | None = None,
) -> Any:  # fmt: skip
    """Patches of volumes, each as the channels of one voxel.

    Shapes:
        (N, D, H, W, C) -> (N, depths, rows, columns, size^3 * C).

    Source: ``keras.ops.image.extract_patches_3d``.
    """
    each = (size,) * 3 if isinstance(size, int) else size
    return extract_patches(volumes, each, strides, dilation_rate, padding, data_format)


def _of_volumes(
    volumes: Any, size: Sequence[int], strides: Any, dilation_rate: Any, padding: str, data_format: str | None
) -> Any:
    x = PRIMITIVES["ConvertToTensor"](volumes)
    is_one, is_first = x.ndim == 4, (data_format or config.image_data_format()) == "channels_first"
    x = PRIMITIVES["ExpandDims"](x, 0) if is_one else x
    x = PRIMITIVES["Transpose"](x, (0, 2, 3, 4, 1)) if is_first else x
    y = _patches(x, size, strides, dilation_rate, padding)
    y = PRIMITIVES["Transpose"](y, (0, 4, 1, 2, 3)) if is_first else y
    return y[0] if is_one else y
