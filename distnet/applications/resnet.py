"""ResNets: stacks of bottleneck blocks, each of which adds to its input.

Source: K. He and others, 2015 (arXiv:1512.03385); ``keras.applications.resnet``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from distnet import layers
from distnet.applications.assembly import (
    KERAS_FILES,
    Body,
    Wanted,
    application,
    assembled,
    averaging_top,
    published,
    shape_of,
)
from distnet.applications.imagenet_utils import decode_predictions as decode_predictions
from distnet.applications.imagenet_utils import preprocessing
from distnet.applications.parts import Parts, added, padded, relu
from distnet.layers.engine.base import KerasTensor
from distnet.models import Functional

PARTS = Parts(epsilon=1.001e-5)
WIDTHS = (64, 128, 256, 512)
"""Filters of each stack's blocks, whose outputs have four times as many."""
EXPANSION = 4
CHECKSUMS = {
    "resnet50": ("2cb95161c43110f7111970584f804107", "4d473c1dd8becc155b73f8504c6f6626"),
    "resnet101": ("f1aeb4b969a6efcfb50fad2f0c20cfc5", "88cf7a10940856eca736dc7b7e228a21"),
    "resnet152": ("100835be76be38e30d865e96f2aaae62", "ee4c566cf9a93f14d82f913c2dc6dd0c"),
    "resnet50v2": ("3ef43a0b657b3be2300d5770ece849e0", "fac2f116257151a9d068a22e544a4917"),
    "resnet101v2": ("6343647c601c52e1368623803854d971", "c0ed64b8031c3730f411d2eb4eea35b5"),
    "resnet152v2": ("a49b44d1979771252814e80f8ec446f9", "ed17cf2e0169df9d443503ef94b23b33"),
}
"""Of the files with and without classifier."""
_DEPTHS = {"resnet50": (3, 4, 6, 3), "resnet101": (3, 4, 23, 3), "resnet152": (3, 8, 36, 3)}
"""Blocks of each stack."""
_SOURCE = "K. He and others, 2015 (arXiv:1512.03385)"


def residual_network(
    kind: str, wanted: Wanted, stacks: Body, after_first: Callable[[KerasTensor, str], KerasTensor], end: Body
) -> Functional:
    """A network whose stacks of blocks come behind a convolution of 7x7 and a pooling.

    Args:
        kind: names its file of weights.
        wanted: the arguments.
        stacks: makes the stacks.
        after_first: what follows the first convolution, given its name.
        end: what follows the stacks.
    """

    def body(x: KerasTensor) -> KerasTensor:
        x = padded(x, 3, "conv1_pad")
        x = PARTS.convolved(x, WIDTHS[0], 7, "conv1_conv", strides=2, padding="valid", use_bias=True)
        x = padded(after_first(x, "conv1"), 1, "pool1_pad")
        return end(stacks(layers.MaxPooling2D(3, strides=2, name="pool1_pool")(x)))

    ending = "" if wanted.include_top else "_notop"
    file = partial(
        published, f"{KERAS_FILES}/resnet", f"{kind}_weights_tf_dim_ordering_tf_kernels{ending}.h5",
        CHECKSUMS[kind][not wanted.include_top],
    )  # fmt: skip
    return assembled(wanted, shape_of(wanted, 224), body, averaging_top(wanted, is_named=True), file)


def normalized_relu(x: KerasTensor, name: str) -> KerasTensor:
    """Normalization, then relu."""
    return relu(PARTS.normalized(x, f"{name}_bn"), f"{name}_relu")


def _resnet(kind: str, wanted: Wanted) -> Functional:
    def stacks(x: KerasTensor) -> KerasTensor:
        for stack, (filters, depth) in enumerate(zip(WIDTHS, _DEPTHS[kind], strict=True), 2):
            for block in range(1, depth + 1):
                strides = 2 if block == 1 and stack > 2 else 1
                x = _block(x, filters, strides, is_first=block == 1, name=f"conv{stack}_block{block}")
        return x

    return residual_network(kind, wanted, stacks, normalized_relu, _as_it_is)


def _as_it_is(x: KerasTensor) -> KerasTensor:
    return x


def _block(x: KerasTensor, filters: int, strides: int, is_first: bool, name: str) -> KerasTensor:
    """Convolutions of 1x1, 3x3 and 1x1, and the input, which the first block of a stack fits to them."""
    short = x
    if is_first:
        short = PARTS.convolved(
            x, EXPANSION * filters, 1, f"{name}_0_conv", strides=strides, padding="valid", use_bias=True
        )
        short = PARTS.normalized(short, f"{name}_0_bn")
    x = PARTS.convolved(x, filters, 1, f"{name}_1_conv", strides=strides, padding="valid", use_bias=True)
    x = PARTS.convolved(normalized_relu(x, f"{name}_1"), filters, 3, f"{name}_2_conv", use_bias=True)
    x = normalized_relu(x, f"{name}_2")
    x = PARTS.convolved(x, EXPANSION * filters, 1, f"{name}_3_conv", padding="valid", use_bias=True)
    x = PARTS.normalized(x, f"{name}_3_bn")
    return relu(added([short, x], f"{name}_add"), f"{name}_out")


ResNet50 = application("ResNet50", "resnet50", _SOURCE, partial(_resnet, "resnet50"))
ResNet101 = application("ResNet101", "resnet101", _SOURCE, partial(_resnet, "resnet101"))
ResNet152 = application("ResNet152", "resnet152", _SOURCE, partial(_resnet, "resnet152"))
preprocess_input = preprocessing("caffe", __name__)
