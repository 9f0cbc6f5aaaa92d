"""EfficientNets B0 to B7: one network, widened, deepened and for larger images.

Source: M. Tan and Q. Le, 2019 (arXiv:1905.11946); ``keras.applications.efficientnet``.
"""

from __future__ import annotations

import math
from functools import partial

from distnet import layers
from distnet.applications.assembly import Body, Wanted, application, assembled, published, shape_of
from distnet.applications.imagenet_utils import decode_predictions as decode_predictions
from distnet.applications.imagenet_utils import unchanged as preprocess_input  # noqa: F401 - Keras's name of it
from distnet.applications.mbconv import ACTIVATION, CLASSIFIER, CONVOLUTIONS, MBBlock, MBStage
from distnet.applications.parts import Parts, activated, channel_axis, divisible, padded_for
from distnet.layers.engine.base import KerasTensor
from distnet.models import Functional

_PARTS = Parts(kernel_initializer=CONVOLUTIONS)
_STEM, _LAST = 32, 1280
"""Filters of the first and last convolution."""
_STAGES = (
    MBStage(3, 1, 32, 16, 1, 1),
    MBStage(3, 2, 16, 24, 6, 2),
    MBStage(5, 2, 24, 40, 6, 2),
    MBStage(3, 3, 40, 80, 6, 2),
    MBStage(5, 3, 80, 112, 6, 1),
    MBStage(5, 4, 112, 192, 6, 2),
    MBStage(3, 1, 192, 320, 6, 1),
)
"""Table 1 of the paper."""
_KINDS = {
    "b0": (1.0, 1.0, 224, 0.2, "902e53a9f72be733fc0bcb005b3ebbac", "50bc09e76180e00e4465e1a485ddc09d"),
    "b1": (1.0, 1.1, 240, 0.2, "1d254153d4ab51201f1646940f018540", "74c4e6b3e1f6a1eea24c589628592432"),
    "b2": (1.1, 1.2, 260, 0.3, "b15cce36ff4dcbd00b6dd88e7857a6ad", "111f8e2ac8aa800a7a99e3239f7bfb39"),
    "b3": (1.2, 1.4, 300, 0.3, "ffd1fdc53d0ce67064dc6a9c7960ede0", "af6d107764bb5b1abb91932881670226"),
    "b4": (1.4, 1.8, 380, 0.4, "18c95ad55216b8f92d7e70b3a046e2fc", "ebc24e6d6c33eaebbd558eafbeedf1ba"),
    "b5": (1.6, 2.2, 456, 0.4, "ace28f2a6363774853a83a0b21b9421a", "38879255a25d3c92d5e44e04ae6cec6f"),
    "b6": (1.8, 2.6, 528, 0.5, "165f6e37dce68623721b423839de8be5", "9ecce42647a20130c1f39a5d4cb75743"),
    "b7": (2.0, 3.1, 600, 0.5, "8c03f828fec3ef71311cd463b6759d99", "cbcfe4450ddf6f3ad90b1b398090fe4a"),
}
"""Width, depth, size of images, dropout before the classifier, checksums of the files with and without classifier."""
_DROP = 0.2
"""Rate at which the last block drops rows; those before it drop fewer."""
_DEVIATIONS = (0.229, 0.224, 0.225)
"""Of ImageNet's colours: the published weights were trained on pixels divided by their squares' roots twice."""
_FILES = "https://storage.googleapis.com/keras-applications"


def _efficientnet(kind: str, wanted: Wanted) -> Functional:
    width, depth, size, dropout, *checksums = _KINDS[kind]

    def top(x: KerasTensor) -> KerasTensor:
        if not wanted.include_top:
            return wanted.pooled(x, is_named=True)
        x = layers.Dropout(dropout, name="top_dropout")(wanted.averaged(x))
        return wanted.classified(x, kernel_initializer=CLASSIFIER)

    ending = "" if wanted.include_top else "_notop"
    file = partial(published, _FILES, f"efficientnet{kind}{ending}.h5", str(checksums[not wanted.include_top]))
    return assembled(wanted, shape_of(wanted, int(size)), _body(float(width), float(depth), wanted), top, file)


def _body(width: float, depth: float, wanted: Wanted) -> Body:
    def body(x: KerasTensor) -> KerasTensor:
        x = layers.Normalization(axis=channel_axis() % 4)(layers.Rescaling(1.0 / 255.0)(x))
        if wanted.is_published:
            x = layers.Rescaling([1.0 / math.sqrt(deviation) for deviation in _DEVIATIONS])(x)
        x = padded_for(x, 3, "stem_conv_pad")
        x = _PARTS.convolved(x, divisible(_STEM * width), 3, "stem_conv", strides=2, padding="valid")
        x = activated(_PARTS.normalized(x, "stem_bn"), ACTIVATION, "stem_activation")
        repeats = [math.ceil(depth * stage.repeats) for stage in _STAGES]
        number = 0
        for i, stage in enumerate(_STAGES):
            filters_in, filters_out = divisible(stage.filters_in * width), divisible(stage.filters_out * width)
            for j in range(repeats[i]):
                x = MBBlock(
                    _PARTS, stage, filters_out if j else filters_in, filters_out, 1 if j else stage.strides,
                    _DROP * number / sum(repeats), f"block{i + 1}{chr(j + 97)}_", pads=True, depthwise="dwconv",
                )(x)  # fmt: skip
                number += 1
        x = _PARTS.convolved(x, divisible(_LAST * width), 1, "top_conv")
        return activated(_PARTS.normalized(x, "top_bn"), ACTIVATION, "top_activation")

    return body


def _named(kind: str) -> tuple[str, str, str]:
    return f"EfficientNet{kind.upper()}", f"efficientnet{kind}", "M. Tan and Q. Le, 2019 (arXiv:1905.11946)"


EfficientNetB0 = application(*_named("b0"), partial(_efficientnet, "b0"))
EfficientNetB1 = application(*_named("b1"), partial(_efficientnet, "b1"))
EfficientNetB2 = application(*_named("b2"), partial(_efficientnet, "b2"))
EfficientNetB3 = application(*_named("b3"), partial(_efficientnet, "b3"))
EfficientNetB4 = application(*_named("b4"), partial(_efficientnet, "b4"))
EfficientNetB5 = application(*_named("b5"), partial(_efficientnet, "b5"))
EfficientNetB6 = application(*_named("b6"), partial(_efficientnet, "b6"))
EfficientNetB7 = application(*_named("b7"), partial(_efficientnet, "b7"))
