"""ConvNeXts: convolutions of 7x7 channel by channel, in blocks built like a transformer's.

Source: Z. Liu and others, 2022 (arXiv:2201.03545); ``keras.applications.convnext``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from distnet import layers
from distnet.applications.assembly import (
    IMAGENET,
    KERAS_FILES,
    Body,
    Classifier,
    Wanted,
    Weights,
    assembled,
    check_last,
    described,
    published,
    shape_of,
)
from distnet.applications.imagenet_utils import CLASSES
from distnet.applications.imagenet_utils import decode_predictions as decode_predictions
from distnet.applications.imagenet_utils import unchanged as preprocess_input  # noqa: F401 - Keras's name of it
from distnet.applications.parts import NUMBERED, activated
from distnet.layers.engine.base import KerasTensor
from distnet.layers.of_applications import LayerScale as LayerScale
from distnet.layers.of_applications import StochasticDepth as StochasticDepth
from distnet.models import Functional, Sequential
from distnet.types import Shape

_EPSILON = 1e-6
"""Of LayerNormalization."""
_SCALE = 1e-6
"""What LayerScale starts from."""
_WIDENING = 4
"""Factor of the channels within a block."""
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's colours."""
_SIZE = 224
_DEEP = (3, 3, 27, 3)
_KINDS = {
    "Tiny": (
        (3, 3, 9, 3), (96, 192, 384, 768),
        "8ae6e78ce2933352b1ef4008e6dd2f17bc40771563877d156bc6426c7cf503ff",
        "d547c096cabd03329d7be5562c5e14798aa39ed24b474157cef5e85ab9e49ef1",
    ),
    "Small": (
        _DEEP, (96, 192, 384, 768),
        "ce1277d8f1ee5a0ef0e171469089c18f5233860ceaf9b168049cb9263fd7483c",
        "6fc8009faa2f00c1c1dfce59feea9b0745eb260a7dd11bee65c8e20843da6eab",
    ),
    "Base": (
        _DEEP, (128, 256, 512, 1024),
        "52cbb006d3dadd03f6e095a8ca1aca47aecdd75acb4bc74bce1f5c695d0086e6",
        "40a20c5548a5e9202f69735ecc06c990e6b7c9d2de39f0361e27baeb24cb7c45",
    ),
    "Large": (
        _DEEP, (192, 384, 768, 1536),
        "070c5ed9ed289581e477741d3b34beffa920db8cf590899d6d2c67fba2a198a6",
        "96f02b6f0753d4f543261bc9d09bed650f24dd6bc02ddde3066135b63d23a1cd",
    ),
    "XLarge": (
        _DEEP, (256, 512, 1024, 2048),
        "c1f5ccab661354fc3a79a10fa99af82f0fbf10ec65cb894a3ae0815f17a889ee",
        "de3f8a54174130e0cecdc71583354753d557fcf1f4487331558e2a16ba0cfe05",
    ),
}  # fmt: skip
"""Blocks and channels of each stage, checksums of the files with and without classifier."""


def _network(kind: str, wanted: Wanted, includes_preprocessing: bool) -> Functional:
    depths, widths, *checksums = _KINDS[kind]
    check_last(wanted.family)
    shape = shape_of(wanted, _SIZE)
    name = str(wanted.name)

    def body(x: KerasTensor) -> KerasTensor:
        if includes_preprocessing and shape[-1] == 3:
            x = _scaled(x, f"{name}_prestem_normalization")
        for stage, (depth, width) in enumerate(zip(depths, widths, strict=True)):
            x = (_downsampling(width, stage - 1, name) if stage else _stem(width, name))(x)
            for block in range(depth):
                x = _block(x, width, f"{name}_stage_{stage}_block_{block}")
        return x

    ending = "" if wanted.include_top else "_notop"
    file = partial(
        published, f"{KERAS_FILES}/convnext", f"convnext_{kind.lower()}{ending}.h5", checksums[not wanted.include_top]
    )
    return assembled(wanted, shape, body, _top(wanted, name), file)


def _top(wanted: Wanted, name: str) -> Body:
    def top(x: KerasTensor) -> KerasTensor:
        if not wanted.include_top:
            return _normalization()(wanted.pooled(x))  # type: ignore[no-any-return]
        x = _normalization(f"{name}_head_layernorm")(wanted.averaged(x, f"{name}_head_gap"))
        y: KerasTensor = layers.Dense(
            wanted.classes, activation=wanted.classifier_activation, name=f"{name}_head_dense"
        )(x)
        return y

    return top


def _scaled(x: KerasTensor, name: str) -> KerasTensor:
    mean, variance = [255 * mean for mean in _MEAN], [(255 * deviation) ** 2 for deviation in _DEVIATION]
    y: KerasTensor = layers.Normalization(mean=mean, variance=variance, name=name)(x)
    return y


def _normalization(name: str = NUMBERED) -> layers.LayerNormalization:
    return layers.LayerNormalization(epsilon=_EPSILON, name=name)


def _stem(width: int, name: str) -> Sequential:
    convolution = layers.Conv2D(width, 4, strides=4, name=f"{name}_stem_conv")
    return Sequential([convolution, _normalization(f"{name}_stem_layernorm")], name=f"{name}_stem")


def _downsampling(width: int, number: int, name: str) -> Sequential:
    convolution = layers.Conv2D(width, 2, strides=2, name=f"{name}_downsampling_conv_{number}")
    first = _normalization(f"{name}_downsampling_layernorm_{number}")
    return Sequential([first, convolution], name=f"{name}_downsampling_block_{number}")


def _block(x: KerasTensor, width: int, name: str) -> KerasTensor:
    """A convolution of each channel, then two layers on each pixel, added to the input.

    Keras publishes networks that drop no rows: where others have StochasticDepth, theirs have an Identity.
    """
    start = x
    x = layers.Conv2D(width, 7, padding="same", groups=width, name=f"{name}_depthwise_conv")(x)
    x = _normalization(f"{name}_layernorm")(x)
    x = layers.Dense(_WIDENING * width, name=f"{name}_pointwise_conv_1")(x)
    x = layers.Dense(width, name=f"{name}_pointwise_conv_2")(activated(x, "gelu", f"{name}_gelu"))
    x = LayerScale(_SCALE, width, name=f"{name}_layer_scale")(x)
    y: KerasTensor = start + activated(x, "linear", f"{name}_identity")
    return y


def _application(kind: str) -> Callable[..., Functional]:
    class_name = f"ConvNeXt{kind}"

    def network(
        include_top: bool = True,
        include_preprocessing: bool = True,
        weights: Weights = IMAGENET,
        input_tensor: KerasTensor | None = None,
        input_shape: Shape | None = None,
        pooling: str | None = None,
        classes: int = CLASSES,
        classifier_activation: Classifier = "softmax",
        name: str | None = f"convnext_{kind.lower()}",
    ) -> Functional:
        wanted = Wanted(
            class_name, include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name
        )
        wanted.check()
        return _network(kind, wanted, include_preprocessing)

    further = "        include_preprocessing: whether it scales pixels from [0, 255] itself.\n"
    described(network, class_name, "Z. Liu and others, 2022 (arXiv:2201.03545)", further)
    return network


ConvNeXtTiny = _application("Tiny")
ConvNeXtSmall = _application("Small")
ConvNeXtBase = _application("Base")
ConvNeXtLarge = _application("Large")
ConvNeXtXLarge = _application("XLarge")
