"""Errors that one rank meets, caught by a program that goes on: shared_errors.py. Every rank prints what it caught.

Then a sweep of trials, of which some fail, on rank 1 alone, and on all ranks; with the argument ``sweep`` only that.
"""

import os
import sys

import numpy as np

import distnet as keras
from distnet import layers, ops
from distnet.distribution import rank, size

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

    def __init__(self, hook, error):
        super().__init__()
        self.error = error
        setattr(self, hook, self.fail)

    def on_train_batch_begin(self, batch, logs=None):
        """Is here so that batches are followed."""

    def fail(self, *args, **kwargs):
        raise self.error


def failing(hook, kind, *said):
    return lambda model: model.fit(X, Y, validation_data=(X, Y), callbacks=[Failing(hook, kind(*said))], **OPTIONS)


def activate(model):
    model.layers[0].activation = lambda x: x


def keeping(model):
    model.layers[0].kept = {"by": 1.0}

    def change(*_):
        model.layers[0].kept.update(by=2.0, curve=lambda x: x)

    try:
        model.fit(X, Y, callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=change)], **OPTIONS)
    finally:
        if model.layers[0].kept != {"by": 1.0}:
            raise AssertionError(model.layers[0].kept)


def activating(model):
    model.fit(X, Y, callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: activate(model))], **OPTIONS)


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
        f"in {hook}": failing(hook, LookupError, "lost")
        for hook in ("on_train_begin", "on_train_batch_begin", "on_test_end", "on_epoch_end")
    },
    "an interrupt": failing("on_train_batch_begin", KeyboardInterrupt),
    "an exit": failing("on_epoch_end", SystemExit, 3),
    "an attribute that cannot be sent": activating,
    "an entry that cannot be sent": keeping,
    "no file, on any rank": lambda model: model.fit(X, Y, resume="nowhere.h5", **OPTIONS),
}


class PlaceError(Exception):
    """Its constructor takes other arguments than the error holds."""

    def __init__(self, place, number):
        super().__init__(f"{place} {number}")
        self.place = place


class Trap:
    """Fails at one place of the users' code, when it comes there for the n-th time."""

    place, times, is_on_all = "", 0, False

    @classmethod
    def set(cls, place, n):
        cls.place, cls.times = place, n

    @classmethod
    def spring(cls, place):
        culprit = 0 if "callback" in place or place == "data" else min(1, size() - 1)
        if place == cls.place and (cls.is_on_all or rank() == culprit):
            cls.times -= 1
            if not cls.times:
                raise PlaceError(place, 3)


class Own(layers.Layer):
    def build(self, shape):
        self.kernel = self.add_weight(name="kernel", shape=(shape[-1], 1700))  # for slices

    def call(self, inputs, training=False):
        if training:
            Trap.spring("call")
        return ops.tanh(ops.matmul(inputs, self.kernel))


def own_loss(y, y_pred):
    Trap.spring("loss")
    return ops.mean(ops.square(y - y_pred), axis=-1)


class OwnMetric(keras.metrics.Mean):
    def update_state(self, y, y_pred, sample_weight=None):
        Trap.spring("metric")
        return super().update_state(ops.abs(y - y_pred))


class Rate(keras.optimizers.schedules.LearningRateSchedule):
    def __call__(self, step):
        Trap.spring("schedule")
        return 0.01

    def get_config(self):
        return {}


