"""Pixels as the published weights expect them, names of ImageNet's classes, and shapes of images."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

import numpy as np

from distnet import config, ops
from distnet.datasets.fetch import RemoteFile, locate, on_one_rank_first
from distnet.errors import ArgumentError, ShapeError
from distnet.layers.engine.base import KerasTensor
from distnet.types import Array, Shape

Images = TypeVar("Images")

MODES = ("caffe", "tf", "torch")
"""How pixels are scaled: see ``preprocess_input``."""
CLASSES = 1000
"""Number of ImageNet's classes."""
CLASS_INDEX = RemoteFile(
    dataset="models",
    url="https://storage.googleapis.com/download.tensorflow.org/data/imagenet_class_index.json",
    checksum="c2c37ea517e94d9795004a39431a14cb",
    room="models",
)
_CAFFE_MEAN_BGR = (103.939, 116.779, 123.68)
_TORCH_MEAN, _TORCH_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def preprocess_input(x: Images, data_format: str | None = None, mode: str = "caffe") -> Images:
    """Pixels in [0, 255] as a network was trained on them.

    ``"caffe"``: BGR instead of RGB, less the mean of ImageNet; ``"tf"``: ``x / 127.5 - 1``; ``"torch"``:
    ``(x / 255 - mean) / deviation`` of ImageNet.

    Args:
        x: images (..., H, W, 3), or a placeholder of them. An array of floats is changed in place, as in Keras.
        data_format: where the channels are; by default ``config.image_data_format()``.
        mode: one of the three.

    Raises:
        ArgumentError: there is no such mode or data format.

    Source: ``keras.applications.imagenet_utils.preprocess_input``.
    """
    if mode not in MODES:
        raise ArgumentError(f"preprocess_input: mode: expected one of {MODES}, received {mode!r}.")
    is_first = config.data_format(data_format, "preprocess_input") == "channels_first"
    pixels: Any = x
    if isinstance(x, np.ndarray) and not np.issubdtype(x.dtype, np.floating):
        pixels = x.astype(config.floatx())
    if mode == "tf":
        pixels /= 127.5
        pixels -= 1.0
        return pixels  # type: ignore[no-any-return]
    axis = -3 if is_first else -1
    if mode == "torch":
        pixels /= 255.0
        mean, deviation = _TORCH_MEAN, _TORCH_DEVIATION
    else:
        pixels = np.flip(pixels, axis) if isinstance(pixels, np.ndarray) else _reversed(pixels, axis)
        mean, deviation = _CAFFE_MEAN_BGR, None
    trailing = (3, 1, 1) if is_first else (3,)
    pixels -= np.reshape(mean, trailing).astype(_dtype(pixels))
    if deviation is not None:
        pixels /= np.reshape(deviation, trailing).astype(_dtype(pixels))
    return pixels  # type: ignore[no-any-return]


def _reversed(x: Any, axis: int) -> Any:
    """A tensor's channels in reverse order, as Keras takes them."""
    places = [slice(None)] * len(x.shape)
    channels = []
    for i in (2, 1, 0):
        places[axis] = i  # type: ignore[call-overload]
        channels.append(x[tuple(places)])
    return ops.stack(channels, axis=axis)


def _dtype(x: Any) -> str:
    return str(x.dtype)


def preprocessing(mode: str, module: str) -> Callable[..., Any]:
    """The ``preprocess_input`` of a family that was trained on pixels scaled so.

    Args:
        mode: see ``preprocess_input``.
        module: whose it is, for pickles.
    """

    def preprocess(x: Images, data_format: str | None = None) -> Images:
        return preprocess_input(x, data_format, mode)

    preprocess.__module__, preprocess.__name__ = module, "preprocess_input"
    preprocess.__qualname__ = preprocess.__name__
    preprocess.__doc__ = (
        f"Pixels in [0, 255] as the family expects them: ``imagenet_utils.preprocess_input(x, mode={mode!r})``."
    )
    return preprocess


def unchanged(x: Images, data_format: str | None = None) -> Images:
    """``x`` as it is: the model scales its pixels itself."""
    return x


