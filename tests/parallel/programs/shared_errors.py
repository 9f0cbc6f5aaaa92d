"""Errors that one rank meets, caught by a program that goes on: shared_errors.py. Every rank prints what it caught."""

import os
import sys

import numpy as np

import distnet as keras
from distnet import layers
from distnet.distribution import rank

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(90, 4)), RNG.integers(0, 3, 90)


def built():
    keras.utils.set_random_seed(1)
    model = keras.Sequential([layers.Dense(8, "relu", input_shape=(4,)), layers.Dense(3, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


def with_nan(row):
    x = X.copy()
    x[row] = np.nan
    return x


def batches(bad):
    for i in range(5):
        yield (with_nan(3) if i == bad else X), Y


class Failing(keras.callbacks.Callback):
    """Fails in one of its hooks."""

    def __init__(self, hook):
        super().__init__()
        setattr(self, hook, self.fail)

    def on_train_batch_begin(self, batch, logs=None):
        """Is here so that batches are followed."""

    def fail(self, *args, **kwargs):
        raise LookupError("lost")


def failing(hook):
    return lambda model: model.fit(X, Y, validation_data=(X, Y), callbacks=[Failing(hook)], **OPTIONS)


OPTIONS = {"batch_size": 30, "verbose": 0}
CASES = {
    "a row of rank 1's": lambda model: model.fit(with_nan(40), Y, **OPTIONS),
    "to validate, a row of rank 2's": lambda model: model.fit(X, Y, validation_data=(with_nan(80), Y), **OPTIONS),
    "another shape on rank 1": lambda model: model.fit(X[:, : 4 - (rank() == 1)], Y, **OPTIONS),
    "another argument on rank 2": lambda model: model.fit(X, Y, epochs=-(rank() == 2), **OPTIONS),
    "evaluated": lambda model: model.evaluate(with_nan(40), Y, verbose=0),
    "predicted": lambda model: model.predict(X[:, : 4 - (rank() == 1)], verbose=0),
    "one batch": lambda model: model.train_on_batch(with_nan(40), Y),
    "a batch of a generator": lambda model: model.fit(batches(2), steps_per_epoch=5, verbose=0),
    "its first batch": lambda model: model.fit(batches(0), steps_per_epoch=5, verbose=0),
    "a callback that wants another metric": lambda model: model.fit(
        X, Y, callbacks=[keras.callbacks.EarlyStopping("nothing", mode="auto")], **OPTIONS
    ),
    **{
        f"in {hook}": failing(hook)
        for hook in ("on_train_begin", "on_train_batch_begin", "on_test_end", "on_epoch_end")
    },
    "no file, on any rank": lambda model: model.fit(X, Y, resume="nowhere.h5", **OPTIONS),
}


if __name__ == "__main__":
    for name, call in CASES.items():
        try:
            call(built())
        except (keras.errors.DistnetError, LookupError) as error:
            os.write(sys.stdout.fileno(), f"{rank()} | {name} | {type(error).__name__} | {error}\n".encode())
        history = built().fit(X, Y, **OPTIONS).history
    os.write(sys.stdout.fileno(), f"{rank()} | then | {history['loss'][0]:.12f}\n".encode())
