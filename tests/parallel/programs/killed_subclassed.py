"""Train models of users' classes with backups within epochs, and be killed: killed_subclassed.py MODE FOLDER.

MODE: kill (train each to its end; then each once more to a backup within its second epoch, the last until SIGKILL), or
a name: go on from copies of these backups, and write what comes of it under that name.
"""

import os
import shutil
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np

import distnet as keras
from distnet import layers, ops
from distnet.saving import background

RNG = np.random.default_rng(0)
X = RNG.normal(size=(53, 6))
Y = np.tanh(X[:, :2])


class Stopped(Exception):  # noqa: N818 - no error
    """The end of a training in its second epoch."""


class Interruption(keras.callbacks.Callback):
    """Leaves the second epoch after its third batch."""

    def __init__(self, is_last):
        super().__init__()
        self.is_last, self.epoch = is_last, 0

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.epoch == 1 and batch == 3:
            if self.is_last:
                background.finish()
                os.kill(int((folder / "rank1").read_text()), signal.SIGKILL)
                time.sleep(60)
            raise Stopped


class Slowing(keras.callbacks.Callback):
    """Changes the learning rate of a second optimizer within the epochs."""

    def on_train_batch_end(self, batch, logs=None):
        if batch == 1:
            self.model.d_optimizer.learning_rate = float(self.model.d_optimizer.learning_rate) * 0.75


class Seen(layers.Layer):
    """Counts in a metric, and in a weight, what passes."""

    def __init__(self):
        super().__init__()
        self.tracker = keras.metrics.Mean(name="seen")

    def build(self, input_shape):
        self.total = self.add_weight(shape=(), initializer="zeros", trainable=False, name="total")

    def call(self, x, training=False):
        if training:
            self.tracker.update_state(ops.mean(ops.abs(x)))
            self.total.assign(self.total + ops.sum(x))
        return x


class Called(keras.Model):
    """Built by the data of ``fit``."""

    def __init__(self):
        super().__init__()
        self.blocks = [layers.Dense(5, activation="tanh"), layers.BatchNormalization(), layers.Dropout(0.3)]
        self.seen, self.end = Seen(), layers.Dense(2)

    def call(self, x, training=None):
        for block in self.blocks:
            x = block(x, training=training)
        return self.end(self.seen(x, training=training))


class Largest(keras.metrics.Metric):
    """Keeps two numbers."""

    def __init__(self, name):
        super().__init__(name=name)
        self.most, self.rows = self.add_weight(name="most"), self.add_weight(name="rows")

    def update_state(self, values, sample_weight=None):
        self.most.assign(ops.maximum(self.most, ops.max(values)))
        self.rows.assign(self.rows + ops.shape(values)[0])

    def result(self):
        return self.most * 10 + self.rows


class Autoencoder(keras.Model):
    """Has no call: its layers are built in the first step. A metric is never reset."""

    def __init__(self):
        super().__init__()
        self.encoder = keras.Sequential([layers.Dense(3, activation="tanh"), layers.Dropout(0.2)])
        self.decoder = keras.Sequential([layers.Dense(6)])
        self.largest, self.ever = Largest("largest"), keras.metrics.Mean(name="ever")
        self.mean = keras.metrics.Mean(name="mean")

    @property
    def metrics(self):
        return [self.largest, self.mean]

    def train_step(self, data):
        with keras.GradientTape() as tape:
            made = self.decoder(self.encoder(data, training=True))
            loss = ops.mean(ops.square(data - made))
        gradients = tape.gradient(loss, self.trainable_weights)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_weights, strict=True))
        self.largest.update_state(made)
        self.mean.update_state(loss)
        self.ever.update_state(loss)
        return {**{metric.name: metric.result() for metric in self.metrics}, "ever": self.ever.result()}


class GAN(keras.Model):
    """Two optimizers, of which ``compile`` makes one, and a generator of seeds."""

    def __init__(self):
        super().__init__()
        self.critic = keras.Sequential([keras.Input((6,)), layers.Dense(8), layers.LeakyReLU(0.2), layers.Dense(1)])
        self.generator = keras.Sequential([layers.Dense(8, activation="tanh"), layers.Dense(6)])
        self.seeds = keras.random.SeedGenerator()
        self.g_optimizer = keras.optimizers.SGD(0.05, momentum=0.9, global_clipnorm=0.5)
        self.d_mean, self.g_mean = keras.metrics.Mean(name="d"), keras.metrics.Mean(name="g")

    def compile(self, d_optimizer):
        super().compile()
        self.d_optimizer = d_optimizer

    def latent(self, rows):
        return keras.random.normal((rows, 3), seed=self.seeds)

    def train_step(self, real):
        rows = ops.shape(real)[0]
        with keras.GradientTape() as tape:
            d_loss = ops.mean(ops.softplus(self.critic(self.generator(self.latent(rows))))) + ops.mean(
                ops.softplus(-self.critic(real))
            )
        weights = self.critic.trainable_weights
        self.d_optimizer.apply_gradients(zip(tape.gradient(d_loss, weights), weights, strict=True))
        with keras.GradientTape() as tape:
            g_loss = ops.mean(ops.softplus(-self.critic(self.generator(self.latent(rows)))))
        weights = self.generator.trainable_weights
        self.g_optimizer.apply_gradients(zip(tape.gradient(g_loss, weights), weights, strict=True))
        self.d_mean.update_state(d_loss)
        self.g_mean.update_state(g_loss)
        return {"d": self.d_mean.result(), "g": self.g_mean.result()}


def called():
    model = Called()
    model.compile("adam", "mse", metrics=["mae"])
    return model, (X, Y), []


def autoencoder():
    model = Autoencoder()
    model.compile(keras.optimizers.Nadam(0.01))
    return model, (X,), []


def gan():
    model = GAN()
    model.compile(keras.optimizers.Adam(keras.optimizers.schedules.ExponentialDecay(0.01, 5, 0.9), use_ema=True))
    return model, (X,), []


def slowed_gan():
    model = GAN()
    model.compile(keras.optimizers.Adam(0.02, amsgrad=True))
    return model, (X,), [Slowing()]


CASES = (called, autoencoder, gan, slowed_gan)


def train(case, seed, more=(), backups=None):
    """Losses, weights and metrics at the end."""
    keras.utils.set_random_seed(seed)
    model, data, callbacks = case()
    if backups is not None:
        callbacks.append(keras.callbacks.BackupAndRestore(backups / case.__name__, save_freq=3))
    history = model.fit(*data, batch_size=10, epochs=3, verbose=0, callbacks=[*callbacks, *more]).history
    record = {f"{case.__name__} {key}": np.array(values) for key, values in history.items()}
    return record | {f"{case.__name__} weight {i}": weight for i, weight in enumerate(model.get_weights())}


if __name__ == "__main__":
    mode, folder = sys.argv[1], Path(sys.argv[2])
    keras.config.set_floatx("float64")
    record = {}
    if mode == "kill":
        (folder / f"rank{keras.distribution.rank()}").write_text(str(os.getpid()))
        for case in CASES:
            record |= train(case, 7)
    elif keras.distribution.is_chief():
        shutil.copytree(folder / "backups", folder / mode)
    keras.distribution.barrier()
    for case in CASES if mode != "kill" else ():
        record |= train(case, 99, backups=folder / mode)
    if keras.distribution.is_chief():
        np.savez(folder / f"{mode}.npz", **record)
    for case in CASES if mode == "kill" else ():
        with suppress(Stopped, keras.errors.CommunicationError):
            train(case, 7, [Interruption(case is CASES[-1])], folder / "backups")
