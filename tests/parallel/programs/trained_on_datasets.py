"""Trains on datasets of files and windows, each in several ways; prints weights, logs and how much was read as JSON."""

import json
import sys
from pathlib import Path

import numpy as np

import distnet
from distnet import layers
from distnet.comm import world
from distnet.pipelines.dataset import Dataset

distnet.config.set_floatx("float64")
PICTURES = {"image_size": (4, 4), "batch_size": 5, "verbose": False}
READ = []


def noted(x, y):
    READ.append(1)
    return x / 255, y


def halves(x, y):
    """A function of a whole batch: it mixes the rows."""
    return x / 255 - np.mean(x) / 510, y


def datasets(folder):
    """Name -> dataset of batches, and the arguments of ``fit``."""
    pictures = distnet.utils.image_dataset_from_directory(folder / "pictures", seed=3, **PICTURES)
    rows = distnet.utils.image_dataset_from_directory(folder / "pictures", seed=3, **PICTURES | {"batch_size": None})
    noise = np.random.default_rng(0).standard_normal((40, 3))
    windows = distnet.utils.timeseries_dataset_from_array(noise, noise[:, 0] > 0, 5, batch_size=8, shuffle=True, seed=1)
    left, _ = distnet.utils.split_dataset((noise, noise[:, :1]), left_size=0.6, shuffle=True, seed=2)
    yield "files", pictures, {}
    yield "rows", rows.map(noted, num_parallel_calls=2).batch(5).prefetch(2), {}
    yield "batches", pictures.map(halves).cache().shuffle(10, seed=4), {}
    yield "no seed", rows.shuffle(50).batch(7, drop_remainder=True), {}
    yield "filtered", rows.filter(lambda x, y: x.mean() > 60).shuffle(4, seed=1).batch(3), {}
    yield "for ever", rows.map(noted).repeat().batch(5), {"steps_per_epoch": 3}
    yield "fewer steps", pictures.map(noted), {"steps_per_epoch": 2}
    yield "unknown, fewer steps", rows.filter(lambda x, y: True).batch(4), {"steps_per_epoch": 2}
    yield "one row", Dataset.from_tensor_slices((noise[:7], noise[:7, :1])).batch(2), {}
    yield "windows", windows, {}
    yield "split", left.batch(5), {"class_weight": None}


def trained(dataset, options):
    distnet.utils.clear_session()
    model = distnet.Sequential([layers.Flatten(), layers.Dense(3, "tanh"), layers.Dense(1, "sigmoid")])
    model.compile("sgd", "mean_squared_error", metrics=["mae"])
    history = model.fit(dataset, epochs=3, verbose=0, validation_data=dataset.take(2), **options)
    evaluated = model.evaluate(dataset.take(3), verbose=0, return_dict=True)
    predicted = model.predict(dataset.take(2), verbose=0)
    logs = [value for name in sorted(history.history) for value in history.history[name]]
    return [*logs, *evaluated.values(), *predicted.ravel(), *(float(w.sum()) for w in model.get_weights())]


def main():
    distnet.utils.set_random_seed(5)
    numbers, reads = {}, {}
    for name, dataset, options in datasets(Path(sys.argv[1])):
        READ.clear()
        numbers[name] = [float(number) for number in trained(dataset, options)]
        reads[name] = sum(world().allgather_object([len(READ)])[i][0] for i in range(world().size))
    if world().rank == 0:
        print(json.dumps([numbers, reads]))


if __name__ == "__main__":
    main()
