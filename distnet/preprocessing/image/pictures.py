"""Pictures on disk and in memory, by Pillow, which is imported only when a picture is read or made."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from distnet import config
from distnet.arguments import as_numbers, is_integer
from distnet.errors import ArgumentError, DatasetError, MissingFileError, MissingPackageError, ShapeError
from distnet.types import Array, ArrayLike

if TYPE_CHECKING:
    from PIL.Image import Image

COLOR_MODES = {"grayscale": 1, "rgb": 3, "rgba": 4}
"""Channels of each ``color_mode``."""
INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "hamming", "box", "lanczos")
_GRAY_MODES = ("L", "I;16", "I")


def load_img(
    path: str | Path | io.BytesIO,
    color_mode: str = "rgb",
    target_size: tuple[int, int] | None = None,
    interpolation: str = "nearest",
    keep_aspect_ratio: bool = False,
) -> Image:
    """The picture in a file, as a Pillow image.

    Args:
        path: the file.
        color_mode: ``"rgb"``, ``"rgba"`` or ``"grayscale"``.
        target_size: height and width to resize to; None keeps the picture's own.
        interpolation: ``"nearest"``, ``"bilinear"``, ``"bicubic"``, ``"hamming"``, ``"box"`` or ``"lanczos"``.
        keep_aspect_ratio: crop the margins rather than distort.

    Raises:
        ArgumentError: an argument is invalid.
        DatasetError: the file cannot be read as a picture; a MissingFileError, which is a FileNotFoundError, too, where
            it is not there.
        MissingPackageError: Pillow is not installed.

    Source: ``keras.utils.load_img``.
    """
    if color_mode not in COLOR_MODES:
        raise ArgumentError(f"load_img: expected a color_mode of {list(COLOR_MODES)}, received {color_mode!r}.")
    if interpolation not in INTERPOLATIONS:
        raise ArgumentError(f"load_img: expected an interpolation of {INTERPOLATIONS}, received {interpolation!r}.")
    size = None if target_size is None else size_of(target_size, "load_img")
    img = opened(path, "load_img")
    if color_mode == "grayscale":
        img = img if img.mode in _GRAY_MODES else img.convert("L")
    elif img.mode != color_mode.upper():
        img = img.convert(color_mode.upper())
    return img if size is None else _resized(img, size, interpolation, keep_aspect_ratio)


def opened(path: str | Path | io.BytesIO, where: str) -> Image:
    """The picture in a file, as it is there.

    Args:
        path: the file.
        where: who asks, for messages.

    Raises:
        DatasetError: the file cannot be read as a picture; a MissingFileError, which is a FileNotFoundError, too, where
            it is not there.
        MissingPackageError: Pillow is not installed.
    """
    opener = _pillow(where)
    try:
        img: Image = opener.open(path if isinstance(path, io.BytesIO) else io.BytesIO(Path(path).read_bytes()))
        img.load()
    except FileNotFoundError as error:
        raise MissingFileError(f"{where}: {path}: there is no such file.") from error
    except (OSError, ValueError, SyntaxError, TypeError) as error:
        raise DatasetError(f"{path}: cannot be read as a picture: {error}. Replace or remove the file.") from error
    return img


def img_to_array(img: Image | ArrayLike, data_format: str | None = None, dtype: str | None = None) -> Array:
    """A picture's values, 0 to 255 for 8 bits.

    Shapes:
        (height, width, channels); channels first with ``data_format="channels_first"``.

    Args:
        img: a Pillow image, or an array of two or three axes.
        data_format: ``"channels_last"`` or ``"channels_first"``; by default ``keras.config.image_data_format()``.
        dtype: by default the global ``floatx``.

    Raises:
        ArgumentError: ``data_format`` is neither.
        ShapeError: the array has another number of axes.

    Source: ``keras.utils.img_to_array``.
    """
    is_first = is_channels_first(data_format, "img_to_array")
    x = as_numbers("img_to_array", img, dtype or config.floatx())
    if x.ndim not in (2, 3):
        raise ShapeError(f"img_to_array: expected two or three axes, received an array of shape {x.shape}.")
    x = x[:, :, None] if x.ndim == 2 else x
    return x.transpose(2, 0, 1) if is_first else x


def array_to_img(x: ArrayLike, data_format: str | None = None, scale: bool = True, dtype: str | None = None) -> Image:
    """A Pillow image made of an array with 1, 3 or 4 channels.

    Args:
        x: three axes: height, width, channels.
        data_format: ``"channels_last"`` or ``"channels_first"``; by default ``keras.config.image_data_format()``.
        scale: shift and scale the values to 0 ... 255; otherwise they must lie there.
        dtype: of the computation, by default the global ``floatx``.

    Raises:
        ArgumentError: ``data_format`` is neither.
        ShapeError: the number of axes or channels is another one.
        MissingPackageError: Pillow is not installed.

    Source: ``keras.utils.array_to_img``.
    """
    image = as_numbers("array_to_img", x, dtype or config.floatx())
    if image.ndim != 3:
        raise ShapeError(f"array_to_img: expected three axes, received an array of shape {image.shape}.")
    image = image.transpose(1, 2, 0) if is_channels_first(data_format, "array_to_img") else image
    if image.shape[2] not in COLOR_MODES.values():
        raise ShapeError(f"array_to_img: expected 1, 3 or 4 channels, received {image.shape[2]}.")
    image = stretched(image) if scale else image
    fromarray = _pillow("array_to_img").fromarray
    if image.shape[2] > 1:
        made: Image = fromarray(image.astype(np.uint8))
        return made
    is_deep = image.size and image.max() > np.iinfo(np.uint8).max
    made = fromarray(image[:, :, 0].astype(np.int32 if is_deep else np.uint8))
    return made


def save_img(
    path: str | Path | IO[bytes],
    x: ArrayLike,
    data_format: str | None = None,
    file_format: str | None = None,
    scale: bool = True,
    **kwargs: Any,
) -> None:
    """Write an array as a picture; every rank that calls it writes one.

    Args:
        path: the file; its extension names the format.
        x: see ``array_to_img``.
        data_format: see ``array_to_img``.
        file_format: the format, if the extension does not tell.
        scale: see ``array_to_img``.
        kwargs: for Pillow's ``Image.save``.

    Raises:
        ShapeError, ArgumentError, MissingPackageError: see ``array_to_img``.
        DatasetError: the file cannot be written, or Pillow knows no such format.

    Source: ``keras.utils.save_img``.
    """
    img = array_to_img(x, data_format, scale)
    if file_format is None and isinstance(path, str | Path):
        file_format = Path(path).suffix[1:]
    file_format = "jpeg" if file_format and file_format.lower() == "jpg" else file_format
    if img.mode == "RGBA" and file_format and file_format.lower() == "jpeg":
        img = img.convert("RGB")
    try:
        img.save(path, format=file_format, **kwargs)
    except (OSError, KeyError, ValueError) as error:
        raise DatasetError(f"{path}: cannot be written as a picture of format {file_format!r}: {error!r}.") from error


def stretched(x: Array) -> Array:
    """The values shifted and scaled to 0 ... 255."""
    x = x - x.min()
    highest = x.max()
    return x / highest * 255 if highest else x


def is_channels_first(data_format: str | None, where: str) -> bool:
    """Whether ``data_format`` is channels first; None means ``keras.config.image_data_format()``.

    Raises:
        ArgumentError: it is neither format.
    """
    return config.data_format(data_format, where) == "channels_first"


def size_of(target_size: object, where: str) -> tuple[int, int]:
    """(height, width) of a picture.

    Raises:
        ArgumentError: ``target_size`` is something else.
    """
    extents = tuple(target_size) if isinstance(target_size, Sequence | np.ndarray) else ()
    if len(extents) != 2 or not all(is_integer(n) and n > 0 for n in extents):
        raise ArgumentError(f"{where}: expected target_size (height, width), received {target_size!r}.")
    return int(extents[0]), int(extents[1])


def _resized(img: Image, target_size: tuple[int, int], interpolation: str, keep_aspect_ratio: bool) -> Image:
    height, width = target_size
    if img.size == (width, height):
        return img
    method = getattr(_pillow("load_img").Resampling, interpolation.upper())
    if not keep_aspect_ratio:
        return img.resize((width, height), method)
    rows = min(img.height, img.width * height // width)
    columns = min(img.width, img.height * width // height)
    top, left = (img.height - rows) // 2, (img.width - columns) // 2
    return img.resize((width, height), method, box=(left, top, left + columns, top + rows))


def _pillow(where: str) -> ModuleType:
    try:
        from PIL import Image
    except ImportError as error:
        raise MissingPackageError(
            f"{where}: pictures are read and made by the package Pillow, which cannot be imported ({error}). "
            "Try: pip install 'distnet[images]'"
        ) from error
    return Image
