"""What callbacks do, as functions of the module ``keras`` that return JSON: which hooks, which epochs, which text."""

import contextlib
import csv
import io
import itertools
import tempfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np

X = np.arange(24.0).reshape(12, 2) / 24
Y = (X[:, :1] > 0.5).astype("float64")
HOOKS = [
    *(f"on_{phase}_{end}" for phase in ("train", "test", "predict") for end in ("begin", "end")),
    *(f"on_{phase}_batch_{end}" for phase in ("train", "test", "predict") for end in ("begin", "end")),
    "on_epoch_begin",
    "on_epoch_end",
]
SERIES = [
    [5, 4, 3, 2, 1, 0],
    [5, 4, 4.05, 3.95, 4, 4, 4],
    [1, 2, 3, 4, 5, 6],
    [3, 2, 2.5, 2.5, 1, 1.5, 1.5, 1.5],
    [1, float("nan"), 0.5, 0.5, 0.5],
]


class Model:
    """What a callback needs of a model."""

    def __init__(self):
        self.stop_training = False
        self.saved = []
        self.weights_now = 0
        self.training_state = SimpleNamespace(record=lambda epoch, logs: None)

    def get_weights(self):
        return [np.array(self.weights_now)]

    def set_weights(self, weights):
        self.weights_now = int(weights[0])

    def save(self, path, overwrite=True):
        self.saved.append(Path(path).name)

    save_weights = save

    def save_checkpoint(self, path, *options):
        """What distnet's callbacks call in the place of save and save_weights."""
        self.save(path)


def recorder(keras):
    """A callback, and the list of the hooks called on it."""
    called = []

    def hook(name):
        def call(self, *numbers, logs=None):
            if logs is None:
                *numbers, logs = numbers
            called.append([name, *numbers, sorted(logs)])

        return call

    return type("Recorder", (keras.callbacks.Callback,), {name: hook(name) for name in HOOKS})(), called


def small(keras):
    model = keras.Sequential([keras.Input(shape=(2,)), keras.layers.Dense(1, "sigmoid")])
    model.compile("sgd", "binary_crossentropy", metrics=["accuracy"])
    return model


def hooks_of_fit(keras):
    callback, called = recorder(keras)
    small(keras).fit(X, Y, batch_size=5, epochs=2, verbose=0, callbacks=[callback])
    return called


def hooks_of_fit_with_validation(keras):
    callback, called = recorder(keras)
    options = {"validation_split": 0.5, "validation_batch_size": 4, "validation_freq": 2}
    small(keras).fit(X, Y, batch_size=5, epochs=2, verbose=0, callbacks=[callback], **options)
    return called


def hooks_of_evaluate(keras):
    callback, called = recorder(keras)
    small(keras).evaluate(X, Y, batch_size=5, verbose=0, callbacks=[callback])
    return called


def hooks_of_predict(keras):
    callback, called = recorder(keras)
    small(keras).predict(X, batch_size=5, verbose=0, callbacks=[callback])
    # The outputs in the logs are left out: distnet gathers them once, at the end.
    return [call[:-1] for call in called]


def hooks_of_a_stopped_fit(keras):
    callback, called = recorder(keras)
    model = small(keras)

    def stop(batch, logs):
        model.stop_training = True

    stopper = keras.callbacks.LambdaCallback(on_train_batch_end=stop)
    model.fit(X, Y, batch_size=5, epochs=3, verbose=0, callbacks=[callback, stopper], validation_split=0.5)
    return called


def params(keras):
    callback, _ = recorder(keras)
    small(keras).fit(X, Y, batch_size=5, epochs=4, verbose=0, callbacks=[callback], initial_epoch=3)
    return {key: callback.params[key] for key in ("epochs", "steps")}


def run_epochs(callback, values, key="val_loss"):
    """Training with these values in the logs: the model, its weights being the epoch's number, and what was said."""
    model = Model()
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        callback.set_model(model)
        callback.on_train_begin({})
        for epoch, value in enumerate(values):
            model.weights_now = epoch
            callback.on_epoch_begin(epoch, {})
            callback.on_epoch_end(epoch, {key: value})
            if model.stop_training:
                break
        callback.on_train_end({})
    return model, said.getvalue()


def early_stopping(keras):
    found = []
    choices = {
        "patience": [0, 2],
        "min_delta": [0, 0.1],
        "mode": ["min", "max"],
        "baseline": [None, 2.2],
        "restore_best_weights": [False, True],
        "start_from_epoch": [0, 2],
    }
    for series in SERIES:
        for values in itertools.product(*choices.values()):
            callback = keras.callbacks.EarlyStopping("val_loss", **dict(zip(choices, values, strict=True)))
            model, _ = run_epochs(callback, series)
            found.append([callback.stopped_epoch, callback.wait, callback.best_epoch, model.weights_now])
    return found


def what_early_stopping_says(keras):
    callback = keras.callbacks.EarlyStopping(patience=1, restore_best_weights=True, verbose=1)
    return run_epochs(callback, SERIES[3])[1].splitlines()


def model_checkpoint(keras):
    found = []
    for series in SERIES:
        for mode, threshold, best in itertools.product(["min", "max"], [None, 3.5], [True, False]):
            callback = keras.callbacks.ModelCheckpoint(
                "at{epoch:02d}-{val_loss:.2f}.h5", mode=mode, initial_value_threshold=threshold, save_best_only=best
            )
            found.append(run_epochs(callback, series)[0].saved)
    return found


def what_model_checkpoint_says(keras):
    best = keras.callbacks.ModelCheckpoint("best.h5", save_best_only=True, verbose=1)
    said = run_epochs(best, SERIES[3])[1] + run_epochs(keras.callbacks.ModelCheckpoint("m.h5", verbose=1), [1])[1]
    return [line for line in said.splitlines() if line and "finished saving" not in line]


def checkpoints_by_batches(keras):
    callback, model = keras.callbacks.ModelCheckpoint("e{epoch}b{batch}.h5", save_freq=4), Model()
    callback.set_model(model)
    for epoch in range(3):
        callback.on_epoch_begin(epoch, {})
        for batch in range(5):
            callback.on_train_batch_end(batch, {"loss": 1.0})
        callback.on_epoch_end(epoch, {"loss": 1.0})
    return model.saved


def csv_files(keras):
    found = []
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/log.csv"
        for options, logs in [
            ({}, [{"loss": 1.5, "acc": 0.5, "val_loss": 2.5}, {"loss": 0.5, "acc": 1.0}]),
            ({"append": True}, [{"loss": 0.25, "acc": 1.0, "val_loss": 1.5}]),
            ({"separator": ";"}, [{"loss": 1.5}, {"loss": 1.0, "val_loss": 2.0, "new": 3.0}]),
        ]:
            callback = keras.callbacks.CSVLogger(path, **options)
            callback.set_model(Model())
            callback.on_train_begin()
            for epoch, entry in enumerate(logs):
                callback.on_epoch_end(epoch, entry)
            callback.on_train_end()
            with open(path, newline="") as file:
                found.append(list(csv.reader(file, delimiter=options.get("separator", ","))))
    return found


CASES = [
    *(hooks_of_fit, hooks_of_fit_with_validation, hooks_of_evaluate, hooks_of_predict, hooks_of_a_stopped_fit, params),
    *(early_stopping, what_early_stopping_says, model_checkpoint, what_model_checkpoint_says),
    *(checkpoints_by_batches, csv_files),
]
