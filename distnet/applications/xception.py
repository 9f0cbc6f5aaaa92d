"""Xception: separable convolutions in blocks with shortcuts.

Source: F. Chollet, 2016 (arXiv:1610.02357); ``keras.applications.xception``.
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
    published,
    shape_of,
)
from distnet.applications.imagenet_utils import decode_predictions as decode_predictions
from distnet.applications.imagenet_utils import preprocessing
from distnet.applications.parts import Parts, added, relu
from distnet.layers.engine.base import KerasTensor
from distnet.models import Functional

_PARTS = Parts()
_STEM = ((32, 2), (64, 1))
"""Filters and strides of the convolutions before the first block."""
_REDUCING = {2: (128, 128), 3: (256, 256), 4: (728, 728), 13: (728, 1024)}
"""Blocks that halve the images: number -> filters of their separable convolutions."""
_MIDDLE = dict.fromkeys(range(5, 13), (728, 728, 728))
"""Blocks that keep their size."""
_END = (1536, 2048)
"""Filters of block 14, which has no shortcut."""
_CHECKSUMS = ("0a58e3b7378bc2990ea3b43d5981f1f6", "b0042744bf5b25fce3cb969f33bebb97")


def _xception(wanted: Wanted) -> Functional:
    ending = "" if wanted.include_top else "_notop"
    file = partial(
        published, f"{KERAS_FILES}/xception", f"xception_weights_tf_dim_ordering_tf_kernels{ending}.h5",
        _CHECKSUMS[not wanted.include_top],
    )  # fmt: skip
    return assembled(wanted, shape_of(wanted, 299, 71), _body, averaging_top(wanted), file)


def _body(x: KerasTensor) -> KerasTensor:
    for i, (filters, strides) in enumerate(_STEM, 1):
        name = f"block1_conv{i}"
        x = _PARTS.convolved(x, filters, 3, name, strides=strides, padding="valid")
        x = relu(_PARTS.normalized(x, f"{name}_bn"), f"{name}_act")
    for block, widths in sorted({**_REDUCING, **_MIDDLE}.items()):
        x = _block(x, block, widths)
    for i, filters in enumerate(_END, 1):
        name = f"block14_sepconv{i}"
        x = relu(_separable(x, filters, name), f"{name}_act")
    return x


def _block(x: KerasTensor, block: int, widths: tuple[int, ...]) -> KerasTensor:
    """Activations and separable convolutions, and the input, halved by a convolution of 1x1 where they are halved."""
    short, halves = x, block in _REDUCING
    if halves:
        short = _PARTS.normalized(_PARTS.convolved(x, widths[-1], 1, strides=2))
    for i, filters in enumerate(widths, 1):
        name = f"block{block}_sepconv{i}"
        if (block, i) != (2, 1):  # the stem has ended in one
            x = relu(x, f"{name}_act")
        x = _separable(x, filters, name)
    if halves:
        x = layers.MaxPooling2D(3, strides=2, padding="same", name=f"block{block}_pool")(x)
    return added([x, short])


def _separable(x: KerasTensor, filters: int, name: str) -> KerasTensor:
    return _PARTS.normalized(_PARTS.separable(x, filters, 3, name), f"{name}_bn")


Xception = application("Xception", "xception", "F. Chollet, 2016 (arXiv:1610.02357)", _xception)
preprocess_input = preprocessing("tf", __name__)
