"""What the cases are made of: the table, inputs and targets, small models."""

import numpy as np

ROWS = 20
CASES = {}


def case(function):
    CASES[function.__name__] = function
    return function


def wave(*shape, phase=0.0):
    """Rows that differ, alike on every machine."""
    numbers = np.arange(ROWS * int(np.prod(shape)), dtype="float64")
    return np.sin(numbers * 0.7 + 0.13 * numbers**1.1 + phase).astype("float32").reshape(ROWS, *shape)


def words(length, size):
    """Rows of word numbers that end in zeros."""
    found = (np.abs(wave(length)) * (size - 1)).astype("int32") + 1
    return np.where(np.arange(length) < 2 + np.arange(ROWS)[:, None] % (length - 1), found, 0).astype("int32")


def classes(n):
    return np.eye(n, dtype="float32")[(np.arange(ROWS) * 7 // 3) % n]


def bits():
    return (np.arange(ROWS) * 5 % 3 == 0).astype("float32")[:, None]


def mlp(k, optimizer, loss="mse", **compiled):
    model = k.Sequential([k.layers.Dense(5, "tanh", input_shape=(4,)), k.layers.Dense(2)])
    model.compile(optimizer, loss, **compiled)
    return model, [wave(4)], [wave(2, phase=1.0)]


def chain(k, shape, *layers, x=None, optimizer="adam"):
    """A regression on the last layer's output."""
    model = k.Sequential([k.layers.InputLayer(input_shape=shape), *layers])
    model.compile(optimizer, "mse", metrics=["mae"])
    return model, [wave(*shape) if x is None else x], [wave(*model.output_shape[1:], phase=2.0)]
