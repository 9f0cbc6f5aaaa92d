"""NASNets: cells that a search found, each of two earlier outputs.

Source: B. Zoph and others, 2017 (arXiv:1707.07012); ``keras.applications.nasnet``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
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
    averaging_top,
    check_last,
    described,
    shape_of,
)
from distnet.applications.imagenet_utils import CLASSES, preprocessing
from distnet.applications.imagenet_utils import decode_predictions as decode_predictions
from distnet.applications.parts import NUMBERED, Parts, added, channels, joined, padded, padded_for, relu
from distnet.datasets.fetch import RemoteFile
from distnet.errors import ShapeError
from distnet.layers.engine.base import KerasTensor
from distnet.models import Functional
from distnet.types import Shape

_PARTS = Parts(momentum=0.9997, kernel_initializer="he_normal")
_MULTIPLIER = 2
"""Factor of the filters behind each reduction."""


@dataclass(frozen=True)
class _Kind:
    """One of the two networks.

    Args:
        size: height and width of its images.
        filters: of the first cells.
        cells: between two reductions.
        stem: filters of the first convolution.
        reads_reduced: whether the cell behind a reduction also reads what came before the cell in front of it.
        file: of weights, without ending.
        checksums: of the files with and without classifier.
    """

    size: int
    filters: int
    cells: int
    stem: int
    reads_reduced: bool
    file: str
    checksums: tuple[str, str]


_KINDS = {
    "NASNetMobile": _Kind(
        224, 44, 4, 32, True, "mobile", ("020fb642bf7360b370c678b08e0adf61", "1ed92395b5b598bdda52abe5c0dbfd63")
    ),
    "NASNetLarge": _Kind(
        331, 168, 6, 96, False, "large", ("11577c9a518f0070763c2b964a382f17", "d81d89dc07e6e56530c4e77faddd61b5")
    ),
}

_NORMAL = (
    ("1", "sep5 h left1", "sep3 p right1", "add_1"),
    ("2", "sep5 p left2", "sep3 p right2", "add_2"),
    ("3", "avg h left3", "p", "add_3"),
    ("4", "avg p left4", "avg p right4", "add_4"),
    ("5", "sep3 h left5", "h", "add_5"),
)
_REDUCTION = (
    ("1", "sep5/2 h left1", "sep7/2 p right1", "add_1"),
    ("2", "max/2 padded left2", "sep7/2 p right2", "add_2"),
    ("3", "avg/2 padded left3", "sep5/2 p right3", "add3"),
    ("4", "2", "avg 1 left4", NUMBERED),
    ("5", "sep3 1 left4", "max/2 padded right5", "add4"),
)
"""Sums of a cell, in Keras's order: number, two summands (what is done to which tensor, and its name), their name.

Tensors: h and p, the outputs of the last two cells, fitted; padded, h with zeros around; a number, that sum.
"""
_JOINED = {"normal": ("p", "1", "2", "3", "4", "5"), "reduction": ("2", "3", "4", "5")}
"""Tensors whose channels are a cell's output."""


def _nasnet(kind: _Kind, wanted: Wanted) -> Functional:
    check_last(wanted.family)
    wanted.check()
    if wanted.is_published and wanted.input_shape is not None and None in wanted.input_shape:
        raise ShapeError(
            f"{wanted.family}: input_shape: expected known extents with weights='imagenet', received "
            f"{wanted.input_shape}."
        )
    ending = "" if wanted.include_top else "-no-top"

    def file() -> RemoteFile:
        url = f"{KERAS_FILES}/nasnet/NASNet-{kind.file}{ending}.h5"
        kept = f"nasnet_{kind.file}{ending.replace('-', '_')}.h5"
        return RemoteFile("models", url, kind.checksums[not wanted.include_top], "models", kept)

    top = averaging_top(wanted, pool=NUMBERED)
    return assembled(wanted, shape_of(wanted, kind.size), _body(kind), top, file)


