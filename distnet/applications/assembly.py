"""A network from its body: the arguments of all families checked, input, classifier and weights put around it."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from distnet import activations, allocation, config, layers
from distnet.applications.imagenet_utils import CLASSES, obtain_input_shape
from distnet.applications.parts import NUMBERED
from distnet.datasets.fetch import RemoteFile, locate, on_one_rank_first
from distnet.errors import ArgumentError
from distnet.layers.engine.base import KerasTensor
from distnet.layers.engine.source_inputs import source_inputs
from distnet.models import Functional
from distnet.types import Shape

Weights = str | os.PathLike[str] | None
Classifier = str | Callable[..., Any] | None
Body = Callable[[KerasTensor], KerasTensor]

IMAGENET = "imagenet"
POOLINGS = (None, "avg", "max")
_ALL = sys.maxsize
"""Numbers that a file may fill: all of a network's."""

_DOC = """{class_name}, of {source}.

    Args:
        include_top: whether it ends in its classifier.
        weights: None, random ones; ``"imagenet"``, Keras's published ones, downloaded once; or the path of a file.
        input_tensor: a placeholder to start from instead of a new one.
        input_shape: (height, width, channels) of a row, by default those it was published for with its classifier.
        pooling: what becomes of the last images without the classifier: None, ``"avg"`` or ``"max"``.
        classes: number of classes.
        classifier_activation: what makes their scores.
        name: of the model.

    Raises:
        ArgumentError, ShapeError: no network can be made of these.
        DatasetError: the published weights are not there and cannot be downloaded.

    Source: ``keras.applications.{class_name}``.
    """


@dataclass(frozen=True)
class Wanted:
    """The arguments that every family takes: see the functions that make networks.

    Args:
        family: the name of the function that was called, for messages.
    """

    family: str
    include_top: bool
    weights: Weights
    input_tensor: KerasTensor | None
    input_shape: Shape | None
    pooling: str | None
    classes: int
    classifier_activation: Classifier
    name: str | None

    @property
    def is_published(self) -> bool:
        """Whether the weights are Keras's own."""
        return isinstance(self.weights, str) and self.weights == IMAGENET

    def check(self) -> None:
        """Fail if they contradict each other.

        Raises:
            ArgumentError: they do, or there is no such file of weights.
        """
        family = self.family
        if not (self.weights is None or self.is_published or os.path.exists(self.weights)):
            raise ArgumentError(
                f"{family}: weights: expected None, 'imagenet' or the path of a file, received {self.weights!r}, where "
                "no file is."
            )
        if self.is_published and self.include_top and self.classes != CLASSES:
            raise ArgumentError(
                f"{family}: classes: expected {CLASSES}, as weights='imagenet' with include_top=True has, received "
                f"{self.classes!r}."
            )
        if self.pooling not in POOLINGS:
            raise ArgumentError(f"{family}: pooling: expected one of {POOLINGS}, received {self.pooling!r}.")
        if self.input_tensor is not None and not isinstance(self.input_tensor, KerasTensor):
            raise ArgumentError(
                f"{family}: input_tensor: expected what layers.Input returns, received {self.input_tensor!r:.200}."
            )
        allowed = {activations.get(None), activations.get("softmax")}
        is_kept = self.include_top and self.weights is not None
        if is_kept and activations.get(self.classifier_activation) not in allowed:
            raise ArgumentError(
                f"{family}: classifier_activation: expected None or 'softmax' with pretrained weights, received "
                f"{self.classifier_activation!r}."
            )

    def pooled(self, x: KerasTensor, is_named: bool = False) -> KerasTensor:
        """The last images, pooled as asked for."""
        if self.pooling is None:
            return x
        kind = layers.GlobalAveragePooling2D if self.pooling == "avg" else layers.GlobalMaxPooling2D
        y: KerasTensor = kind(name=f"{self.pooling}_pool" if is_named else NUMBERED)(x)
        return y

    def classified(self, x: KerasTensor, **options: Any) -> KerasTensor:
        """The layer ``predictions``, a Dense one."""
        y: KerasTensor = layers.Dense(
            self.classes, activation=self.classifier_activation, name="predictions", **options
        )(x)
        return y

    def averaged(self, x: KerasTensor, name: str = "avg_pool") -> KerasTensor:
        """Each channel's mean."""
        y: KerasTensor = layers.GlobalAveragePooling2D(name=name)(x)
        return y


def averaging_top(wanted: Wanted, pool: str = "avg_pool", is_named: bool = False) -> Body:
    """The usual end: the channels' means and a classifier, or the images pooled as asked for.

    Args:
        wanted: the arguments.
        pool: the name of the layer before the classifier.
        is_named: whether the layer that pools without classifier has a name of its own.
    """

    def top(x: KerasTensor) -> KerasTensor:
        return wanted.classified(wanted.averaged(x, pool)) if wanted.include_top else wanted.pooled(x, is_named)

    return top


