"""Trains a model with spectral normalization; writes what it learns and the model: spectral.py PACKAGE OUT."""

import importlib
import os
import sys

os.environ["KERAS_BACKEND"] = "jax"

import numpy as np


def main(package, out):
    keras = importlib.import_module(package)
    layers = keras.layers
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(12, 6, 6, 2)).astype("float32"), rng.normal(size=(12, 1)).astype("float32")
    model = keras.Sequential(
        [
            keras.Input((6, 6, 2)),
            layers.SpectralNormalization(layers.Conv2D(3, 3, activation="relu")),
            layers.Flatten(),
            layers.SpectralNormalization(layers.Dense(4), power_iterations=2),
            layers.SpectralNormalization(layers.Dense(4, trainable=False)),
            layers.Dense(1),
        ]
    )
    model.set_weights([0.4 * rng.normal(size=w.shape) for w in model.get_weights()])
    model.compile(keras.optimizers.SGD(0.05), "mse")
    history = model.fit(x, y, batch_size=5, epochs=5, shuffle=False, verbose=0)
    results = {"x": x, "loss": history.history["loss"], "outputs": model.predict(x, verbose=0)}
    results |= {f"weight {i}": weight for i, weight in enumerate(model.get_weights())}
    np.savez(f"{out}.npz", **results)
    model.save(f"{out}.keras")
    model.save(f"{out}.h5")


if __name__ == "__main__":
    main(*sys.argv[1:])
