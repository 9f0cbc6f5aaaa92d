"""What is trained in benchmarks: seven models in the vocabulary that Keras and distnet share, and their data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

CLASSES = 10
LEARNING_RATE, RHO, EPSILON = 1e-3, 0.9, 1e-7
"""Of the optimizers, in every framework."""
SLOTS = {"rmsprop": 1, "adam": 2}
"""Arrays as large as the weights that an optimizer keeps."""
VOCABULARY = 1000
WIDTH, HEADS, FEED_FORWARD = 128, 4, 512
"""Of the transformer."""


@dataclass(frozen=True)
class Workload:
    """A classifier of ten classes, and how it is trained: cross-entropy and accuracy, rows shuffled, in float32.

    Args:
        what: in words.
        layers: ``(keras, dense, input)`` -> output. ``dense`` is the class of dense layers.
        shape: of a row.
        optimizer: one of ``SLOTS``.
        batch, steps: rows of a step and steps of an epoch, where the command line does not say.
        has_tokens: whether rows are integers.
    """

    what: str
    layers: Callable[[Any, Any, Any], Any]
    shape: tuple[int, ...]
    optimizer: str
    batch: int
    steps: int
    has_tokens: bool = False

    def data(self, rows: int) -> tuple[npt.NDArray[Any], npt.NDArray[np.int64]]:
        """``rows`` random rows and their labels, the same in every process.

        Numbers lie around zero. Of rows between 0 and 1 nearly all units of the MLP's first layer die within an epoch,
        and distnet skips zeros: that step would be faster than anybody's with data to learn from.
        """
        rng = np.random.default_rng(0)
        shape = (rows, *self.shape)
        if self.has_tokens:
            x = rng.integers(0, VOCABULARY, shape, np.int32)
        else:
            x = rng.random(shape, np.float32) - np.float32(0.5)
        return x, rng.integers(0, CLASSES, rows)

    def model(self, keras: Any, dense: Any = None) -> Any:
        """The model, compiled.

        Args:
            keras: that module, or distnet.
            dense: the class of dense layers, where it is not Keras's.
        """
        start = keras.Input(shape=self.shape, dtype="int32" if self.has_tokens else "float32")
        model = keras.Model(start, self.layers(keras, dense or keras.layers.Dense, start))
        optimizers = {
            "rmsprop": lambda: keras.optimizers.RMSprop(LEARNING_RATE, rho=RHO, epsilon=EPSILON),
            "adam": lambda: keras.optimizers.Adam(LEARNING_RATE, epsilon=EPSILON),
        }
        model.compile(optimizers[self.optimizer](), "categorical_crossentropy", metrics=["accuracy"])
        return model


def _mlp(keras: Any, dense: Any, x: Any) -> Any:
    for units, rate in ((512, 0.5), (256, 0.25)):
        x = keras.layers.Dropout(rate)(dense(units, activation="relu")(x))
    return dense(CLASSES, activation="softmax")(x)


def _cnn(keras: Any, dense: Any, x: Any) -> Any:
    layers = keras.layers
    for filters in (32, 64):
        x = layers.Conv2D(filters, 3, activation="relu")(x)
    x = layers.Flatten()(layers.Dropout(0.25)(layers.MaxPooling2D()(x)))
    x = layers.Dropout(0.5)(dense(128, activation="relu")(x))
    return dense(CLASSES, activation="softmax")(x)


def _resnet(keras: Any, dense: Any, x: Any) -> Any:
    layers = keras.layers

    def convolved(x: Any, filters: int, size: int, strides: int = 1) -> Any:
        z = layers.Conv2D(filters, size, strides=strides, padding="same", use_bias=False)(x)
        return layers.BatchNormalization()(z)

    x = layers.ReLU()(convolved(x, 16, 3))
    for filters in (16, 32, 64):
        for block in range(3):
            strides = 2 if filters > 16 and block == 0 else 1
            y = convolved(layers.ReLU()(convolved(x, filters, 3, strides)), filters, 3)
            x = layers.ReLU()(layers.Add()([convolved(x, filters, 1, strides) if strides > 1 else x, y]))
    return dense(CLASSES, activation="softmax")(layers.GlobalAveragePooling2D()(x))


def _lstm(keras: Any, dense: Any, x: Any) -> Any:
    return dense(CLASSES, activation="softmax")(keras.layers.LSTM(128)(x))


def _transformer(keras: Any, dense: Any, x: Any) -> Any:
    layers = keras.layers
    x = layers.Embedding(VOCABULARY, WIDTH)(x)
    for _ in range(2):
        attended = layers.MultiHeadAttention(HEADS, WIDTH // HEADS)(x, x)
        x = layers.LayerNormalization()(layers.Add()([x, attended]))
        fed = dense(WIDTH, activation="linear")(dense(FEED_FORWARD, activation="relu")(x))
        x = layers.LayerNormalization()(layers.Add()([x, fed]))
    return dense(CLASSES, activation="softmax")(layers.GlobalAveragePooling1D()(x))


def _table(keras: Any, dense: Any, x: Any) -> Any:
    return dense(CLASSES, activation="softmax")(dense(12, activation="relu")(x))


def _wide(keras: Any, dense: Any, x: Any) -> Any:
    for units in (5000, 5000, 4200):
        x = dense(units, activation="relu")(x)
    return dense(CLASSES, activation="softmax")(x)


WORKLOADS = {
    "mlp": Workload("784-512-256-10, dropout, RMSprop", _mlp, (784,), "rmsprop", 128, 150),
    "cnn": Workload("two convolutions, pooling, two dense layers, dropout, Adam", _cnn, (28, 28, 1), "adam", 32, 20),
    "resnet": Workload("ResNet-20 on images of 32 x 32 x 3, Adam", _resnet, (32, 32, 3), "adam", 32, 5),
    "lstm": Workload("LSTM(128) over 100 steps of 64, Adam", _lstm, (100, 64), "adam", 32, 20),
    "transformer": Workload(
        "two encoders, width 128, 4 heads, feed-forward 512, 64 tokens, Adam", _transformer, (64,), "adam", 32, 10, True
    ),
    "wide": Workload("784-5000-5000-4200-10, 50 million weights, Adam", _wide, (784,), "adam", 16, 4),
    "table": Workload("8-12-10, where little but overhead is measured, Adam", _table, (8,), "adam", 10, 500),
}
