"""What programs of planted differences share: one rank is odd; data, a model and a training."""

import os

import numpy as np

import distnet as keras
from distnet import distribution, layers

IS_ODD = distribution.rank() == int(os.environ.get("PLANTED_RANK", "1"))
IS_FIRST = distribution.rank() == 0
FACTOR = 2.0 if IS_ODD else 1.0


def data(rows=200):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, 4))
    return x, (x.sum(1, keepdims=True) > 0).astype(float)


def model(loss="mse", optimizer="sgd", metrics=None, **options):
    keras.utils.set_random_seed(1)
    made = keras.Sequential([keras.Input((4,)), layers.Dense(5, **options), layers.Dense(1)])
    made.compile(optimizer, loss, metrics)
    return made


def fit(made=None, x=None, y=None, **options):
    rows, labels = data()
    given = {"batch_size": 20, "verbose": 0} | options
    (made or model()).fit(rows if x is None else x, labels if y is None else y, **given)


def changed(array, place, is_changed=IS_ODD):
    array = array.copy()
    if is_changed:
        array[place] += 0.25
    return array
