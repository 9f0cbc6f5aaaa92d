"""MobileNet: depthwise convolutions, each before a convolution of 1x1.

Source: A. Howard and others, 2017 (arXiv:1704.04861); ``keras.applications.mobilenet``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from distnet import config, layers
from distnet.absent import names_elsewhere
from distnet.applications.assembly import (
    IMAGENET,
    KERAS_FILES,
    Classifier,
    Wanted,
    Weights,
    assembled,
    described,
    published,
    shape_of,
    warn_of_size,
)
from distnet.applications.imagenet_utils import CLASSES, preprocessing
from distnet.applications.imagenet_utils import decode_predictions as decode_predictions
from distnet.applications.parts import Parts, padded, relu6
from distnet.errors import ArgumentError
from distnet.layers.engine.base import KerasTensor
from distnet.models import Functional
from distnet.types import Shape

__getattr__ = names_elsewhere(__name__, ["layers", "activations"])  # where Keras 2's programs look for relu6

_PARTS = Parts()
_STEM = 32
"""Filters of the first convolution."""
_BLOCKS = (
    *((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)),
    *((512, 1),) * 5,
    *((1024, 2), (1024, 1)),
)
"""Filters and strides of each block."""
_ALPHAS = {0.25: "2_5", 0.5: "5_0", 0.75: "7_5", 1.0: "1_0"}
"""Widths that there are published weights for, as their files call them."""
_SIZES = (128, 160, 192, 224)
"""Sizes of images that there are published weights for."""


def MobileNet(
    input_shape: Shape | None = None,
    alpha: float = 1.0,
    depth_multiplier: int = 1,
    dropout: float = 1e-3,
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
        "MobileNet", include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name
    )
    wanted.check()
    sides = sides_of(input_shape)
    shape = shape_of(wanted, sides[0] if sides[0] == sides[1] and sides[0] in _SIZES else 224)
    rows, columns = sides_of(shape)
    if wanted.is_published:
        _check_published(alpha, depth_multiplier)
        rows = published_size(rows, columns, _SIZES)

    def body(x: KerasTensor) -> KerasTensor:
        x = _PARTS.convolved(x, int(_STEM * alpha), 3, "conv1", strides=2)
        x = relu6(_PARTS.normalized(x, "conv1_bn"), "conv1_relu")
        for i, (filters, strides) in enumerate(_BLOCKS, 1):
            x = _block(x, int(filters * alpha), strides, depth_multiplier, str(i))
        return x

    def top(x: KerasTensor) -> KerasTensor:
        if not include_top:
            return wanted.pooled(x)
        x = layers.Dropout(dropout, name="dropout")(layers.GlobalAveragePooling2D(keepdims=True)(x))
        x = layers.Reshape((classes,), name="reshape_2")(_PARTS.convolved(x, classes, 1, "conv_preds", use_bias=True))
        y: KerasTensor = layers.Activation(classifier_activation, name="predictions")(x)
        return y

    ending = "" if include_top else "_no_top"
    file = partial(published, f"{KERAS_FILES}/mobilenet", f"mobilenet_{_ALPHAS.get(alpha)}_{rows}_tf{ending}.h5")
    return assembled(wanted, shape, body, top, file, name or f"mobilenet_{alpha:0.2f}_{rows}")


def _check_published(alpha: float, depth_multiplier: int) -> None:
    if depth_multiplier != 1 or alpha not in _ALPHAS:
        raise ArgumentError(
            f"MobileNet: expected depth_multiplier=1 and alpha one of {tuple(_ALPHAS)} with weights='imagenet', "
            f"received {depth_multiplier!r} and {alpha!r}."
        )


def published_size(rows: int | None, columns: int | None, sizes: Sequence[int]) -> int:
    """The size of images whose published weights are taken: this one, if there are some for it, or 224."""
    if rows is not None and rows == columns and rows in sizes:
        return rows
    warn_of_size()
    return 224


def sides_of(shape: Shape | None) -> tuple[int | None, int | None]:
    """Height and width of a row."""
    if shape is None or len(shape) != 3:
        return None, None
    return (shape[1], shape[2]) if config.image_data_format() == "channels_first" else (shape[0], shape[1])


def _block(x: KerasTensor, filters: int, strides: int, multiplier: int, number: str) -> KerasTensor:
    if strides == 2:
        x = padded(x, ((0, 1), (0, 1)), f"conv_pad_{number}")
    x = _PARTS.depthwise(
        x, 3, f"conv_dw_{number}", strides=strides, padding="same" if strides == 1 else "valid", multiplier=multiplier
    )
    x = relu6(_PARTS.normalized(x, f"conv_dw_{number}_bn"), f"conv_dw_{number}_relu")
    x = _PARTS.convolved(x, filters, 1, f"conv_pw_{number}")
    return relu6(_PARTS.normalized(x, f"conv_pw_{number}_bn"), f"conv_pw_{number}_relu")


described(
    MobileNet,
    "MobileNet",
    "A. Howard and others, 2017 (arXiv:1704.04861)",
    """        alpha: factor of the number of filters.
        depth_multiplier: outputs of a depthwise convolution for each channel.
        dropout: rate before the classifier.
""",
)
preprocess_input = preprocessing("tf", __name__)
