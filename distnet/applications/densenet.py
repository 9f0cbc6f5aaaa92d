"""DenseNets: blocks in which each convolution reads the outputs of all those before it.

Source: G. Huang and others, 2016 (arXiv:1608.06993); ``keras.applications.densenet``.
"""

from __future__ import annotations

from functools import partial

from distnet import layers
from distnet.applications.assembly import (
    KERAS_FILES,
    Wanted,
    application,
    assembled,
    averaging_top,
    check_last,
    published,
    shape_of,
)
from distnet.applications.imagenet_utils import decode_predictions as decode_predictions
from distnet.applications.imagenet_utils import preprocessing
from distnet.applications.parts import Parts, channels, joined, padded, relu
from distnet.layers.engine.base import KerasTensor
from distnet.models import Functional

_PARTS = Parts(epsilon=1.001e-5)
_GROWTH = 32
"""Channels that each convolution adds."""
_REDUCTION = 0.5
"""Share of the channels that a transition keeps."""
_BLOCKS = {"densenet121": (6, 12, 24, 16), "densenet169": (6, 12, 32, 32), "densenet201": (6, 12, 48, 32)}
"""Convolutions of each block."""
_CHECKSUMS = {
    "densenet121": ("9d60b8095a5708f2dcce2bca79d332c7", "30ee3e1110167f948a6b9946edeeb738"),
    "densenet169": ("d699b8f76981ab1b30698df4c175e90b", "b8c4d4c20dd625c148057b9ff1c1176b"),
    "densenet201": ("1ceb130c1ea1b78c3bf6114dbdfd8807", "c13680b51ded0fb44dff2d8f86ac8bb1"),
}
"""Of the files with and without classifier."""
_SOURCE = "G. Huang and others, 2016 (arXiv:1608.06993)"


def _densenet(kind: str, wanted: Wanted) -> Functional:
    check_last(wanted.family)

    def body(x: KerasTensor) -> KerasTensor:
        x = _PARTS.convolved(padded(x, 3), 64, 7, "conv1_conv", strides=2, padding="valid")
        x = padded(relu(_PARTS.normalized(x, "conv1_bn"), "conv1_relu"), 1)
        x = layers.MaxPooling2D(3, strides=2, name="pool1")(x)
        for stage, count in enumerate(_BLOCKS[kind], 2):
            for i in range(1, count + 1):
                x = _grown(x, f"conv{stage}_block{i}")
            if stage < 1 + len(_BLOCKS[kind]):
                x = _transition(x, f"pool{stage}")
        return relu(_PARTS.normalized(x, "bn"), "relu")

    ending = "" if wanted.include_top else "_notop"
    file = partial(
        published, f"{KERAS_FILES}/densenet", f"{kind}_weights_tf_dim_ordering_tf_kernels{ending}.h5",
        _CHECKSUMS[kind][not wanted.include_top],
    )  # fmt: skip
    return assembled(wanted, shape_of(wanted, 224), body, averaging_top(wanted, is_named=True), file)


def _grown(x: KerasTensor, name: str) -> KerasTensor:
    """``x`` and what a convolution of 1x1 and one of 3x3 make of it."""
    y = relu(_PARTS.normalized(x, f"{name}_0_bn"), f"{name}_0_relu")
    y = _PARTS.convolved(y, 4 * _GROWTH, 1, f"{name}_1_conv", padding="valid")
    y = relu(_PARTS.normalized(y, f"{name}_1_bn"), f"{name}_1_relu")
    return joined([x, _PARTS.convolved(y, _GROWTH, 3, f"{name}_2_conv")], f"{name}_concat")


def _transition(x: KerasTensor, name: str) -> KerasTensor:
    """Half of the channels, at half of the height and width."""
    x = relu(_PARTS.normalized(x, f"{name}_bn"), f"{name}_relu")
    x = _PARTS.convolved(x, int(channels(x) * _REDUCTION), 1, f"{name}_conv", padding="valid")
    y: KerasTensor = layers.AveragePooling2D(2, strides=2, name=f"{name}_pool")(x)
    return y


DenseNet121 = application("DenseNet121", "densenet121", _SOURCE, partial(_densenet, "densenet121"))
DenseNet169 = application("DenseNet169", "densenet169", _SOURCE, partial(_densenet, "densenet169"))
DenseNet201 = application("DenseNet201", "densenet201", _SOURCE, partial(_densenet, "densenet201"))
preprocess_input = preprocessing("torch", __name__)
