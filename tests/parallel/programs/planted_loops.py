"""Loops of the user's own, within which one rank differs from the others: cases for planted_differences.py."""

import functools

import numpy as np
from planting import FACTOR, IS_ODD, changed, data, model

import distnet as keras
from distnet import layers, ops


def loop(made, loss_of, change=None, steps=3):
    """Train in steps; before the last one the odd rank may change the model."""
    optimizer, (x, y) = keras.optimizers.SGD(0.1), data(40)
    for i in range(steps):
        if change is not None and IS_ODD and i == steps - 1:
            change(made)
        with keras.GradientTape() as tape:
            loss = loss_of(made, x, y)
        weights = made.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))


def squares(made, x, y):
    return ops.mean(ops.square(made(x, training=True) - y))


def of_layer(layer):
    keras.utils.set_random_seed(1)
    loop(keras.Sequential([keras.Input((4,)), layers.Dense(64), layer, layers.Dense(1)]), squares)


def of_loss(loss):
    loop(model(), lambda made, x, y: loss(y, made(x, training=True)))


def of_mode(made, x, y):
    return ops.mean(ops.square(made(x, training=not IS_ODD) - y))


def last_entry(variable):
    variable.assign(changed(np.array(variable), (-1,) * len(variable.shape)))


class OwnLoss(keras.losses.Loss):
    def call(self, t, p):
        return ops.mean(ops.square(t - p) * FACTOR, -1)


class OwnLayer(layers.Layer):
    def call(self, x):
        return x * FACTOR


class OwnModel(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(1)

    def call(self, x):
        return self.dense(x) * FACTOR


def own_model():
    keras.utils.set_random_seed(1)
    loop(OwnModel(), squares)


def statistics():
    made = keras.Sequential([keras.Input((4,)), layers.BatchNormalization(), layers.Dense(1)])
    last_entry(made.layers[0].moving_mean) if IS_ODD else None
    loop(made, lambda made, x, y: ops.mean(ops.square(made(x, training=False) - y)))


def with_epsilon():
    keras.config.set_epsilon(0.001 if IS_ODD else 1e-7)
    try:
        loop(model(), squares)
    finally:
        keras.config.set_epsilon(1e-7)


LAYERS = {
    "activation": lambda: layers.Activation("tanh" if IS_ODD else "relu"),
    "rate": lambda: layers.Dropout(FACTOR / 4),
    "seed": lambda: layers.Dropout(0.5, seed=int(FACTOR)),
    "function: globals: FACTOR": lambda: layers.Lambda(lambda x: x * FACTOR),
    "scale": lambda: layers.Rescaling(FACTOR),
    "stddev": lambda: layers.GaussianNoise(FACTOR / 4),
    "epsilon": lambda: layers.LayerNormalization(epsilon=FACTOR / 1000),
    "momentum": lambda: layers.BatchNormalization(momentum=FACTOR / 4),
}
LOSSES = {
    "delta": lambda: keras.losses.Huber(delta=FACTOR),
    "label_smoothing": lambda: keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=FACTOR / 10),
    "class_name": lambda: keras.losses.MeanAbsoluteError() if IS_ODD else keras.losses.MeanSquaredError(),
}
CASES = {
    **{
        f"layer of a loop: {name}": functools.partial(lambda make: of_layer(make()), make)
        for name, make in LAYERS.items()
    },
    **{
        f"loss of a loop: {name}": functools.partial(lambda make: of_loss(make()), make)
        for name, make in LOSSES.items()
    },
    "own layer of a loop": lambda: of_layer(OwnLayer()),
    "own loss of a loop": lambda: of_loss(OwnLoss()),
    "own model of a loop": own_model,
    "mode of a loop": lambda: loop(model(), of_mode),
    "settings of a loop": with_epsilon,
    "argument within a loop": lambda: loop(
        model(), squares, lambda made: setattr(made.layers[1], "activation", keras.activations.relu)
    ),
    "weight within a loop": lambda: loop(model(), squares, lambda made: last_entry(made.layers[0].kernel), 4),
    "statistics of a loop": statistics,
}
