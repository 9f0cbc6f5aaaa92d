"""Callbacks that act; rank 0 writes what training and they gave: callbacks.py OUT.npz."""

import sys
from pathlib import Path

import numpy as np

import distnet as keras
from distnet import comm, layers, ops, optimizers
from distnet.callbacks import Callback, CSVLogger, EarlyStopping, LambdaCallback, ModelCheckpoint

RNG = np.random.default_rng(1)
X = RNG.normal(size=(151, 8))
Y = np.eye(3)[RNG.integers(0, 3, 151)]


def fitted(*callbacks, optimizer="adam", is_normalized=False, **options):
    keras.utils.set_random_seed(3)
    hidden = [layers.BatchNormalization(), layers.Dropout(0.2)] if is_normalized else [layers.Dropout(0.2)]
    model = keras.Sequential(
        [layers.Dense(10, activation="relu", input_shape=(8,)), *hidden, layers.Dense(3, "softmax")]
    )
    model.compile(optimizer, "categorical_crossentropy", ["accuracy"])
    options = {"batch_size": 32, "epochs": 4, "verbose": 0, "validation_split": 0.2} | options
    history = model.fit(X, Y, callbacks=list(callbacks), **options)
    return {**history.history, "epochs": history.epoch, **dict(enumerate(model.get_weights()))}


class Actor(Callback):
    """Calls ``act(model)`` at the given hook, epoch and batch."""

    def __init__(self, hook, act, epoch=None, batch=None):
        self.epoch_now, self.act, self.epoch, self.batch = -1, act, epoch, batch
        inherited = getattr(self, hook)

        def at(*args):
            inherited(*args)
            is_there = self.batch is None or args[0] == self.batch
            if is_there and self.epoch in (None, self.epoch_now):
                self.act(self.model)

        setattr(self, hook, at)

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch_now = epoch


def stop(model):
    model.stop_training = True


def shrink(model):
    model.set_weights([0.9 * w for w in model.get_weights()])


def stops():
    return {
        "after an epoch": fitted(Actor("on_epoch_end", stop, epoch=1)),
        "after a batch": fitted(Actor("on_train_batch_end", stop, epoch=1, batch=1)),
        "before a batch": fitted(Actor("on_batch_begin", stop, epoch=1, batch=2)),
        "before an epoch": fitted(Actor("on_epoch_begin", stop, epoch=2)),
        "at the beginning": fitted(Actor("on_train_begin", stop)),
        "at validation": fitted(Actor("on_test_end", stop)),
    }


def learning_rates():
    def halve(model):
        model.optimizer.learning_rate = model.optimizer.learning_rate * 0.5

    def assign(model):
        model.optimizer.learning_rate.assign(0.02)

    def other_options(model):
        model.optimizer.momentum, model.optimizer.nesterov = 0.5, True

    decaying = optimizers.schedules.ExponentialDecay
    return {
        "epoch": fitted(Actor("on_epoch_begin", halve)),
        "batch": fitted(Actor("on_train_batch_end", halve, batch=2)),
        "batch begin": fitted(Actor("on_batch_begin", halve)),
        "begin": fitted(Actor("on_train_begin", assign)),
        "lr": fitted(Actor("on_epoch_end", lambda model: setattr(model.optimizer, "lr", 0.03))),
        "momentum": fitted(Actor("on_epoch_end", other_options), optimizer=optimizers.SGD(0.1, momentum=0.1)),
        "overwritten": fitted(
            Actor("on_epoch_end", lambda model: model.optimizer.overwrite_learning_rate(0.01), epoch=1),
            optimizer=optimizers.SGD(decaying(0.1, 5, 0.5)),
        ),
        "schedule": fitted(
            Actor(
                "on_epoch_end", lambda model: setattr(model.optimizer, "learning_rate", decaying(0.1, 3, 0.7)), epoch=1
            )
        ),
    }


