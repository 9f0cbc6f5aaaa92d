"""Write, or read, the files of a model that defines ``call``, with Keras or with distnet.

Arguments: write or read; a folder. The environment says which Keras.
"""

import importlib
import os
import sys
from pathlib import Path

import numpy as np

keras = importlib.import_module(os.environ.get("WHICH_KERAS", "distnet"))
keras.utils.set_random_seed(3)  # sums that cancel are rounded more than the others
X = np.random.default_rng(0).normal(size=(6, 5)).astype("float32")


@keras.saving.register_keras_serializable(package="test")
class Scale(keras.layers.Layer):
    """A layer with a weight and a state."""

    def build(self, input_shape):
        self.scale = self.add_weight(shape=(input_shape[-1],), initializer="glorot_uniform", name="scale")
        self.seen = self.add_weight(shape=(), initializer="zeros", trainable=False, name="seen")

    def call(self, x):
        return x * self.scale


@keras.saving.register_keras_serializable(package="test")
class Net(keras.Model):
    """Lists, models and weights of its own as attributes, not in the order of the alphabet."""

    def __init__(self, units=(4, 3), **kwargs):
        super().__init__(**kwargs)
        self.units = list(units)
        self.stack = [keras.layers.Dense(width, activation="tanh") for width in units]
        self.inner = keras.Sequential([keras.layers.Dense(3), keras.layers.BatchNormalization()])
        self.branches = {"b": Scale(), "a": Scale()}
        self.end = keras.layers.Dense(2)
        self.own = self.add_weight(shape=(3,), initializer="ones", name="own")

    def call(self, x, training=None):
        for layer in self.stack:
            x = layer(x)
        x = self.branches["a"](self.inner(x, training=training)) + self.branches["b"](x)
        return self.end(x * self.own)

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@keras.saving.register_keras_serializable(package="test")
class Noise(keras.layers.Layer):
    """Keeps a generator, a metric, and an optimizer of its own."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seed_generator = keras.random.SeedGenerator(7)
        self.seen = keras.metrics.Mean(name="seen")
        self.own = keras.optimizers.SGD(0.5, momentum=0.9)

    def build(self, input_shape):
        self.scale = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="scale")

    def call(self, x):
        return x * self.scale


@keras.saving.register_keras_serializable(package="test")
class Pair(keras.Model):
    """Optimizers as attributes: private, in a list, in a layer, under two names, not begun."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.generator = keras.Sequential([keras.Input((5,)), keras.layers.Dense(3), keras.layers.Dense(2)])
        self.noise = Noise()
        self.critic = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        self._hidden = keras.optimizers.Adagrad(0.1)
        self.critic_optimizer = keras.optimizers.Adam(0.25)
        self.others = {"a": keras.optimizers.SGD(0.5), "b": [keras.optimizers.Lion(0.125)], "c": self.critic_optimizer}
        self.idle = keras.optimizers.RMSprop(0.5)
        self.seen = keras.metrics.Mean(name="all_seen")

    def call(self, x):
        return self.critic(self.noise(self.generator(x)))

    def parts(self):
        """The optimizers that have variables, with these."""
        critic, generator = self.critic.trainable_variables, self.generator.trainable_variables
        return [
            (self._hidden, [*generator[2:], *critic]), (self.critic_optimizer, critic), (self.others["a"], generator),
            (self.others["b"][0], generator[::-1]), (self.noise.own, self.noise.trainable_variables),
        ]  # fmt: skip


def states(model):
    """The arrays of each optimizer's state, in Keras's order."""
    arrays = [np.asarray(variable) for optimizer, _ in model.parts() for variable in optimizer.variables]
    return {f"state{i}": array for i, array in enumerate(arrays)}


