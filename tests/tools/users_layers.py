"""Layers as users write them, and models drawn of them: what may differ from step to step."""

from __future__ import annotations

import random

import numpy as np

import distnet
from distnet import layers, ops


class Linear(layers.Layer):
    """Dense; a callback sets ``scale``."""

    def __init__(self, units, activation="relu", **options):
        super().__init__(**options)
        self.units, self.activate, self.scale = units, getattr(ops, activation), 1.0

    def build(self, shape):
        self.kernel = self.add_weight(shape=(shape[-1], self.units), name="kernel")
        self.bias = self.add_weight(shape=(self.units,), initializer="zeros", name="bias")

    def call(self, x):
        return self.activate(ops.matmul(x, self.kernel) + self.bias) * self.scale


class Centered(layers.Layer):
    """Keeps a moving mean, and penalizes what it is not."""

    def build(self, shape):
        self.mean = self.add_weight(shape=(shape[-1],), initializer="zeros", trainable=False, name="mean")

    def call(self, x, training=None):
        if training:
            self.mean.assign(self.mean * 0.9 + 0.1 * ops.mean(x, axis=0))
        self.add_loss(0.01 * ops.mean(ops.square(x - self.mean)))
        return x - self.mean


class Block(layers.Layer):
    """Layers within, in attributes and in a list."""

    def __init__(self, **options):
        super().__init__(**options)
        self.first, self.norm, self.drop = layers.Dense(5, "tanh"), layers.BatchNormalization(), layers.Dropout(0.3)
        self.others = [Linear(4), layers.Dense(5)]

    def call(self, x, training=None):
        y = self.drop(self.norm(self.first(x), training=training), training=training)
        for layer in self.others:
            y = layer(y)
        return y


class SumAndTanh(layers.Layer):
    """Two inputs, two outputs."""

    def call(self, a, b):
        return a + b, ops.tanh(a)


class Noise(layers.Layer):
    """Adds random numbers, which are drawn by row."""

    def __init__(self, **options):
        super().__init__(**options)
        self.seed = distnet.random.SeedGenerator(7)

    def call(self, x, training=None):
        return x + 0.1 * distnet.random.normal(ops.shape(x), seed=self.seed) if training else x


class Alternating(layers.Layer):
    """Counts its calls, and computes something else at each."""

    def __init__(self, **options):
        super().__init__(**options)
        self.count, self.one, self.other = 0, layers.Dense(5), layers.Dense(5)

    def call(self, x):
        self.count += 1
        if self.count % 3 == 0:
            return self.other(x) if self.count % 2 else ops.stop_gradient(self.one(x))
        return self.one(x) + self.other(x)


class Measured(layers.Layer):
    """A metric is an attribute of it."""

    def __init__(self, **options):
        super().__init__(**options)
        self.mean = distnet.metrics.Mean(name="mean")

    def call(self, x):
        self.mean.update_state(ops.mean(x))
        return x


class Masked(layers.Layer):
    """Uses a mask, and passes it on."""

    supports_masking = True

    def call(self, x, mask=None):
        return x * 2 if mask is None else x * ops.expand_dims(ops.cast(mask, x.dtype), -1)


class MakesMask(layers.Layer):
    """Masks time steps by what is in them."""

    def call(self, x):
        return x * 1.0

    def compute_mask(self, x, mask=None):
        return ops.any(ops.greater(x, 0.3), axis=-1)


OF_VECTORS = [
    lambda x: Linear(5)(x),
    lambda x: Linear(3, "softmax")(x),
    lambda x: Centered()(x),
    lambda x: Block()(x),
    lambda x: layers.Concatenate()(SumAndTanh()(x, layers.Dense(x.shape[-1])(x))),
    lambda x: Noise()(x),
    lambda x: Alternating()(x),
    lambda x: Measured()(x),
    lambda x: layers.Dropout(0.3)(x),
    lambda x: layers.BatchNormalization()(x),
    lambda x: layers.ReLU()(layers.Dense(5)(x)),
    lambda x: layers.ActivityRegularization(l1=0.01, l2=0.02)(x),
    lambda x: layers.Dense(4, "softmax", activity_regularizer="l2")(x),
    lambda x: layers.Dense(4, activity_regularizer=lambda y: 0.01 * ops.sum(ops.square(y)))(x),
    lambda x: layers.Lambda(lambda y: ops.concatenate([y, y * y], axis=-1))(x),
    lambda x: within(x, lambda y: layers.Dense(3, activity_regularizer="l1")(Linear(4)(y))),
]
OF_SEQUENCES = [
    lambda x: layers.LSTM(5, return_sequences=True)(x),
    lambda x: layers.GRU(4, return_sequences=True, activity_regularizer="l2")(x),
    lambda x: layers.Bidirectional(layers.SimpleRNN(3, return_sequences=True))(x),
    lambda x: layers.Attention()([x, x]),
    lambda x: layers.MultiHeadAttention(2, 3)(x, x),
    lambda x: layers.TimeDistributed(layers.Dense(5, "relu", activity_regularizer="l1"))(x),
    lambda x: layers.ReLU()(layers.Dense(5)(x)),
    lambda x: layers.BatchNormalization()(x),
    lambda x: layers.Add()([x, Masked()(x)]),
    lambda x: Masked()(x),
    lambda x: within(x, lambda y: layers.LSTM(3, return_sequences=True, activity_regularizer="l2")(Linear(4)(y))),
]
ENDS = [layers.LSTM, lambda units: layers.GlobalAveragePooling1D(), lambda units: layers.GlobalMaxPooling1D()]


def within(x, make):
    """What a model within the model gives."""
    inner = layers.Input(x.shape[1:])
    return distnet.Model(inner, make(inner))(x)


def drawn(seed):
    """A compiled model with data, and callbacks that change it in mid-training."""
    rng, numbers = random.Random(seed), np.random.default_rng(seed)
    rows = rng.choice([13, 24])
    start = rng.choice(["vectors", "vectors", "words", "zeros", "own"])
    if start == "vectors":
        inputs, x = layers.Input((6,)), numbers.random((rows, 6))
        y = inputs
    elif start == "words":
        inputs, x = layers.Input((7,), dtype="int32"), numbers.integers(0, 9, (rows, 7))
        y = layers.Embedding(9, 6, mask_zero=True)(inputs)
    else:
        inputs, x = layers.Input((7, 4)), numbers.random((rows, 7, 4)) * (numbers.random((rows, 7, 1)) < 0.7)
        y = layers.Masking()(inputs) if start == "zeros" else MakesMask()(inputs)
    for _ in range(rng.randint(1, 4)):
        y = rng.choice(OF_VECTORS if start == "vectors" else OF_SEQUENCES)(y)
    y = y if start == "vectors" else rng.choice(ENDS)(4)(y)
    outputs = [layers.Dense(2, rng.choice(["softmax", "linear"]))(y), layers.Dense(1, kernel_regularizer="l2")(y)]
    model = distnet.Model(inputs, outputs)
    model.compile(rng.choice(["sgd", "adam"]), ["mse", rng.choice(["mse", None])])

    def change(batch, logs):
        if batch == 1:
            for layer in model.layers:
                if isinstance(layer, Linear):
                    layer.scale = 0.5
            model.layers[1].trainable = False

    callbacks = [distnet.callbacks.LambdaCallback(on_train_batch_end=change)] if rng.random() < 0.5 else []
    return model, (x, [numbers.random((rows, 2)), numbers.random((rows, 1))]), callbacks
