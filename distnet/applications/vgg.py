"""VGG16 and VGG19: blocks of 3x3 convolutions, each block behind a pooling.

Source: K. Simonyan and A. Zisserman, 2014 (arXiv:1409.1556); ``keras.applications.vgg16`` and ``vgg19``.
"""

from __future__ import annotations

from functools import partial

from distnet import layers
from distnet.applications.assembly import KERAS_FILES, Wanted, application, assembled, published, shape_of
from distnet.applications.imagenet_utils import decode_predictions as decode_predictions
from distnet.applications.imagenet_utils import preprocessing
from distnet.applications.parts import Parts
from distnet.layers.engine.base import KerasTensor
from distnet.models import Functional

_FILTERS = (64, 128, 256, 512, 512)
"""Of each block."""
_CONVOLUTIONS = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}
"""Of each block."""
_UNITS = 4096
"""Of both hidden layers of the classifier."""
_CHECKSUMS = {
    "vgg16": ("64373286793e3c8b2b4e3219cbf3544b", "6d6bbae143d832006294945121d1f1fc"),
    "vgg19": ("cbe5617147190e668d6c5d5026f83318", "253f8cb515780f3b799900260a226db6"),
}
"""Of the files with and without classifier."""
_SOURCE = "K. Simonyan and A. Zisserman, 2014 (arXiv:1409.1556)"


def _vgg(kind: str, wanted: Wanted) -> Functional:
    def body(x: KerasTensor) -> KerasTensor:
        for block, (filters, count) in enumerate(zip(_FILTERS, _CONVOLUTIONS[kind], strict=True), 1):
            for i in range(1, count + 1):
                x = Parts().convolved(x, filters, 3, f"block{block}_conv{i}", use_bias=True, activation="relu")
            x = layers.MaxPooling2D(2, strides=2, name=f"block{block}_pool")(x)
        return x

    def top(x: KerasTensor) -> KerasTensor:
        if not wanted.include_top:
            return wanted.pooled(x)
        x = layers.Flatten(name="flatten")(x)
        for name in ("fc1", "fc2"):
            x = layers.Dense(_UNITS, activation="relu", name=name)(x)
        return wanted.classified(x)

    ending = "" if wanted.include_top else "_notop"
    file = partial(
        published, f"{KERAS_FILES}/{kind}", f"{kind}_weights_tf_dim_ordering_tf_kernels{ending}.h5",
        _CHECKSUMS[kind][not wanted.include_top],
    )  # fmt: skip
    return assembled(wanted, shape_of(wanted, 224), body, top, file)


VGG16 = application("VGG16", "vgg16", _SOURCE, partial(_vgg, "vgg16"))
VGG19 = application("VGG19", "vgg19", _SOURCE, partial(_vgg, "vgg19"))
preprocess_input = preprocessing("caffe", __name__)
