"""MobileNetV3, small and large: MobileNetV2's blocks, some with weights for whole channels.

Source: A. Howard and others, 2019 (arXiv:1905.02244); ``keras.applications.mobilenet_v3``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from distnet import config, layers
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
    warn_of_size,
)
from distnet.applications.imagenet_utils import CLASSES
from distnet.applications.imagenet_utils import decode_predictions as decode_predictions
from distnet.applications.imagenet_utils import unchanged as preprocess_input  # noqa: F401 - Keras's name of it
from distnet.applications.mobilenet import sides_of
from distnet.applications.mobilenet_v2 import check_width
from distnet.applications.parts import Parts, activated, added, channels, divisible, padded_for
from distnet.datasets.fetch import RemoteFile
from distnet.errors import ArgumentError, ShapeError
from distnet.layers.engine.base import KerasTensor
from distnet.models import Functional
from distnet.types import Shape

_PARTS = Parts(momentum=0.999)
_STEM = 16
"""Filters of the first convolution."""
_WIDENING = 6
"""Factor of the last convolution's filters."""
_SE_RATIO = 0.25
_LEAST = 32
"""Height and width of an image."""


@dataclass(frozen=True)
class _Row:
    """A block: expansion, filters, kernel, strides, whether it weighs channels, whether it uses hard swish."""

    expansion: float
    filters: int
    kernel: int
    strides: int
    weighs: bool = False
    swishes: bool = False

    @property
    def minimal(self) -> _Row:
        """The same without what is slow on simple hardware."""
        return replace(self, kernel=3, weighs=False, swishes=False)


_SMALL = (
    _Row(1, 16, 3, 2, True),
    _Row(72 / 16, 24, 3, 2),
    _Row(88 / 24, 24, 3, 1),
    _Row(4, 40, 5, 2, True, True),
    _Row(6, 40, 5, 1, True, True),
    _Row(6, 40, 5, 1, True, True),
    _Row(3, 48, 5, 1, True, True),
    _Row(3, 48, 5, 1, True, True),
    _Row(6, 96, 5, 2, True, True),
    _Row(6, 96, 5, 1, True, True),
    _Row(6, 96, 5, 1, True, True),
)
_LARGE = (
    _Row(1, 16, 3, 1),
    _Row(4, 24, 3, 2),
    _Row(3, 24, 3, 1),
    _Row(3, 40, 5, 2, True),
    _Row(3, 40, 5, 1, True),
    _Row(3, 40, 5, 1, True),
    _Row(6, 80, 3, 2, False, True),
    _Row(2.5, 80, 3, 1, False, True),
    _Row(2.3, 80, 3, 1, False, True),
    _Row(2.3, 80, 3, 1, False, True),
    _Row(6, 112, 3, 1, True, True),
    _Row(6, 112, 3, 1, True, True),
    _Row(6, 160, 5, 2, True, True),
    _Row(6, 160, 5, 1, True, True),
    _Row(6, 160, 5, 1, True, True),
)
_KINDS = {"small": (_SMALL, 1024), "large": (_LARGE, 1280)}
"""Blocks, and units of the classifier's hidden layer: tables 1 and 2 of the paper."""
_CHECKSUMS = {
    "large_224_0.75_float": ("765b44a33ad4005b3ac83185abf1d0eb", "40af19a13ebea4e2ee0c676887f69a2e"),
    "large_224_1.0_float": ("59e551e166be033d707958cf9e29a6a7", "07fb09a5933dd0c8eaafa16978110389"),
    "large_minimalistic_224_1.0_float": ("675e7b876c45c57e9e63e6d90a36599c", "ec5221f64a2f6d1ef965a614bdae7973"),
    "small_224_0.75_float": ("cb65d4e5be93758266aa0a7f2c6708b7", "ebdb5cc8e0b497cd13a7c275d475c819"),
    "small_224_1.0_float": ("8768d4c2e7dee89b9d02b2d03d65d862", "d3e8ec802a04aa4fc771ee12a9a9b836"),
    "small_minimalistic_224_1.0_float": ("99cd97fb2fcdad2bf028eb838de69e37", "cde8136e733e811080d9fcd8a252f7e4"),
}
"""Of the files with and without classifier."""


@dataclass(frozen=True)
class _Options:
    """The arguments that only this family takes: see ``_FURTHER``."""

    alpha: float
    minimalistic: bool
    dropout_rate: float
    include_preprocessing: bool

    @property
    def activation(self) -> str:
        """Of the layers outside of the blocks."""
        return "relu" if self.minimalistic else "hard_swish"


def _network(kind: str, wanted: Wanted, options: _Options) -> Functional:
    wanted.check()
    check_width(wanted)
    shape = _shape(wanted)
    if wanted.is_published:
        _check_published(wanted.family, options, shape)
    kept = f"{kind}{'_minimalistic' if options.minimalistic else ''}_224_{float(options.alpha)}_float"
    ending = "" if wanted.include_top else "_no_top_v2"

    def file() -> RemoteFile:
        return published(
            f"{KERAS_FILES}/mobilenet_v3", f"weights_mobilenet_v3_{kept}{ending}.h5",
            _CHECKSUMS[kept][not wanted.include_top],
        )  # fmt: skip

    return assembled(wanted, shape, _body(kind, options), _top(kind, wanted, options), file)


