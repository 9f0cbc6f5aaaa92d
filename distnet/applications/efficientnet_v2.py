"""EfficientNetV2, B0 to B3 and small to large: the first stages convolve all channels at once.

Source: M. Tan and Q. Le, 2021 (arXiv:2104.00298); ``keras.applications.efficientnet_v2``.
"""

from __future__ import annotations

import math
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
    described,
    published,
    shape_of,
)
from distnet.applications.imagenet_utils import CLASSES
from distnet.applications.imagenet_utils import decode_predictions as decode_predictions
from distnet.applications.imagenet_utils import unchanged as preprocess_input  # noqa: F401 - Keras's name of it
from distnet.applications.mbconv import ACTIVATION, CLASSIFIER, CONVOLUTIONS, MBBlock, MBStage
from distnet.applications.parts import Parts, activated, channel_axis
from distnet.layers.engine.base import KerasTensor
from distnet.models import Functional
from distnet.types import Shape

_PARTS = Parts(momentum=0.9, kernel_initializer=CONVOLUTIONS)
_LAST = 1280
"""Filters of the last convolution."""
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's colours."""
_DROP = _DROPOUT = 0.2
"""Rate at which the last block drops rows, and the rate before the classifier."""
_DIVISOR = 8
"""Numbers of filters are multiples of it."""


def _fused(repeats: int, filters_in: int, filters_out: int, expansion: int, strides: int) -> MBStage:
    return MBStage(3, repeats, filters_in, filters_out, expansion, strides, 0.0, True)


_B = (
    _fused(1, 32, 16, 1, 1),
    _fused(2, 16, 32, 4, 2),
    _fused(2, 32, 48, 4, 2),
    MBStage(3, 3, 48, 96, 4, 2),
    MBStage(3, 5, 96, 112, 6, 1),
    MBStage(3, 8, 112, 192, 6, 2),
)
_S = (
    _fused(2, 24, 24, 1, 1),
    _fused(4, 24, 48, 4, 2),
    _fused(4, 48, 64, 4, 2),
    MBStage(3, 6, 64, 128, 4, 2),
    MBStage(3, 9, 128, 160, 6, 1),
    MBStage(3, 15, 160, 256, 6, 2),
)
_M = (
    _fused(3, 24, 24, 1, 1),
    _fused(5, 24, 48, 4, 2),
    _fused(5, 48, 80, 4, 2),
    MBStage(3, 7, 80, 160, 4, 2),
    MBStage(3, 14, 160, 176, 6, 1),
    MBStage(3, 18, 176, 304, 6, 2),
    MBStage(3, 5, 304, 512, 6, 1),
)
_L = (
    _fused(4, 32, 32, 1, 1),
    _fused(7, 32, 64, 4, 2),
    _fused(7, 64, 96, 4, 2),
    MBStage(3, 10, 96, 192, 4, 2),
    MBStage(3, 19, 192, 224, 6, 1),
    MBStage(3, 25, 224, 384, 6, 2),
    MBStage(3, 7, 384, 640, 6, 1),
)
"""Table 4 of the paper, and the larger and smaller ones."""
_KINDS = {
    "b0": (_B, 1.0, 1.0, 224, "21ecbf6da12460d5c40bb2f29ceb2188", "893217f2bb855e2983157299931e43ff"),
    "b1": (_B, 1.0, 1.1, 240, "069f0534ff22adf035c89e2d9547a9dc", "0e80663031ca32d657f9caa404b6ec37"),
    "b2": (_B, 1.1, 1.2, 260, "424e49f28180edbde1e94797771950a7", "1dfe2e7a5d45b6632553a8961ea609eb"),
    "b3": (_B, 1.2, 1.4, 300, "1f1fc43bd98a6e4fd8fdfd551e02c7a0", "f6abf7b5849ac99a89b50dd3fd532856"),
    "s": (_S, 1.0, 1.0, 384, "e1d88a8495beba45748fedd0cecbe016", "af0682fb74e8c54910f2d4393339c070"),
    "m": (_M, 1.0, 1.0, 480, "a3bf6aa3276309f4fc6a34aa114c95cd", "1b8dc055df72dde80d614482840fe342"),
    "l": (_L, 1.0, 1.0, 480, "27e6d408b53c7ebc868fefa357689935", "b0b66b5c863aef5b46e8608fe1711615"),
}
"""Stages, width, depth, size of images, checksums of the files with and without classifier."""