def weights():
    path = OUT.with_suffix(".weights.h5")

    def reload(model):
        model.save_weights(path)
        shrink(model)
        model.load_weights(path)
        model.layers[0].kernel.assign(model.layers[0].kernel.numpy() * 0.5)

    return {
        "epoch": fitted(Actor("on_epoch_end", shrink)),
        "batch": fitted(Actor("on_train_batch_end", shrink, batch=1)),
        "batch begin": fitted(Actor("on_train_batch_begin", shrink, batch=0)),
        "begin": fitted(Actor("on_train_begin", shrink)),
        "end": fitted(Actor("on_train_end", shrink)),
        "last batch": fitted(Actor("on_train_batch_end", shrink, batch=3)),
        "for validation": fitted(Actor("on_test_begin", shrink), Actor("on_test_end", shrink)),
        "file": fitted(Actor("on_epoch_end", reload)),
    }


class Kept:
    by = 1.0


class OwnLoss(keras.losses.Loss):
    by = 1.0

    def __init__(self):
        super().__init__()
        self.parts = {"by": 1.0}

    def call(self, y_true, y_pred):
        return ops.sum(ops.square(y_true - y_pred), axis=-1) * (self.by * self.parts["by"])


def settings():
    factor = keras.Variable(1.0, trainable=False)

    class Scaled(layers.Layer):
        by = 1.0

        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.curve = ops.tanh
            self.numbers, self.gate, self.kept, self.rng = {"by": [1.0]}, np.ones(8), Kept(), np.random.default_rng(0)

        def call(self, inputs):
            by = self.by * self.numbers["by"][0] * self.kept.by * self.rng.uniform(0.9, 1.0)
            return self.curve(inputs * (self.gate * by)) * factor

    def fitted_with(**hooks):
        keras.utils.set_random_seed(3)
        factor.assign(1.0)
        inner = keras.Sequential([layers.Input((8,)), layers.Dense(8)])
        model = keras.Sequential([layers.Input((8,)), layers.Dropout(0.5), Scaled(), inner, layers.Dense(3, "softmax")])
        model.compile("sgd", OwnLoss())
        model.fit(X, Y, batch_size=32, epochs=3, verbose=0, callbacks=[Actor(*item) for item in hooks.items()])
        is_relu = inner.layers[0].activation is keras.activations.relu
        return {"is relu": np.array(float(is_relu)), **dict(enumerate(model.get_weights()))}

    def caught():
        def fail(model):
            model.layers[0].rate, model.layers[1].by = 0.1, 0.5
            model.optimizer.learning_rate = 0.3
            shrink(model)
            raise LookupError("on purpose")

        keras.utils.set_random_seed(3)
        model = keras.Sequential([layers.Input((8,)), layers.Dropout(0.5), Scaled(), layers.Dense(3, "softmax")])
        model.compile("sgd", "categorical_crossentropy")
        try:
            model.fit(X, Y, batch_size=32, verbose=0, callbacks=[Actor("on_epoch_end", fail)])
        except LookupError:
            model.fit(X, Y, batch_size=32, verbose=0)
        return dict(enumerate(model.get_weights()))

    return {
        "caught": caught(),
        "argument": fitted_with(on_epoch_end=lambda model: setattr(model.layers[0], "rate", 0.1)),
        "attribute": fitted_with(on_epoch_end=lambda model: setattr(model.layers[1], "by", 0.5)),
        "activation": fitted_with(
            on_epoch_begin=lambda model: setattr(model.layers[2].layers[0], "activation", keras.activations.relu)
        ),
        "penalty": fitted_with(
            on_epoch_end=lambda model: setattr(model.layers[3], "activity_regularizer", keras.regularizers.L2(0.1))
        ),
        "function": fitted_with(on_train_batch_end=lambda model: setattr(model.layers[1], "curve", ops.sin)),
        "at batches": fitted_with(on_train_batch_end=lambda model: setattr(model.layers[1], "by", 0.5)),
        "entry": fitted_with(on_epoch_end=lambda model: model.layers[1].numbers["by"].__setitem__(0, 0.4)),
        "entry of an array": fitted_with(on_train_batch_begin=lambda model: model.layers[1].gate.__setitem__(2, 0.0)),
        "of an object": fitted_with(on_epoch_begin=lambda model: setattr(model.layers[1].kept, "by", 0.3)),
        "of a loss": fitted_with(on_epoch_end=lambda model: setattr(model.loss, "by", 0.2)),
        "entry of a loss": fitted_with(on_train_batch_end=lambda model: model.loss.parts.update(by=0.5)),
        "draws": fitted_with(on_epoch_end=lambda model: model.layers[1].rng.uniform()),
        "property": fitted_with(on_epoch_end=lambda model: setattr(model.layers[2], "trainable", False)),
        "predicting": fitted_with(on_epoch_end=lambda model: model.predict(X[:3], verbose=0)),
        "variable": fitted_with(on_epoch_begin=lambda model: factor.assign(0.3)),
    }