def _body(kind: str, options: _Options) -> Body:
    rows = _KINDS[kind][0]

    def body(x: KerasTensor) -> KerasTensor:
        if options.include_preprocessing:
            x = layers.Rescaling(1 / 127.5, -1.0)(x)
        x = _PARTS.normalized(_PARTS.convolved(x, _STEM, 3, "conv", strides=2), "conv_bn")
        x = _active(x, options.activation)
        for i, row in enumerate(rows):
            x = _block(x, row.minimal if options.minimalistic else row, divisible(row.filters * options.alpha), i)
        x = _PARTS.convolved(x, divisible(channels(x) * _WIDENING), 1, "conv_1")
        return _active(_PARTS.normalized(x, "conv_1_bn"), options.activation)

    return body


def _top(kind: str, wanted: Wanted, options: _Options) -> Body:
    units = _KINDS[kind][1]
    if options.alpha > 1:
        units = divisible(units * options.alpha)

    def top(x: KerasTensor) -> KerasTensor:
        if not wanted.include_top:
            return wanted.pooled(x, is_named=True)
        x = layers.GlobalAveragePooling2D(keepdims=True)(x)
        x = _active(_PARTS.convolved(x, units, 1, "conv_2", use_bias=True), options.activation)
        if options.dropout_rate > 0:
            x = layers.Dropout(options.dropout_rate)(x)
        x = layers.Flatten()(_PARTS.convolved(x, wanted.classes, 1, "logits", use_bias=True))
        y: KerasTensor = layers.Activation(wanted.classifier_activation, name="predictions")(x)
        return y

    return top


def _block(x: KerasTensor, row: _Row, filters: int, number: int) -> KerasTensor:
    before, start = channels(x), x
    wide = divisible(before * row.expansion)
    activation = "hard_swish" if row.swishes else "relu"
    name = f"expanded_conv_{number}_" if number else "expanded_conv_"
    if number:
        x = _PARTS.normalized(_PARTS.convolved(x, wide, 1, f"{name}expand"), f"{name}expand_bn")
        x = _active(x, activation)
    if row.strides == 2:
        x = padded_for(x, row.kernel, f"{name}depthwise_pad")
    padding = "same" if row.strides == 1 else "valid"
    x = _PARTS.depthwise(x, row.kernel, f"{name}depthwise", strides=row.strides, padding=padding)
    x = _active(_PARTS.normalized(x, f"{name}depthwise_bn"), activation)
    if row.weighs:
        x = _weighed(x, wide, f"{name}squeeze_excite_")
    x = _PARTS.normalized(_PARTS.convolved(x, filters, 1, f"{name}project"), f"{name}project_bn")
    return added([start, x], f"{name}add") if before == filters and row.strides == 1 else x


def _weighed(x: KerasTensor, filters: int, name: str) -> KerasTensor:
    """Each channel times a weight that depends on the means of all channels."""
    weights = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}avg_pool")(x)
    weights = _PARTS.convolved(weights, divisible(filters * _SE_RATIO), 1, f"{name}conv", use_bias=True)
    weights = layers.ReLU(name=f"{name}relu")(weights)
    weights = _PARTS.convolved(weights, filters, 1, f"{name}conv_1", use_bias=True)
    hard_sigmoid = layers.ReLU(6.0)(weights + 3.0) * (1.0 / 6.0)
    y: KerasTensor = layers.Multiply(name=f"{name}mul")([x, hard_sigmoid])
    return y


def _active(x: KerasTensor, activation: str) -> KerasTensor:
    if activation != "relu":
        return activated(x, activation)
    y: KerasTensor = layers.ReLU()(x)
    return y


def _shape(wanted: Wanted) -> Shape:
    """The shape of a row, which a classifier does not fix."""
    is_first = config.image_data_format() == "channels_first"
    shape = wanted.input_shape
    if shape is None:
        rows, columns = sides_of(None if wanted.input_tensor is None else wanted.input_tensor.shape[1:])
        shape = (3, columns, rows) if is_first else (columns, rows, 3)
    if len(shape) != 3:
        raise ShapeError(f"{wanted.family}: input_shape: expected three integers, received {shape}.")
    sides = sides_of(tuple(shape))
    if all(sides) and min(side or 0 for side in sides) < _LEAST:
        raise ShapeError(
            f"{wanted.family}: input_shape: expected images of at least {_LEAST}x{_LEAST}, received {shape}."
        )
    return tuple(shape)


def _check_published(family: str, options: _Options, shape: Shape) -> None:
    allowed = (1.0,) if options.minimalistic else (0.75, 1.0)
    if options.alpha not in allowed:
        raise ArgumentError(
            f"{family}: alpha: expected one of {allowed} with weights='imagenet', received {options.alpha!r}."
        )
    if sides_of(shape) != (224, 224):
        warn_of_size()


_FURTHER = """        alpha: factor of the number of filters.
        minimalistic: without hard swish, weights of channels and kernels of 5x5.
        dropout_rate: rate before the classifier.
        include_preprocessing: whether it scales pixels from [0, 255] itself.
"""


def _application(kind: str) -> Callable[..., Functional]:
    class_name = f"MobileNetV3{kind.capitalize()}"

    def network(
        input_shape: Shape | None = None,
        alpha: float = 1.0,
        minimalistic: bool = False,
        include_top: bool = True,
        weights: Weights = IMAGENET,
        input_tensor: KerasTensor | None = None,
        classes: int = CLASSES,
        pooling: str | None = None,
        dropout_rate: float = 0.2,
        classifier_activation: Classifier = "softmax",
        include_preprocessing: bool = True,
        name: str | None = class_name,
    ) -> Functional:
        wanted = Wanted(
            class_name, include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name
        )
        return _network(kind, wanted, _Options(alpha, minimalistic, dropout_rate, include_preprocessing))

    described(network, class_name, "A. Howard and others, 2019 (arXiv:1905.02244)", _FURTHER)
    return network


MobileNetV3Small = _application("small")
MobileNetV3Large = _application("large")
