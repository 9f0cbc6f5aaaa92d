"""What scripts read of their callbacks after ``fit``, on every rank: kept_by_callbacks.py FOLDER."""

import json
import sys
from pathlib import Path

import numpy as np

import distnet as keras

losses, first_epoch, rates, own = [], None, {}, []
X = np.random.default_rng(0).normal(size=(30, 3))


class Recorder:
    def __init__(self):
        self.seen = []


recorder = Recorder()


def record(epoch, logs):
    global first_epoch
    losses.append(logs["loss"])
    recorder.seen.append(epoch)
    rates[epoch] = logs["loss"] / 2
    first_epoch = epoch if first_epoch is None else first_epoch


class LossHistory(keras.callbacks.Callback):
    def on_train_begin(self, logs=None):
        self.losses, self.file = [], sys.stderr

    def on_train_batch_end(self, batch, logs=None):
        self.losses.append(logs["loss"])

    def on_epoch_end(self, epoch, logs=None):
        self.long, self.is_own = np.full(100_000, epoch), bool(own)


class Evaluated(keras.callbacks.Callback):
    def on_test_end(self, logs=None):
        self.logs = logs

    def on_predict_batch_end(self, batch, logs=None):
        self.rows = len(logs["outputs"])


def within(model):
    count, kept = 0, []

    def tell(epoch, logs):
        nonlocal count
        count += 1
        kept.append(count)

    model.fit(X, X[:, :1], verbose=0, epochs=2, callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=tell)])
    return count, kept


if __name__ == "__main__":
    rank = keras.distribution.rank()
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    history, evaluated = LossHistory(), Evaluated()
    stopping = keras.callbacks.EarlyStopping("loss", min_delta=10, patience=1, restore_best_weights=True)
    callbacks = [history, stopping, keras.callbacks.LambdaCallback(on_epoch_end=record)]
    own.append(rank)  # each rank's own, also after fit
    model.fit(X, X[:, :1], batch_size=10, epochs=6, verbose=0, callbacks=callbacks)
    model.evaluate(X, X[:, :1], verbose=0, callbacks=[evaluated])
    model.predict(X, verbose=0, callbacks=[evaluated])
    seen = {
        "attributes": [history.losses, history.long.tolist()[-2:], history.is_own],
        "of distnet's": [stopping.stopped_epoch, stopping.best, [w.tolist() for w in stopping.best_weights]],
        "globals": [losses, first_epoch, {str(key): value for key, value in rates.items()}, recorder.seen],
        "of a function": within(model),
        "of evaluate and predict": [evaluated.logs, evaluated.rows],
    }
    Path(sys.argv[1], f"{rank}.json").write_text(json.dumps({"seen": seen, "own": own}), encoding="utf-8")