def _rounded(filters: float) -> int:
    return max(_DIVISOR, int(filters + _DIVISOR / 2) // _DIVISOR * _DIVISOR)


def _network(kind: str, wanted: Wanted, includes_preprocessing: bool) -> Functional:
    stages, width, depth, size, *checksums = _KINDS[kind]
    shape = shape_of(wanted, size)
    scales_as_first = kind.startswith("b") and shape[channel_axis() % 4 - 1] == 3

    def top(x: KerasTensor) -> KerasTensor:
        if not wanted.include_top:
            return wanted.pooled(x, is_named=True)
        x = layers.Dropout(_DROPOUT, name="top_dropout")(wanted.averaged(x))
        return wanted.classified(x, kernel_initializer=CLASSIFIER)

    scale = _scaled if includes_preprocessing else None
    ending = "" if wanted.include_top else "_notop"
    file = partial(
        published, f"{KERAS_FILES}/efficientnet_v2", f"efficientnetv2-{kind}{ending}.h5",
        checksums[not wanted.include_top],
    )  # fmt: skip
    body = _body(stages, width, depth, None if scale is None else partial(scale, scales_as_first))
    return assembled(wanted, shape, body, top, file)


def _scaled(as_first: bool, x: KerasTensor) -> KerasTensor:
    """Pixels from [0, 255] as the network expects them: B0 to B3 as EfficientNet does."""
    if not as_first:
        y: KerasTensor = layers.Rescaling(1.0 / 128.0, -1)(x)
        return y
    variance = [deviation**2 for deviation in _DEVIATION]
    axis = channel_axis() % 4
    y = layers.Normalization(axis=axis, mean=list(_MEAN), variance=variance)(layers.Rescaling(1.0 / 255)(x))
    return y


def _body(stages: tuple[MBStage, ...], width: float, depth: float, scale: Body | None) -> Body:
    def body(x: KerasTensor) -> KerasTensor:
        x = x if scale is None else scale(x)
        x = _PARTS.convolved(x, _rounded(stages[0].filters_in * width), 3, "stem_conv", strides=2)
        x = activated(_PARTS.normalized(x, "stem_bn"), ACTIVATION, "stem_activation")
        blocks, number = sum(stage.repeats for stage in stages), 0
        for i, stage in enumerate(stages):
            filters_in, filters_out = _rounded(stage.filters_in * width), _rounded(stage.filters_out * width)
            for j in range(math.ceil(depth * stage.repeats)):
                x = MBBlock(
                    _PARTS, stage, filters_out if j else filters_in, filters_out, 1 if j else stage.strides,
                    _DROP * number / blocks, f"block{i + 1}{chr(j + 97)}_", pads=False, depthwise="dwconv2",
                )(x)  # fmt: skip
                number += 1
        x = _PARTS.convolved(x, _rounded(_LAST * width), 1, "top_conv")
        return activated(_PARTS.normalized(x, "top_bn"), ACTIVATION, "top_activation")

    return body


def _application(kind: str) -> Callable[..., Functional]:
    class_name = f"EfficientNetV2{kind.upper()}"

    def network(
        include_top: bool = True,
        weights: Weights = IMAGENET,
        input_tensor: KerasTensor | None = None,
        input_shape: Shape | None = None,
        pooling: str | None = None,
        classes: int = CLASSES,
        classifier_activation: Classifier = "softmax",
        include_preprocessing: bool = True,
        name: str | None = f"efficientnetv2-{kind}",
    ) -> Functional:
        wanted = Wanted(
            class_name, include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name
        )
        wanted.check()
        return _network(kind, wanted, include_preprocessing)

    further = "        include_preprocessing: whether it scales pixels from [0, 255] itself.\n"
    described(network, class_name, "M. Tan and Q. Le, 2021 (arXiv:2104.00298)", further)
    return network


EfficientNetV2B0 = _application("b0")
EfficientNetV2B1 = _application("b1")
EfficientNetV2B2 = _application("b2")
EfficientNetV2B3 = _application("b3")
EfficientNetV2S = _application("s")
EfficientNetV2M = _application("m")
EfficientNetV2L = _application("l")
