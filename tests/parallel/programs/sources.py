"""Train on every kind of data, saving within an epoch, or go on from there: sources.py save|resume FOLDER."""

import random
import sys
from pathlib import Path

import numpy as np

import distnet as keras
from distnet import callbacks, layers
from distnet.preprocessing.image import ImageDataGenerator


class Shuffled(keras.utils.Sequence):
    def __init__(self):
        super().__init__()
        self.rng, self.order = random.Random(3), list(range(6))

    def __len__(self):
        return 6

    def __getitem__(self, i):
        part = slice(self.order[i] * 7, self.order[i] * 7 + 7)
        return x[part], y[part]

    def on_epoch_end(self):
        self.rng.shuffle(self.order)


def drawn(seed):
    rng = np.random.default_rng(seed)
    while True:
        rows = rng.integers(0, 47, 11)
        yield x[rows], y[rows]


def images():
    return ImageDataGenerator(rotation_range=20, horizontal_flip=True).flow(pictures[:21], y[:21], 5, seed=4)


class Saving(callbacks.Callback):
    """Saves once: within the second epoch, or within its validation."""

    runs_last = True

    def __init__(self, path, hook, at):
        self.path, self.hook, self.left = path, hook, at

    def on_train_batch_end(self, batch, logs=None):
        self.count("batch")

    def on_test_batch_end(self, batch, logs=None):
        self.count("validation")

    def count(self, hook):
        if hook == self.hook and mode == "save":
            self.left -= 1
            if self.left == 0:
                self.model.save(self.path)


def make(kind):
    keras.utils.set_random_seed(7 if mode == "save" else 99)
    first = [layers.Flatten(input_shape=(4, 4, 1))] if kind == "images" else [layers.Input(shape=(5,))]
    model = keras.Sequential([*first, layers.Dense(6, "tanh"), layers.BatchNormalization(), layers.Dropout(0.3)])
    model.add(layers.Dense(1))
    model.compile(keras.optimizers.Adam(0.01), "mse", ["mae"])
    return model


if __name__ == "__main__":
    mode, folder = sys.argv[1], Path(sys.argv[2])
    keras.config.set_floatx("float64")
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(47, 5)), rng.normal(size=(47, 1))
    pictures = rng.normal(size=(23, 4, 4, 1))

    DATA = {
        "arrays": lambda: {"x": x, "y": y, "batch_size": 10, "validation_split": 0.2},
        "short epochs": lambda: {"x": x, "y": y, "batch_size": 10, "steps_per_epoch": 3, "shuffle": "batch"},
        "sequence": lambda: {"x": Shuffled(), "validation_data": Shuffled()},
        "generators": lambda: {
            **{"x": drawn(1), "steps_per_epoch": 6, "validation_data": drawn(2)},
            "validation_steps": 2,
        },
        "images": lambda: {"x": images()},
    }

    results = {}
    for kind, data in DATA.items():
        for hook, at in (("batch", 8), ("validation", 3)):
            if hook == "validation" and "validation_data" not in data():
                continue
            name, path = f"{kind}, {hook}", folder / f"{kind}-{hook}.h5"
            watching = [Saving(path, hook, at), callbacks.ReduceLROnPlateau("loss", 0.5, patience=1, min_delta=9)]
            model = make(kind)
            resume = path if mode == "resume" else None
            history = model.fit(**data(), epochs=4, verbose=0, callbacks=watching, resume=resume)
            results |= {f"{name}, {key}": values for key, values in history.history.items()}
            results |= {f"{name}, weight {i}": w for i, w in enumerate(model.get_weights())}
    if keras.distribution.is_chief():
        np.savez(folder / f"{mode}.npz", **results)