class OwnStep(keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden, self.norm, self.head = Own(), layers.BatchNormalization(), layers.Dense(1)

    def call(self, inputs, training=False):
        return self.head(self.norm(self.hidden(inputs, training=training), training=training))

    def train_step(self, data):
        x, y = data
        with keras.GradientTape() as tape:
            loss = ops.mean(own_loss(y, self(x, training=True)))
            Trap.spring("tape")
        gradients = tape.gradient(loss, self.trainable_variables)
        Trap.spring("before the update")
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        Trap.spring("after the update")
        return {"loss": loss}


class Following(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        Trap.spring("callback at a batch")

    def on_epoch_end(self, epoch, logs=None):
        Trap.spring("callback")


def data():
    for i in range(12):
        Trap.spring("data")
        yield X[i : i + 20], X[i : i + 20, :1]


def sequential():
    model = keras.Sequential([keras.Input((4,)), Own(), layers.Dropout(0.2), layers.Dense(1)])
    model.compile(keras.optimizers.Adam(Rate()), own_loss, metrics=[OwnMetric(name="own")])
    return model


def own_step():
    model = OwnStep()
    model.compile("adam")
    return model


def fitted(model, rows=90):
    options = {"batch_size": 20, "epochs": 2, "callbacks": [Following()], "verbose": 0}
    return model.fit(X[:rows], X[:rows, :1], **options).history["loss"]


def looped():
    model, optimizer = sequential(), keras.optimizers.Adam(0.01)
    losses = []
    for i in range(6):
        with keras.GradientTape() as tape:
            loss = ops.mean(own_loss(X[i : i + 20, :1], model(X[i : i + 20], training=True)))
            Trap.spring("tape")
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        losses.append(float(loss))
    return losses


def in_batches():
    model = sequential()
    return [model.train_on_batch(X[i : i + 20], X[i : i + 20, :1])[0] for i in range(5)]


KEPT = []


def again():
    """The model whose last training failed, trained on."""
    return fitted(KEPT[-1])


def kept():
    KEPT.append(own_step())
    return fitted(KEPT[-1])


TRIALS = {
    "fit": lambda: fitted(sequential()),
    "step": lambda: fitted(own_step()),
    "data": lambda: own_step().fit(data(), steps_per_epoch=5, epochs=2, verbose=0).history["loss"],
    "loop": looped,
    "batches": in_batches,
    "two rows": lambda: fitted(sequential(), 2),
    "evaluate": lambda: (model := sequential(), fitted(model), model.evaluate(X, X[:, :1], verbose=0))[-1],
    "kept": kept,
    "again": again,
}
SWEEP = (
    "fit", "fit call 5", "step", "step tape 3", "loop", "step before the update 3", "fit loss 5", "batches",
    "fit metric 5", "data data 4", "data", "loop tape 3", "loop", "loop call 4", "two rows call 1", "two rows",
    "batches call 3", "step after the update 3", "fit callback 1", "fit callback at a batch 3", "step callback 2",
    "fit schedule 4", "evaluate", "kept before the update 4", "again", "loop loss 2", "fit",
)  # fmt: skip


def swept():
    """Every rank prints the losses of each trial, or what it caught."""
    for number, line in enumerate(SWEEP):
        trial = next(name for name in sorted(TRIALS, key=len, reverse=True) if line.startswith(name))
        place, _, times = line.removeprefix(trial).strip().rpartition(" ")
        Trap.set(place, int(times or 0))
        keras.utils.set_random_seed(number)
        try:
            said = " ".join(f"{loss:.12f}" for loss in TRIALS[trial]())
        except PlaceError as error:
            said = f"{error} | {error.place}"
        os.write(
            sys.stdout.fileno(),
            f"{rank()} | {'all' if Trap.is_on_all else 'one'}, {number}: {line} | {said}\n".encode(),
        )


def told():
    """Every rank prints what it caught."""
    for name, call in CASES.items():
        try:
            call(built())
        except (keras.errors.DistnetError, LookupError, KeyboardInterrupt, SystemExit) as error:
            os.write(sys.stdout.fileno(), f"{rank()} | {name} | {type(error).__name__} | {error}\n".encode())
        history = built().fit(X, Y, **OPTIONS).history
    os.write(sys.stdout.fileno(), f"{rank()} | then | {history['loss'][0]:.12f}\n".encode())


if __name__ == "__main__":
    if not sys.argv[1:]:
        told()
    keras.config.set_floatx("float64")
    for Trap.is_on_all in (False, True):
        swept()