def _body(kind: _Kind) -> Body:
    def body(x: KerasTensor) -> KerasTensor:
        x = _PARTS.convolved(x, kind.stem, 3, "stem_conv1", strides=2, padding="valid")
        x = _PARTS.normalized(x, "stem_bn1")
        before: KerasTensor | None = None
        for i, factor in enumerate((_MULTIPLIER**2, _MULTIPLIER), 1):
            x, before = _cell(x, before, kind.filters // factor, "reduction", f"stem_{i}")
        for stage in range(3):
            filters = kind.filters * _MULTIPLIER**stage
            if stage:
                earlier = before
                x, before = _cell(x, before, filters, "reduction", f"reduce_{stage * kind.cells}")
                before = before if kind.reads_reduced else earlier
            for i in range(kind.cells):
                x, before = _cell(x, before, filters, "normal", str(stage * kind.cells + i + bool(stage)))
        return relu(x)

    return body


def _cell(
    x: KerasTensor, before: KerasTensor | None, filters: int, kind: str, number: str
) -> tuple[KerasTensor, KerasTensor]:
    """The cell's output, and ``x``, which the next one reads, too."""
    p = _fitted(before, x, filters, number)
    h = _PARTS.convolved(relu(x), filters, 1, f"{kind}_conv_1_{number}")
    h = _PARTS.normalized(h, f"{kind}_bn_1_{number}")
    tensors = {"h": h, "p": p}
    if kind == "reduction":
        tensors["padded"] = padded_for(h, 3, f"{kind}_pad_1_{number}")
    for own, left, right, name in _NORMAL if kind == "normal" else _REDUCTION:
        summands = [_summand(line, tensors, filters, kind, number) for line in (left, right)]
        tensors[own] = added(summands, name and f"{kind}_{name}_{number}")
    return joined([tensors[name] for name in _JOINED[kind]], f"{kind}_concat_{number}"), x


def _summand(line: str, tensors: dict[str, KerasTensor], filters: int, kind: str, number: str) -> KerasTensor:
    """What a line such as ``"sep5/2 h left1"`` says; a tensor alone is that tensor."""
    if line in tensors:
        return tensors[line]
    what, of, name = line.split()
    name = f"{kind}_{name}_{number}"
    what, _, halved = what.partition("/")
    strides = 2 if halved else 1
    if what.startswith("sep"):
        return _separable(tensors[of], filters, int(what[3:]), strides, name)
    pool = layers.MaxPooling2D if what == "max" else layers.AveragePooling2D
    y: KerasTensor = pool(3, strides=strides, padding="valid" if halved else "same", name=name)(tensors[of])
    return y


def _separable(x: KerasTensor, filters: int, kernel: int, strides: int, name: str) -> KerasTensor:
    """Two separable convolutions, each behind relu and before normalization."""
    for i in (1, 2):
        x = relu(x)
        if strides == 2 and i == 1:
            x = padded_for(x, kernel, f"separable_conv_1_pad_{name}")
        x = _PARTS.separable(
            x, filters, kernel, f"separable_conv_{i}_{name}",
            strides=strides if i == 1 else 1, padding="valid" if strides == 2 and i == 1 else "same",
        )  # fmt: skip
        x = _PARTS.normalized(x, f"separable_conv_{i}_bn_{name}")
    return x


def _fitted(p: KerasTensor | None, x: KerasTensor, filters: int, number: str) -> KerasTensor:
    """``p`` with the height, width and filters of the cell."""
    if p is None:
        return x
    if p.shape[-2] != x.shape[-2]:
        p = relu(p, f"adjust_relu_1_{number}")
        shifted = partial(layers.AveragePooling2D, 1, strides=2)
        first = shifted(name=f"adjust_avg_pool_1_{number}")(p)
        first = _PARTS.convolved(first, filters // 2, 1, f"adjust_conv_1_{number}")
        second = layers.Cropping2D(((1, 0), (1, 0)))(padded(p, ((0, 1), (0, 1))))
        second = shifted(name=f"adjust_avg_pool_2_{number}")(second)
        second = _PARTS.convolved(second, filters // 2, 1, f"adjust_conv_2_{number}")
        return _PARTS.normalized(joined([first, second]), f"adjust_bn_{number}")
    if channels(p) == filters:
        return p
    p = _PARTS.convolved(relu(p), filters, 1, f"adjust_conv_projection_{number}")
    return _PARTS.normalized(p, f"adjust_bn_{number}")


def _application(class_name: str, model_name: str) -> Callable[..., Functional]:
    kind = _KINDS[class_name]

    def network(
        input_shape: Shape | None = None,
        include_top: bool = True,
        weights: Weights = IMAGENET,
        input_tensor: KerasTensor | None = None,
        pooling: str | None = None,
        classes: int = CLASSES,
        classifier_activation: Classifier = "softmax",
        name: str | None = model_name,
    ) -> Functional:
        if kind.reads_reduced and not include_top and input_shape is None:
            input_shape = (kind.size, kind.size, 3)
        wanted = Wanted(
            class_name, include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name
        )
        return _nasnet(kind, wanted)

    described(network, class_name, "B. Zoph and others, 2017 (arXiv:1707.07012)")
    return network


NASNetMobile = _application("NASNetMobile", "nasnet_mobile")
NASNetLarge = _application("NASNetLarge", "nasnet_large")
preprocess_input = preprocessing("tf", __name__)
