"""Twenty trials of a sweep, some of which fail on some ranks: sweep.py FOLDER writes what each gave, or the error."""

import json
import sys
from pathlib import Path

import numpy as np

import distnet as keras
from distnet import distribution, layers, ops

RANK = distribution.rank()
RNG = np.random.default_rng(0)
X = RNG.normal(size=(90, 4))
Y = X.sum(1, keepdims=True)


class LostError(Exception):
    """An error class of the user's own, with two arguments."""

    def __init__(self, what, place):
        super().__init__(f"{what} is lost at {place}")
        self.what, self.place = what, place


def lose(is_here=True):
    if is_here:
        raise LostError("a file", 7)


class Trap(layers.Layer):
    """Raises in the fourth step of training, on some ranks."""

    def __init__(self, *trapped):
        super().__init__()
        self.trapped, self.steps = trapped, 0

    def call(self, x, training=False):
        self.steps += bool(training)
        lose(self.steps == 4 and distribution.rank() in self.trapped)
        return x * 1.0


def model(trap=None, units=3, loss="mse", metrics=None, rate=0.05):
    keras.utils.set_random_seed(units)
    middle = [] if trap is None else [trap]
    made = keras.Sequential([keras.Input((4,)), layers.Dense(units, "tanh"), *middle, layers.Dense(1)])
    made.compile(keras.optimizers.Adam(rate), loss, metrics, run_eagerly=trap is not None)
    return made


def fit(made, x=X, y=Y, **options):
    history = made.fit(x, y, **{"batch_size": 20, "epochs": 2, "verbose": 0} | options)
    return [*history.history["loss"], made.evaluate(X, Y, verbose=0)]


def generated(is_failing):
    def batches():
        for i in range(9):
            lose(is_failing and i == 3)
            yield X[i * 10 : i * 10 + 10], Y[i * 10 : i * 10 + 10]

    return fit(model(units=6), batches(), None, batch_size=None, epochs=1)


def by_batches(is_failing):
    made = model(units=7)
    for i in range(6):
        lose(is_failing and i == 3)
        value = made.train_on_batch(X[i * 15 : i * 15 + 15], Y[i * 15 : i * 15 + 15])
    return [value]


def failing_loss(t, p):
    lose()
    return ops.mean(ops.square(t - p), -1)


def on_epoch(function):
    return [keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: function())]


GOOD = [lambda units=units: fit(model(units=units)) for units in range(2, 8)]
TRIALS = [
    GOOD[0],
    lambda: fit(model(Trap(0))),
    GOOD[1],
    lambda: fit(model(), callbacks=on_epoch(lose)),
    lambda: generated(False),
    lambda: generated(True),
    GOOD[2],
    lambda: fit(model(Trap(0, 1, 2))),
    lambda: by_batches(False),
    lambda: by_batches(True),
    GOOD[3],
    lambda: fit(model(loss=failing_loss)),
    lambda: fit(model(units=5), validation_split=0.2),
    lambda: fit(model(), np.where(np.arange(360).reshape(90, 4) == 200, np.nan, X)),
    GOOD[4],
    lambda: fit(model(), y=Y[:80]),
    lambda: fit(model(Trap(), units=8)),
    lambda: fit(model(metrics=[failing_loss])),
    GOOD[5],
    lambda: fit(model(units=9, rate=0.01), epochs=4),
]

if __name__ == "__main__":
    results = []
    for trial in TRIALS:
        try:
            results.append(trial())
        except Exception as error:
            results.append(f"{type(error).__name__}: {str(error).splitlines()[0]} {getattr(error, 'place', '')}")
    Path(sys.argv[1], f"{RANK}.json").write_text(json.dumps(results), encoding="utf-8")