def decode_predictions(preds: Array, top: int = 5) -> list[list[tuple[str, str, Any]]]:
    """The most likely classes of each row, as (WordNet's number, name, score), best first.

    Args:
        preds: (N, 1000) scores; every rank must call it, for the names may have to be downloaded.
        top: how many for each row.

    Raises:
        ShapeError: the scores are not those of 1000 classes.
        DatasetError: the file of names is not there and cannot be downloaded.

    Source: ``keras.applications.imagenet_utils.decode_predictions``.
    """
    scores = ops.convert_to_numpy(preds)
    if scores.ndim != 2 or scores.shape[1] != CLASSES:
        raise ShapeError(
            f"decode_predictions: expected predictions of shape (samples, {CLASSES}), received {scores.shape}."
        )
    names = _class_names()
    rows = []
    for row in scores:
        best = row.argsort()[-top:][::-1]
        rows.append(sorted(((*names[i], row[i]) for i in best), key=_score, reverse=True))
    return rows


def _score(entry: tuple[str, str, Any]) -> Any:
    return entry[2]


@cache
def _class_names() -> list[tuple[str, str]]:
    index = json.loads(on_one_rank_first(_class_index))
    return [(index[str(i)][0], index[str(i)][1]) for i in range(CLASSES)]


def _class_index() -> str:
    return locate(CLASS_INDEX).read_text(encoding="utf-8")


def obtain_input_shape(
    input_shape: Shape | None,
    default_size: int,
    min_size: int,
    data_format: str | None,
    require_flatten: bool,
    weights: object = None,
    network: str = "",
) -> Shape:
    """The shape of a row that a network is made for, from the one that was asked for.

    Args:
        input_shape: as asked for, without the batch's axis; None for the usual one.
        default_size: height and width of the usual one.
        min_size: least height and width.
        data_format: where the channels are; None for ``config.image_data_format()``.
        require_flatten: whether the shape must be known: a network with its classifier.
        weights: ``"imagenet"`` needs three channels, and with a classifier the usual shape.
        network: its name, for messages.

    Raises:
        ShapeError: a network cannot be made for the shape.

    Source: ``obtain_input_shape`` of Keras's ``imagenet_utils``.
    """
    where = f"{network}: input_shape" if network else "input_shape"
    is_first = config.data_format(data_format, "obtain_input_shape") == "channels_first"
    is_pretrained = isinstance(weights, str) and weights == "imagenet"
    shape = None if input_shape is None else tuple(input_shape)
    if shape and len(shape) != 3:
        raise ShapeError(f"{where}: expected three integers, received {shape}.")
    channels = 3
    if shape and not is_pretrained:
        channels = shape[0 if is_first else -1]  # type: ignore[assignment]
        if channels not in (1, 3):
            warnings.warn(f"{where}: these networks usually have 1 or 3 channels, received {channels}.", stacklevel=2)
    sides = (default_size, default_size)
    default: Shape = (channels, *sides) if is_first else (*sides, channels)
    if is_pretrained and require_flatten:
        if shape is not None and shape != default:
            raise ShapeError(
                f"{where}: expected {default}, for which the ImageNet weights with include_top=True were trained, "
                f"received {shape}. Set include_top=False."
            )
        return default
    if not shape:
        return default if require_flatten else ((3, None, None) if is_first else (None, None, 3))
    _check_sides(where, shape, is_first, min_size, is_pretrained)
    if require_flatten and None in shape:
        raise ShapeError(f"{where}: expected known extents with include_top=True, received {shape}.")
    return shape


def _check_sides(where: str, shape: Shape, is_first: bool, min_size: int, is_pretrained: bool) -> None:
    if is_pretrained and shape[0 if is_first else -1] != 3:
        raise ShapeError(f"{where}: expected 3 channels, as the ImageNet weights have, received {shape}.")
    if any(side is not None and side < min_size for side in (shape[1:] if is_first else shape[:2])):
        raise ShapeError(f"{where}: expected images of at least {min_size}x{min_size}, received {shape}.")


def correct_pad(inputs: KerasTensor, kernel_size: int | tuple[int, int]) -> tuple[tuple[int, int], tuple[int, int]]:
    """The zeros around images with which a convolution of strides 2 gives what ``padding="same"`` does.

    Args:
        inputs: the images.
        kernel_size: of the convolution.

    Source: ``correct_pad`` of Keras's ``imagenet_utils``.
    """
    first = 2 if config.image_data_format() == "channels_first" else 1
    sides = inputs.shape[first : first + 2]
    kernel = (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size
    odd = (0, 0) if sides[0] is None else tuple(0 if side is None else side % 2 for side in sides)
    before = [k // 2 - (1 - n) for k, n in zip(kernel, odd, strict=True)]
    return (before[0], kernel[0] // 2), (before[1], kernel[1] // 2)
