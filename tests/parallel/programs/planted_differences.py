"""Rank 1 or rank 0 differs from the others in one thing, which is compared by name: cases for each_caught.py.

In most it is the rank that PLANTED_RANK names, by default 1. All cases run in one job; each ends with an error on every
rank, but those of HARMLESS. More cases are in planted_settings.py.
"""

import os
import types

import numpy as np
import planted_loops
import planted_settings
from planting import FACTOR, IS_FIRST, IS_ODD, changed, data, fit, model

import distnet as keras
from distnet import layers, ops

USED = types.ModuleType("of_the_user")
USED.RATE = FACTOR


def squares(factor):
    def loss(t, p):
        return ops.mean(ops.square(t - p) * factor, -1)

    return loss


def of_global(t, p):
    return ops.mean(ops.square(t - p) * FACTOR, -1)


def of_module(t, p):
    return ops.mean(ops.square(t - p) * USED.RATE, -1)


def of_environment(t, p):
    return ops.mean(ops.square(t - p) * float(os.environ["PLANTED_FACTOR"]), -1)


def by_name(t, p):
    return ops.mean(ops.abs(t - p) if IS_ODD else ops.square(t - p), -1)


class OwnLoss(keras.losses.Loss):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def call(self, t, p):
        return ops.mean(ops.square(t - p) * self.factor, -1)


class OwnModel(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense, self.factor, self.steps = layers.Dense(1), FACTOR, 0

    def call(self, x):
        return self.scaled(self.dense(x))

    def scaled(self, y):
        return y * self.factor


class Batches(keras.utils.Sequence):
    """Batch 3 differs in ``what`` on rank 1."""

    def __init__(self, what):
        super().__init__()
        self.what = what

    def __len__(self):
        return 5

    def __getitem__(self, i):
        x, y = data()
        x, y, weight = x[i * 40 : i * 40 + 40], y[i * 40 : i * 40 + 40], np.ones(40)
        is_odd = IS_ODD and i == 3
        return tuple(
            changed(each, 7, is_odd and name == self.what) for name, each in (("x", x), ("y", y), ("w", weight))
        )


class OfLists(layers.Layer):
    """Reads a list, and makes others meanwhile; draws from generators of its own."""

    def __init__(self, last=1.0, seed=1, state=1):
        super().__init__()
        self.factors, self.seed = [1.0] * 100 + [last], keras.random.SeedGenerator(seed)
        self.drawn = np.random.default_rng(state)

    def call(self, x):
        parts = []
        for factor in self.factors[-2:]:
            parts.append(x * factor)
        noise = keras.random.normal(ops.shape(x), seed=self.seed)
        return ops.add(parts[0], parts[1]) + noise + float(self.drawn.normal())

    def get_config(self):
        return {}


def with_layer(layer):
    keras.utils.set_random_seed(1)
    made = keras.Sequential([keras.Input((4,)), layer, layers.Dense(1)])
    made.compile("sgd", "mse")
    fit(made)


def of_settings():
    keras.config.set_epsilon(1e-3 if IS_ODD else 1e-7)
    try:
        fit()
    finally:
        keras.config.set_epsilon(1e-7)


def in_environment():
    os.environ["PLANTED_FACTOR"] = str(FACTOR)
    fit(model(of_environment))


def between_batches(change, is_odd=IS_ODD):
    made = model()
    x, y = data()
    for i in range(10):
        if i == 5 and is_odd:
            change(made)
        made.train_on_batch(x[i * 20 : i * 20 + 20], y[i * 20 : i * 20 + 20])


def on_a_batch(call):
    made = model()
    x, y = data()
    for i in range(5):
        getattr(made, call)(x, *([changed(y, 150, IS_ODD and i == 3)] if call != "predict_on_batch" else []))


def in_a_loop(what):
    made, optimizer, (x, y) = model(), keras.optimizers.SGD(0.1), data()
    for i in range(3):
        is_odd = IS_ODD and i == 2
        rows, labels = changed(x, 11, is_odd and what == "x"), changed(y, 12, is_odd and what == "y")
        with keras.GradientTape() as tape:
            loss = ops.mean(ops.square(made(rows, training=True) - labels)) * (3 if is_odd and what == "loss" else 1)
        weights = made.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))