def model_calls():
    answers = []

    def ask(model):
        answers.append(np.ravel(model.evaluate(X[:50], Y[:50], verbose=0)))
        answers.append(np.ravel(model.predict(X[:5], verbose=0)))
        model.save(OUT.with_suffix(".h5"))
        copy = keras.models.load_model(OUT.with_suffix(".h5"))
        answers.append(np.ravel(copy.predict(X[:5], verbose=0)))

    hooks = ["on_train_begin", "on_epoch_begin", "on_epoch_end", "on_train_end", "on_test_begin", "on_test_end"]
    hooks += ["on_train_batch_begin", "on_train_batch_end", "on_test_batch_end"]
    results = {hook: fitted(Actor(hook, ask), epochs=2) for hook in hooks}
    at_both = Actor("on_epoch_end", ask), Actor("on_batch_end", ask)
    results["normalized"] = fitted(*at_both, is_normalized=True, epochs=2)
    return results | {"answers": {"all": np.concatenate(answers) if answers else []}}


def what_callbacks_see():
    """Every hook in its order, with the numbers of its logs."""
    seen = []

    class Witness(Callback):
        pass

    for hook in [name for name in dir(Callback) if name.startswith("on_") and "predict" not in name]:

        def witness(self, *args, hook=hook):
            logs = args[-1] if args and isinstance(args[-1], dict) else {}
            seen.append([sum(map(ord, hook)), *args[:-1], *logs.values()][:5])

        setattr(Witness, hook, witness)
    history = fitted(Witness())
    width = max(map(len, seen), default=0)
    table = np.array([[*row, *[0] * (width - len(row))] for row in seen], float)
    return {"history": history, "seen": {"all": table}}


def library():
    csv, log = OUT.with_suffix(".csv"), []
    best = EarlyStopping("val_accuracy", patience=1, restore_best_weights=True)
    extra = LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update(extra=epoch * 2.0) or log.append(epoch))
    path = OUT.parent / f"{OUT.stem}-{{epoch:02d}}-{{val_loss:.2f}}.h5"
    saved = [ModelCheckpoint(path, save_best_only=True), ModelCheckpoint(OUT.with_suffix(".b.h5"), save_freq=3)]
    return {
        "stopped early": fitted(best, epochs=12),
        "logged": fitted(CSVLogger(csv), extra),
        "not on batches": fitted(extra, validation_freq=2),
        "saved": fitted(*saved),
        "files": {"count": len(list(OUT.parent.glob(f"{OUT.stem}-*.h5")))} if keras.distribution.is_chief() else {},
        "csv": {"all": np.loadtxt(csv, delimiter=",", skiprows=1)} if keras.distribution.is_chief() else {},
    }


if __name__ == "__main__":
    OUT = Path(sys.argv[1])

    keras.config.set_floatx("float64")
    results = {}
    for case in (stops, learning_rates, weights, settings, model_calls, what_callbacks_see, library):
        for part, values in case().items():
            results |= {f"{case.__name__}/{part}/{key}": np.asarray(value) for key, value in values.items()}
    shared = {
        key: value.tobytes()
        for key, value in results.items()
        if key.split("/")[1] not in ("files", "csv", "answers", "seen")
    }
    everywhere = comm.world().allgather_object(shared)
    for rank, theirs in enumerate(everywhere):
        apart = [key for key in shared if theirs.get(key) != shared[key]]
        assert not apart, f"rank {rank} differs in {apart}"
    if keras.distribution.is_chief():
        np.savez(OUT, **results)
