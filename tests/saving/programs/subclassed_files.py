"""Write, or read, the files of a model that defines ``call``, with Keras or with distnet.

Arguments: write or read; a folder. The environment says which Keras.
"""

import importlib
import os
import sys
from pathlib import Path

import numpy as np

keras = importlib.import_module(os.environ.get("WHICH_KERAS", "distnet"))
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


def write(folder):
    model = Net(name="net")
    model.compile("adam", "mse")
    model.fit(X, X[:, :2], epochs=2, verbose=0)
    model.save_weights(folder / "net.weights.h5")
    model.save(folder / "net.keras")
    np.savez(folder / "expected.npz", y=model.predict(X, verbose=0), steps=int(model.optimizer.iterations))


def read(folder):
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