def named(name, swapped):
    x = keras.Input((4,))
    a, b = layers.Dense(4, name=f"{name}_a")(x), layers.Dense(4, name=f"{name}_b")(x)
    made = keras.Model(x, layers.Dense(1)(layers.Subtract()([b, a] if swapped else [a, b])))
    made.compile("sgd", "mse")
    return made


X, Y = data()


class Ending(keras.utils.Sequence):
    """Batch 1 raises StopIteration on the odd rank, as ``next`` of an empty iterator does."""

    def __len__(self):
        return 3

    def __getitem__(self, i):
        return X[:20], next(iter([] if IS_ODD and i == 1 else [Y[:20]]))


def by_callback():
    """A callback sets what decides how ranks share the weights, of which there are enough to be shared."""
    made = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3000), keras.layers.Dense(1)])
    made.compile("adam", "mse")

    def constrain(*_):
        made.layers[0].kernel.constraint = keras.constraints.MaxNorm(0.1)

    fit(made, callbacks=[keras.callbacks.LambdaCallback(on_train_batch_begin=constrain)])


CASES = {
    "end of a sequence": lambda: model().fit(Ending(), verbose=0),
    "constraint by a callback": by_callback,
    "one entry": lambda: fit(x=changed(X, (137, 3))),
    "one entry of rank 0": lambda: fit(x=changed(X, (137, 3), IS_FIRST)),
    "one label": lambda: fit(y=changed(Y, 151)),
    "one weight": lambda: fit(sample_weight=changed(np.ones(200), 77)),
    "one validation label": lambda: fit(validation_data=(X, changed(Y, 51))),
    "one entry to evaluate": lambda: model().evaluate(changed(X, 151), Y, verbose=0),
    "one entry to predict": lambda: model().predict(changed(X, 151), verbose=0),
    "late batch": lambda: model().fit(Batches("x"), verbose=0),
    "late targets": lambda: model().fit(Batches("y"), verbose=0),
    "late weights": lambda: model().fit(Batches("w"), verbose=0),
    "late batch to validate on": lambda: fit(validation_data=Batches("x")),
    "late batch to evaluate": lambda: model().evaluate(Batches("y"), verbose=0),
    "names": lambda: fit(named("planted", IS_ODD)),
    "closure": lambda: fit(model(squares(FACTOR))),
    "global": lambda: fit(model(of_global)),
    "global of a module": lambda: fit(model(of_module)),
    "flag": lambda: fit(model(by_name)),
    "environment": in_environment,
    "own loss": lambda: fit(model(OwnLoss(FACTOR))),
    "own metric": lambda: fit(model(metrics=[squares(FACTOR)])),
    "own activation": lambda: fit(model(activation=lambda x, factor=FACTOR: x * factor)),
    "own regularizer": lambda: fit(model(kernel_regularizer=lambda w: FACTOR * ops.sum(w * w))),
    "own model": lambda: (made := OwnModel(), made.compile("sgd", "mse"), fit(made)),
    "list of a layer": lambda: with_layer(OfLists(last=FACTOR)),
    "seed of a layer": lambda: with_layer(OfLists(seed=int(FACTOR))),
    "generator of a layer": lambda: with_layer(OfLists(state=int(FACTOR))),
    "settings": of_settings,
    "rate between batches": lambda: between_batches(lambda made: setattr(made.optimizer, "learning_rate", 0.5)),
    "weights between batches": lambda: between_batches(lambda made: made.layers[0].kernel.assign(np.ones((4, 5)))),
    "weights in place between batches": lambda: between_batches(
        lambda made: made.layers[0].kernel.value.fill(1), IS_FIRST
    ),
    "argument between batches": lambda: between_batches(lambda made: setattr(made.layers[1], "trainable", False)),
    "label to train on": lambda: on_a_batch("train_on_batch"),
    "label to test on": lambda: on_a_batch("test_on_batch"),
    "batch of a loop": lambda: in_a_loop("x"),
    "labels of a loop": lambda: in_a_loop("y"),
    "loss of a loop": lambda: in_a_loop("loss"),
    **planted_loops.CASES,
    **planted_settings.CASES,
    **planted_settings.HARMLESS,
}
