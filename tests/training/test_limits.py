"""How many rows a batch has and how many batches are taken, where steps are given or limited. The numbers are Keras
3.15's (JAX)."""

from __future__ import annotations

import numpy as np
import pytest

import distnet as keras
from distnet import config

X = np.arange(100.0).reshape(100, 1)
Y = 2 * X
WITHOUT_LIMITS = config._Settings


def model_of_keras():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="ones")])
    model.compile(keras.optimizers.SGD(0.0), "mse", metrics=["mae"])
    return model


def batches_without_end():
    while True:
        yield X[:5], Y[:5]


@pytest.fixture
def limited(monkeypatch):
    monkeypatch.setattr(config, "_settings", WITHOUT_LIMITS())
    config.set_max_epochs(2)
    config.set_max_steps_per_epoch(3)


def test_steps_without_a_batch_size_see_all_rows():
    model = model_of_keras()
    assert model.evaluate(X, Y, steps=2, verbose=0) == pytest.approx([3283.5, 49.5])
    assert model.evaluate(X, Y, steps=2, batch_size=10, verbose=0) == pytest.approx([123.5, 9.5])
    assert model.predict(X, steps=2, verbose=0).shape == (100, 1)
    assert model.predict(X, steps=2, batch_size=10, verbose=0).shape == (20, 1)


def test_validation_steps_without_a_batch_size_see_all_rows():
    options = {"shuffle": False, "verbose": 0, "validation_steps": 2}
    record = model_of_keras().fit(X, Y, validation_data=(X, Y), **options).history
    assert record["val_loss"] == pytest.approx([3283.5])
    record = model_of_keras().fit(X, Y, validation_data=(X, Y), batch_size=10, **options).history
    assert record["val_loss"] == pytest.approx([123.5])


@pytest.mark.filterwarnings("ignore:Limiting")
@pytest.mark.parametrize(
    ("options", "losses", "val_losses"),
    [
        ({"validation_data": (X, Y)}, [3283.5, 3283.5], [3283.5, 3283.5]),
        ({"validation_data": (X, Y), "batch_size": 8}, [180.16667, 1308.1667], [180.16667, 180.16667]),
        ({"validation_split": 0.4, "batch_size": 8}, [180.16667, 1308.1667], [5160.1667, 5160.1667]),
        ({"steps_per_epoch": 2, "batch_size": 8}, [77.5, 573.5], None),
    ],
)
def test_fit_obeys_the_limits(limited, options, losses, val_losses):
    history = model_of_keras().fit(X, Y, epochs=5, shuffle=False, verbose=0, **options)
    assert history.history["loss"] == pytest.approx(losses)
    assert history.history.get("val_loss") == (val_losses and pytest.approx(val_losses))
    assert history.params["epochs"] == 2


@pytest.mark.filterwarnings("ignore:Limiting")
def test_fit_that_begins_behind_the_limit_trains_nothing(limited):
    history = model_of_keras().fit(X, Y, epochs=7, initial_epoch=3, batch_size=8, verbose=0)
    assert (history.history, history.epoch) == ({}, [])


@pytest.mark.filterwarnings("ignore:Limiting")
def test_evaluate_and_predict_obey_the_limit(limited):
    model = model_of_keras()
    assert model.evaluate(X, Y, verbose=0) == pytest.approx([3283.5, 49.5])
    assert model.evaluate(X, Y, batch_size=8, verbose=0) == pytest.approx([180.16667, 11.5])
    assert model.predict(X, batch_size=8, verbose=0).shape == (24, 1)


@pytest.mark.filterwarnings("ignore:Limiting")
def test_generators_without_end_end_at_the_limit(limited):
    model = model_of_keras()
    assert model.predict(batches_without_end(), verbose=0).shape == (15, 1)
    assert model.evaluate(batches_without_end(), verbose=0) == pytest.approx([6.0, 2.0])
    record = model.fit(batches_without_end(), epochs=9, validation_data=batches_without_end(), verbose=0).history
    assert record["loss"] == record["val_loss"] == pytest.approx([6.0, 6.0])


def test_a_limit_that_is_reached_is_told(limited):
    with pytest.warns(UserWarning, match="Limiting steps to 3"):
        model_of_keras().evaluate(X, Y, batch_size=8, verbose=0)
    config.set_max_steps_per_epoch(None)
    with pytest.warns(UserWarning, match="Limiting epochs to 2"):
        model_of_keras().fit(X, Y, epochs=3, verbose=0)


@pytest.mark.slow
def test_the_environment_sets_the_limits(alone):
    program = """
import warnings
import numpy as np
import distnet as keras
warnings.simplefilter("ignore")
model = keras.Sequential([keras.layers.Dense(1)])
model.compile("sgd", "mse")
history = model.fit(np.ones((90, 1)), np.ones((90, 1)), batch_size=8, epochs=5, verbose=0)
assert (history.params["epochs"], history.params["steps"]) == (1, 4), history.params
"""
    alone.run(program, env={"KERAS_MAX_EPOCHS": "1", "KERAS_MAX_STEPS_PER_EPOCH": "4"}).succeeded()
