"""MobileNetV2: blocks that widen, convolve each channel by itself, and narrow again.

Source: M. Sandler and others, 2018 (arXiv:1801.04381); ``keras.applications.mobilenet_v2``.
"""

from __future__ import annotations

from functools import partial

from distnet.applications.assembly import (
    IMAGENET,
    KERAS_FILES,
    Classifier,
    Wanted,
    Weights,
    assembled,
    averaging_top,
    described,
    published,
    shape_of,
)
from distnet.applications.imagenet_utils import CLASSES, preprocessing
from distnet.applications.imagenet_utils import decode_predictions as decode_predictions
from distnet.applications.mobilenet import published_size, sides_of
from distnet.applications.parts import NUMBERED, Parts, added, channels, divisible, padded_for, relu6
from distnet.errors import ArgumentError, ShapeError
from distnet.layers.engine.base import KerasTensor
from distnet.models import Functional
from distnet.types import Shape

_PARTS = Parts(momentum=0.999)
_STEM = 32
"""Filters of the first convolution."""
_STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
"""Expansion, filters, number of blocks, strides of the first: table 2 of the paper."""
_LAST = 1280
"""Filters of the last convolution."""
_ALPHAS = (0.35, 0.50, 0.75, 1.0, 1.3, 1.4)
"""Widths that there are published weights for."""
_SIZES = (96, 128, 160, 192, 224)
"""Sizes of images that there are published weights for."""


def MobileNetV2(
    input_shape: Shape | None = None,
    alpha: float = 1.0,
    include_top: bool = True,
    weights: Weights = IMAGENET,
    input_tensor: KerasTensor | None = None,
    pooling: str | None = None,
    classes: int = CLASSES,
    classifier_activation: Classifier = "softmax",
    name: str | None = None,
) -> Functional:
    """Described below."""
    wanted = Wanted(
        "MobileNetV2", include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name
    )
    wanted.check()
    check_width(wanted)
    known = input_shape if input_shape is not None or input_tensor is None else input_tensor.shape[1:]
    sides = sides_of(known)
    shape = shape_of(wanted, sides[0] if sides[0] == sides[1] and sides[0] in _SIZES else 224)
    rows, columns = sides_of(shape)
    if wanted.is_published:
        _check_published(alpha)
        rows = published_size(rows, columns, _SIZES)

    def body(x: KerasTensor) -> KerasTensor:
        x = _PARTS.convolved(x, divisible(_STEM * alpha), 3, "Conv1", strides=2)
        x = relu6(_PARTS.normalized(x, "bn_Conv1"), "Conv1_relu")
        block = 0
        for expansion, filters, count, first in _STAGES:
            for i in range(count):
                x = _block(x, expansion, divisible(int(filters * alpha)), 1 if i else first, block)
                block += 1
        x = _PARTS.convolved(x, divisible(_LAST * alpha) if alpha > 1 else _LAST, 1, "Conv_1", padding="valid")
        return relu6(_PARTS.normalized(x, "Conv_1_bn"), "out_relu")

    ending = "" if include_top else "_no_top"
    file = partial(
        published, f"{KERAS_FILES}/mobilenet_v2",
        f"mobilenet_v2_weights_tf_dim_ordering_tf_kernels_{float(alpha)}_{rows}{ending}.h5",
    )  # fmt: skip
    name = name or f"mobilenetv2_{alpha:0.2f}_{rows}"
    return assembled(wanted, shape, body, averaging_top(wanted, pool=NUMBERED), file, name)


def _check_published(alpha: float) -> None:
    if alpha not in _ALPHAS:
        raise ArgumentError(
            f"MobileNetV2: alpha: expected one of {_ALPHAS} with weights='imagenet', received {alpha!r}."
        )


def check_width(wanted: Wanted) -> None:
    """Fail if the shape asked for is not that of the placeholder given.

    Raises:
        ShapeError: their widths differ.
    """
    if wanted.input_shape is None or wanted.input_tensor is None:
        return
    given = sides_of(wanted.input_tensor.shape[1:])[1]
    if given != sides_of(tuple(wanted.input_shape))[1]:
        raise ShapeError(
            f"{wanted.family}: expected an input_shape that fits input_tensor, of shape {wanted.input_tensor.shape}, "
            f"received {wanted.input_shape}. Leave one of them out."
        )


def _block(x: KerasTensor, expansion: int, filters: int, strides: int, block: int) -> KerasTensor:
    before, start = channels(x), x
    name = f"block_{block}_" if block else "expanded_conv_"
    if block:
        x = _PARTS.convolved(x, expansion * before, 1, f"{name}expand")
        x = relu6(_PARTS.normalized(x, f"{name}expand_BN"), f"{name}expand_relu")
    if strides == 2:
        x = padded_for(x, 3, f"{name}pad")
    x = _PARTS.depthwise(x, 3, f"{name}depthwise", strides=strides, padding="same" if strides == 1 else "valid")
    x = relu6(_PARTS.normalized(x, f"{name}depthwise_BN"), f"{name}depthwise_relu")
    x = _PARTS.normalized(_PARTS.convolved(x, filters, 1, f"{name}project"), f"{name}project_BN")
    return added([start, x], f"{name}add") if before == filters and strides == 1 else x


described(
    MobileNetV2,
    "MobileNetV2",
    "M. Sandler and others, 2018 (arXiv:1801.04381)",
    "        alpha: factor of the number of filters.\n",
)
preprocess_input = preprocessing("tf", __name__)
