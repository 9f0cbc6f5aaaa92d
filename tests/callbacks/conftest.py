"""A small model and its data, for callbacks to watch."""

from __future__ import annotations

import numpy as np
import pytest

import distnet as keras


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 6))
    return x, (x.sum(axis=1, keepdims=True) > 0).astype("float64")


@pytest.fixture
def make_model():
    def make(optimizer="sgd"):
        keras.utils.set_random_seed(5)
        model = keras.Sequential(
            [keras.layers.Dense(4, activation="tanh", input_shape=(6,)), keras.layers.Dense(1, activation="sigmoid")]
        )
        model.compile(optimizer, "binary_crossentropy", metrics=["accuracy"])
        return model

    return make
