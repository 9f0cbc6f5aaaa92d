"""InceptionResNetV2: branches whose sum is added to their input.

Source: C. Szegedy and others, 2016 (arXiv:1602.07261); ``keras.applications.inception_resnet_v2``.
"""

from __future__ import annotations

from functools import partial

from distnet.applications.assembly import (
    KERAS_FILES,
    Wanted,
    application,
    assembled,
    averaging_top,
    published,
    shape_of,
)
from distnet.applications.branches import PARTS, branch, side_by_side
from distnet.applications.imagenet_utils import decode_predictions as decode_predictions
from distnet.applications.imagenet_utils import preprocessing
from distnet.applications.parts import channels, relu
from distnet.layers.engine.base import KerasTensor
from distnet.layers.of_applications import CustomScaleLayer as CustomScaleLayer
from distnet.models import Functional

_STEM = "32@3x3/2 32@3x3v 64@3x3 max 80@1x1v 192@3x3v max"
_STAGES = (
    (
        "mixed_5b", ("96@1x1", "48@1x1 64@5x5", "64@1x1 96@3x3 96@3x3", "avg 64@1x1"),
        "block35", 10, 0.17, ("32@1x1", "32@1x1 32@3x3", "32@1x1 48@3x3 64@3x3"),
    ),
    (
        "mixed_6a", ("384@3x3/2", "256@1x1 256@3x3 384@3x3/2", "max"),
        "block17", 20, 0.1, ("192@1x1", "128@1x1 160@1x7 192@7x1"),
    ),
    (
        "mixed_7a", ("256@1x1 384@3x3/2", "256@1x1 288@3x3/2", "256@1x1 288@3x3 320@3x3/2", "max"),
        "block8", 10, 0.2, ("192@1x1", "192@1x1 224@1x3 256@3x1"),
    ),
)  # fmt: skip
"""A block of branches and its name; the residual blocks behind it: name, how many, their scale, their branches."""
_LAST = "block8_10"
"""The block that adds without scale and activation."""
_END = 1536
"""Filters of the last convolution."""
_CHECKSUMS = ("e693bd0210a403b3192acc6073ad2e96", "d19885ff4a710c122648d3b5c3b684e4")


def _inception_resnet_v2(wanted: Wanted) -> Functional:
    ending = "" if wanted.include_top else "_notop"
    file = partial(
        published, f"{KERAS_FILES}/inception_resnet_v2",
        f"inception_resnet_v2_weights_tf_dim_ordering_tf_kernels{ending}.h5", _CHECKSUMS[not wanted.include_top],
    )  # fmt: skip
    return assembled(wanted, shape_of(wanted, 299, 75), _body, averaging_top(wanted), file)


def _body(x: KerasTensor) -> KerasTensor:
    x = branch(x, _STEM)
    for mixed, lines, block, count, scale, residual in _STAGES:
        x = side_by_side(x, lines, mixed)
        for i in range(1, count + 1):
            x = _residual(x, residual, scale, f"{block}_{i}")
    x = PARTS.normalized(PARTS.convolved(x, _END, 1, "conv_7b"), "conv_7b_bn")
    return relu(x, "conv_7b_ac")


def _residual(x: KerasTensor, lines: tuple[str, ...], scale: float, name: str) -> KerasTensor:
    """``relu(x + scale * branches)``."""
    mixed = side_by_side(x, lines, f"{name}_mixed")
    update = PARTS.convolved(mixed, channels(x), 1, f"{name}_conv", use_bias=True)
    y: KerasTensor = CustomScaleLayer(1.0 if name == _LAST else scale)([x, update])
    return y if name == _LAST else relu(y, f"{name}_ac")


InceptionResNetV2 = application(
    "InceptionResNetV2",
    "inception_resnet_v2",
    "C. Szegedy and others, 2016 (arXiv:1602.07261)",
    _inception_resnet_v2,
)
preprocess_input = preprocessing("tf", __name__)
