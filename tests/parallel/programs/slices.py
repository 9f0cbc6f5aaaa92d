"""Train small models by slices, as large ones are; rank 0 writes weights, slots and history: slices.py OUT.npz."""

import contextlib
import sys
from functools import partial
from pathlib import Path

import numpy as np

import distnet as keras
from distnet import comm, layers, optimizers
from distnet.parallel import buckets, slices

OPTIMIZERS = {
    "momentum": optimizers.SGD(0.05, momentum=0.9, nesterov=True, clipvalue=0.01),
    "decayed": optimizers.AdamW(0.01, weight_decay=0.01, use_ema=True, ema_momentum=0.9, ema_overwrite_frequency=7),
    "accumulated": optimizers.Adam(0.01, amsgrad=True, gradient_accumulation_steps=3, loss_scale_factor=64.0),
    "clipped": optimizers.RMSprop(0.01, clipnorm=0.1),
    "clipped together": optimizers.Nadam(0.01, global_clipnorm=0.1),
    "by norms": optimizers.Lamb(0.01),
    "followed": optimizers.Ftrl(0.1, l1_regularization_strength=0.001),
    "clipped later": optimizers.SGD(0.05),
    "clipped together later": optimizers.Adam(0.01),
    "clipped at first": optimizers.Adam(0.01, clipnorm=0.1),
}
LATER = {
    "clipped later": {"clipnorm": 0.1},
    "clipped together later": {"global_clipnorm": 0.1},
    "clipped at first": {"clipnorm": None},
}
"""What a callback sets in mid-training."""


class SetsLater(keras.callbacks.Callback):
    """Sets options of the optimizer when the second epoch begins."""

    def __init__(self, values):
        super().__init__()
        self.values = values

    def on_epoch_begin(self, epoch, logs=None):
        for name, value in self.values.items() if epoch == 1 else ():
            setattr(self.model.optimizer, name, value)


def train(optimizer, folder, later):
    """One fit, a save by rank 0's callback, another layer frozen, another fit of the loaded model's twin."""
    keras.utils.set_random_seed(7)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(101, 5)), rng.integers(0, 3, 101)
    constraint = "max_norm" if isinstance(optimizer, optimizers.SGD) else None  # without one the ranks share weights
    hidden = layers.Dense(7, "tanh", kernel_regularizer="l2", bias_constraint=constraint, name="hidden")
    model = keras.Sequential([keras.Input((5,)), hidden, layers.Dropout(0.3), layers.Dense(3, "softmax", name="out")])
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    model.compile(optimizer, "sparse_categorical_crossentropy", ["accuracy"])
    file = str(folder / "model.h5")
    saved = keras.callbacks.ModelCheckpoint(file, save_freq=5)
    first = model.fit(x, y, batch_size=16, epochs=2, verbose=0, callbacks=[saved, SetsLater(later)]).history
    keras.distribution.barrier()
    model = keras.models.load_model(file)
    model.get_layer("hidden").trainable = False
    model.compile(model.optimizer, "sparse_categorical_crossentropy", ["accuracy"])
    second = model.fit(x, y, batch_size=16, epochs=2, verbose=0).history
    return model, [*first.values(), *second.values()]


def train_shared():
    """A layer called twice, a model within the model, statistics of the batch, an output without a loss."""
    keras.utils.set_random_seed(8)
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(50, 6)), rng.normal(size=(50, 1))
    shared = layers.Dense(6, "tanh", kernel_regularizer="l2", name="shared")
    inner = keras.Sequential([keras.Input((6,)), layers.Dense(5, name="first"), layers.BatchNormalization()], "inner")
    given = keras.Input((6,))
    hidden = inner(shared(layers.BatchNormalization(center=False)(shared(given))))
    idle = layers.Dense(2, kernel_regularizer="l1", name="idle")(hidden)
    model = keras.Model(given, [layers.Dense(1, name="out")(hidden), idle])
    model.compile(optimizers.Adam(0.01), ["mse", None])
    history = model.fit(x, y, batch_size=16, epochs=3, verbose=0).history
    return model, list(history.values())


class Failing(layers.Layer):
    """Fails once, on the last rank, in the middle of the backward pass."""

    fails = True

    def forward(self, x, ctx):
        return x.copy(), None

    def backward(self, dy, saved, ctx):
        if self.fails and comm.world().rank == comm.world().size - 1:
            Failing.fails = False
            raise LookupError("lost")
        return dy.copy()


def train_after_an_error():
    """Gradients of some layers were on their way when one rank met an error that the script catches."""
    keras.utils.set_random_seed(9)
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(40, 4)), rng.normal(size=(40, 1))
    parts = [layers.Dense(9, "tanh"), layers.BatchNormalization(), Failing(), layers.Dense(9), layers.Dense(1)]
    model = keras.Sequential([keras.Input((4,)), *parts])
    model.compile(optimizers.Adam(0.01), "mse")
    with contextlib.suppress(LookupError):
        model.fit(x, y, batch_size=16, epochs=1, verbose=0)
        raise AssertionError("nobody noticed the error")
    Failing.fails = False
    history = model.fit(x, y, batch_size=16, epochs=2, verbose=0).history["loss"]
    return model, [history]


def train_large():
    """Of several pages of memory, which are not mapped all the time; two fits, and evaluations between."""
    keras.utils.set_random_seed(3)
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(50, 40)), rng.normal(size=(50, 3))
    model = keras.Sequential([keras.Input((40,)), layers.Dense(100, "tanh"), layers.Dense(60), layers.Dense(3)])
    model.compile(optimizers.Adam(0.01), "mse")
    history = []
    for _ in range(2):
        history += model.fit(x, y, batch_size=16, epochs=2, validation_data=(x, y), verbose=0).history["val_loss"]
        history.append(model.evaluate(x, y, verbose=0))
    return model, [history]


slices.LEAST_BYTES = slices.LARGE_BYTES = 0
buckets.BUCKET_BYTES = 0  # each weight is one, where there are several nodes


if __name__ == "__main__":
    keras.config.set_floatx("float64")
    out, results = Path(sys.argv[1]), {}
    trained = {
        name: partial(train, optimizer, out.parent, LATER.get(name, {})) for name, optimizer in OPTIMIZERS.items()
    }
    for name, run in {
        **trained,
        "shared": train_shared,
        "large": train_large,
        "after an error": train_after_an_error,
    }.items():
        model, history = run()
        results[f"{name}/history"] = np.array(history)
        results |= {f"{name}/{v.path}": v.value for v in model.variables}
        results |= {f"{name}/{v.path}": np.asarray(v.value) for v in model.optimizer.variables}
        held = model.store.weights.tobytes() + model.store.frozen.tobytes()
        assert len(set(comm.world().allgather_object(held))) == 1, f"{name}: the ranks differ"
    if keras.distribution.is_chief():
        np.savez(out, **results)
