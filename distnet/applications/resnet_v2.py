"""ResNets whose blocks normalize before they convolve, so that the sums pass through unchanged.

Source: K. He and others, 2016 (arXiv:1603.05027); ``keras.applications.resnet_v2``.
"""

from __future__ import annotations

from functools import partial

from distnet import layers
from distnet.applications.assembly import Wanted, application
from distnet.applications.imagenet_utils import decode_predictions as decode_predictions
from distnet.applications.imagenet_utils import preprocessing
from distnet.applications.parts import added, padded
from distnet.applications.resnet import EXPANSION, PARTS, WIDTHS, normalized_relu, residual_network
from distnet.layers.engine.base import KerasTensor
from distnet.models import Functional

_DEPTHS = {"resnet50v2": (3, 4, 6, 3), "resnet101v2": (3, 4, 23, 3), "resnet152v2": (3, 8, 36, 3)}
"""Blocks of each stack."""
_SOURCE = "K. He and others, 2016 (arXiv:1603.05027)"


def _resnet_v2(kind: str, wanted: Wanted) -> Functional:
    depths = _DEPTHS[kind]

    def stacks(x: KerasTensor) -> KerasTensor:
        for stack, (filters, depth) in enumerate(zip(WIDTHS, depths, strict=True), 2):
            for block in range(1, depth + 1):
                strides = 2 if block == depth and stack <= len(depths) else 1
                x = _block(x, filters, strides, is_first=block == 1, name=f"conv{stack}_block{block}")
        return x

    return residual_network(kind, wanted, stacks, _unnormalized, partial(normalized_relu, name="post"))


def _unnormalized(x: KerasTensor, name: str) -> KerasTensor:
    return x


def _block(x: KerasTensor, filters: int, strides: int, is_first: bool, name: str) -> KerasTensor:
    """Convolutions of 1x1, 3x3 and 1x1 behind a normalization, and the input, pooled where strides are 2."""
    start = normalized_relu(x, f"{name}_preact")
    if is_first:
        short = PARTS.convolved(start, EXPANSION * filters, 1, f"{name}_0_conv", padding="valid", use_bias=True)
    else:
        short = layers.MaxPooling2D(1, strides=strides)(x) if strides > 1 else x
    y = PARTS.convolved(start, filters, 1, f"{name}_1_conv", padding="valid")
    y = padded(normalized_relu(y, f"{name}_1"), 1, f"{name}_2_pad")
    y = PARTS.convolved(y, filters, 3, f"{name}_2_conv", strides=strides, padding="valid")
    y = normalized_relu(y, f"{name}_2")
    y = PARTS.convolved(y, EXPANSION * filters, 1, f"{name}_3_conv", padding="valid", use_bias=True)
    return added([short, y], f"{name}_out")


ResNet50V2 = application("ResNet50V2", "resnet50v2", _SOURCE, partial(_resnet_v2, "resnet50v2"))
ResNet101V2 = application("ResNet101V2", "resnet101v2", _SOURCE, partial(_resnet_v2, "resnet101v2"))
ResNet152V2 = application("ResNet152V2", "resnet152v2", _SOURCE, partial(_resnet_v2, "resnet152v2"))
preprocess_input = preprocessing("tf", __name__)