def published(folder: str, name: str, checksum: str | None = None) -> RemoteFile:
    """One of Keras's files of weights.

    Args:
        folder: its URL but for the name.
        name: of the file.
        checksum: of its content; None where Keras knows none.
    """
    return RemoteFile(dataset="models", url=f"{folder}/{name}", checksum=checksum, room="models")


KERAS_FILES = "https://storage.googleapis.com/tensorflow/keras-applications"
"""Where most of Keras's files of weights are."""


def input_of(wanted: Wanted, shape: Shape) -> KerasTensor:
    """The placeholder that a network starts from: a new one unless one is given."""
    if wanted.input_tensor is not None:
        return wanted.input_tensor
    made: KerasTensor = layers.Input(shape=shape)
    return made


def shape_of(wanted: Wanted, default_size: int, min_size: int = 32) -> Shape:
    """The shape of a row: see ``imagenet_utils.obtain_input_shape``."""
    return obtain_input_shape(
        wanted.input_shape,
        default_size,
        min_size,
        config.image_data_format(),
        wanted.include_top,
        wanted.weights,
        wanted.family,
    )


def assembled(
    wanted: Wanted, shape: Shape, body: Body, top: Body, file: Callable[[], RemoteFile], name: str | None = None
) -> Functional:
    """The network: input, body, top, and its weights if they are not to be random.

    Args:
        wanted: the arguments, already checked.
        shape: of a row.
        body: makes the last images.
        top: makes the output of them.
        file: the published weights of what was asked for.
        name: in place of the argument.
    """
    path = wanted.weights
    if wanted.is_published:
        remote = file()
        path = on_one_rank_first(lambda: locate(remote))
    if path is None:
        return _drawn(wanted, shape, body, top, name)
    with allocation.awaiting(_ALL):
        model = _drawn(wanted, shape, body, top, name)
    model.load_weights(path)
    return model


def _drawn(wanted: Wanted, shape: Shape, body: Body, top: Body, name: str | None) -> Functional:
    start = input_of(wanted, shape)
    outputs = top(body(start))
    inputs = start if wanted.input_tensor is None else source_inputs(start)
    return Functional(inputs, outputs, name=wanted.name if name is None else name)


def check_last(family: str) -> None:
    """Fail unless channels are last, where Keras has a family for that alone.

    Raises:
        ArgumentError: they are first.
    """
    if config.image_data_format() == "channels_first":
        raise ArgumentError(
            f"{family}: expected the data format 'channels_last', received 'channels_first'. Call "
            "config.set_image_data_format('channels_last')."
        )


def warn_of_size(size: int = 224) -> None:
    """Say that the published weights are those for images of another size."""
    warnings.warn(
        f"input_shape: there are no ImageNet weights for it; those for images of {size}x{size} are loaded.",
        stacklevel=2,
    )


class Application(Protocol):
    """A function that makes a network."""

    __name__: str

    def __call__(
        self,
        include_top: bool = True,
        weights: Weights = IMAGENET,
        input_tensor: KerasTensor | None = None,
        input_shape: Shape | None = None,
        pooling: str | None = None,
        classes: int = CLASSES,
        classifier_activation: Classifier = "softmax",
        name: str | None = None,
    ) -> Functional:
        """The network; see the function's own description."""


def application(class_name: str, model_name: str, source: str, make: Callable[[Wanted], Functional]) -> Application:
    """A public function of the arguments that most families take.

    Args:
        class_name: its name in Keras.
        model_name: that of the model.
        source: the paper.
        make: makes the network.
    """

    def network(
        include_top: bool = True,
        weights: Weights = IMAGENET,
        input_tensor: KerasTensor | None = None,
        input_shape: Shape | None = None,
        pooling: str | None = None,
        classes: int = CLASSES,
        classifier_activation: Classifier = "softmax",
        name: str | None = model_name,
    ) -> Functional:
        wanted = Wanted(
            class_name, include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name
        )
        wanted.check()
        return make(wanted)

    described(network, class_name, source)
    network.__module__ = (make.func if isinstance(make, partial) else make).__module__
    return network


def described(network: Callable[..., Functional], class_name: str, source: str, further: str = "") -> None:
    """Give a function that was made from a table its name and description.

    Args:
        network: the function.
        class_name: its name in Keras.
        source: the paper.
        further: lines on arguments of its own.
    """
    network.__name__ = network.__qualname__ = class_name
    doc = _DOC.format(class_name=class_name, source=source)
    network.__doc__ = doc.replace("        name: of the model.\n", f"{further}        name: of the model.\n")