def write_pair(folder):
    model = Pair()
    model(X)
    for i, (optimizer, variables) in enumerate(model.parts()):
        for step in range(i + 1):
            optimizer.apply([np.full(tuple(v.shape), 0.5 + step, "float32") for v in variables], variables)
    model.noise.seen.update_state([1.0, 2.0])
    model.seen.update_state([3.0])
    model.save_weights(folder / "pair.weights.h5")
    model.save(folder / "pair.keras")
    np.savez(folder / "pair.npz", y=np.asarray(model(X)), **states(model))


def read_pair(folder):
    with np.load(folder / "pair.npz") as kept:
        expected = dict(kept)
    model = Pair()
    model(X)
    for optimizer, variables in model.parts():
        optimizer.build(variables)
    model.load_weights(folder / "pair.weights.h5")
    whole = keras.models.load_model(folder / "pair.keras")
    for made in (model, whole):
        np.testing.assert_allclose(np.asarray(made(X)), expected["y"], rtol=1e-5, atol=1e-6)
    read = states(model)
    assert read.keys() == expected.keys() - {"y"}
    for key, array in read.items():
        np.testing.assert_allclose(array, expected[key], rtol=1e-6, atol=1e-7, err_msg=key)


@keras.saving.register_keras_serializable(package="test")
class Table(keras.layers.Layer):
    """Has weights that depend on more than its configuration and its input's shape."""

    rows = None

    def build(self, input_shape):
        self.table = self.add_weight(shape=(self.rows, input_shape[-1]), initializer="glorot_uniform", name="table")

    def call(self, x):
        return x * keras.ops.sum(self.table, axis=0)

    def get_build_config(self):
        return {**super().get_build_config(), "rows": self.rows}

    def build_from_config(self, config):
        self.rows = config["rows"]
        self.build(config["input_shape"])


@keras.saving.register_keras_serializable(package="test")
class Tables(keras.Model):
    """The same of a model, which has no call."""

    width = None

    def build(self, input_shape):
        self.inner = keras.layers.Dense(self.width)
        self.inner.build(input_shape)
        self.built = True

    def call(self, x):
        return self.inner(x)

    def get_build_config(self):
        return {"input_shape": [None, 5], "width": self.width}

    def build_from_config(self, config):
        self.width = config["width"]
        self.build(config["input_shape"])


def write_tables(folder):
    table, model = Table(), Tables()
    table.rows, model.width = 7, 3
    model.build((None, 5))
    for made, name in ((keras.Sequential([keras.Input((5,)), table]), "table"), (model, "tables")):
        np.save(folder / f"{name}.npy", made.predict(X, verbose=0))
        made.save(folder / f"{name}.keras")


def read_tables(folder):
    for name in ("table", "tables"):
        made = keras.models.load_model(folder / f"{name}.keras")
        np.testing.assert_allclose(made.predict(X, verbose=0), np.load(folder / f"{name}.npy"), rtol=1e-5, atol=1e-6)


def write(folder):
    write_pair(folder)
    write_tables(folder)
    model = Net(name="net")
    model.compile("adam", "mse")
    model.fit(X, X[:, :2], epochs=2, verbose=0)
    model.save_weights(folder / "net.weights.h5")
    model.save(folder / "net.keras")
    np.savez(folder / "expected.npz", y=model.predict(X, verbose=0), steps=int(model.optimizer.iterations))


def read(folder):
    read_pair(folder)
    read_tables(folder)
    with np.load(folder / "expected.npz") as kept:
        expected, steps = kept["y"], int(kept["steps"])
    model = Net()
    model(X)
    model.load_weights(folder / "net.weights.h5")
    np.testing.assert_allclose(model.predict(X, verbose=0), expected, rtol=1e-5, atol=1e-6)
    whole = keras.models.load_model(folder / "net.keras")
    np.testing.assert_allclose(whole.predict(X, verbose=0), expected, rtol=1e-5, atol=1e-6)
    assert int(whole.optimizer.iterations) == steps
    whole.fit(X, X[:, :2], verbose=0)


if __name__ == "__main__":
    {"write": write, "read": read}[sys.argv[1]](Path(sys.argv[2]))
