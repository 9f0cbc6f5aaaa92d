"""Trainings of ranks of which one dies at any one message, whoever got that message all the same."""

import numpy as np
import pytest

import distnet as keras
from distnet import distribution
from distnet.distribution import DataParallel
from distnet.errors import LostRanksError
from mortal_ranks import Death, on_mortal_ranks

SIZE = 3


class Halving(keras.callbacks.Callback):
    """Halves the learning rate after some batches, and shifts a weight, which all ranks must follow."""

    def on_train_batch_end(self, batch, logs=None):
        if batch == 1:
            self.model.optimizer.learning_rate = self.model.optimizer.learning_rate * 0.5
            bias = self.model.layers[-1].bias
            bias.assign(np.array(bias) + 0.01)


def train(data="arrays"):
    """What a training ends with."""
    keras.config.set_floatx("float64")
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(24, 4)), rng.normal(size=(24, 1))
    model = keras.Sequential(
        [
            keras.layers.Input((4,)),
            keras.layers.Dense(5, activation="tanh", kernel_initializer=keras.initializers.GlorotUniform(seed=1)),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.3, seed=2),
            keras.layers.Dense(1, kernel_initializer=keras.initializers.GlorotUniform(seed=3)),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), "mse", metrics=["mae"])
    named = {"epochs": 2, "verbose": 0, "callbacks": [Halving(), keras.callbacks.ReduceLROnPlateau("loss", patience=0)]}
    if data == "arrays":
        history = model.fit(x, y, batch_size=6, validation_split=0.25, **named)
    else:
        batches = ((x[i % 4 * 6 :][:6], y[i % 4 * 6 :][:6]) for i in range(8))
        history = model.fit(batches, steps_per_epoch=4, **named)
    slots = [model.optimizer.slots[name] for name in sorted(model.optimizer.slots)]
    return [*model.get_weights(), *slots, np.array([model.optimizer.learning_rate])], history.history


@pytest.fixture(autouse=True)
def _elastic(monkeypatch):
    floatx = keras.config.floatx()
    monkeypatch.setattr(distribution, "_present", [DataParallel(elastic=True)])
    yield
    keras.config.set_floatx(floatx)


@pytest.mark.slow
def test_a_death_at_a_message_changes_no_result(monkeypatch):
    (expected, history), *others = on_mortal_ranks(1, (), lambda ranks: train(), monkeypatch)[0]
    returned, messages = on_mortal_ranks(SIZE, (), lambda ranks: train(), monkeypatch)
    is_started = False
    rng = np.random.default_rng()
    for message in range(int(rng.integers(2)), messages[0], 2):
        victim = int(rng.integers(SIZE))
        left = [rank for rank in range(SIZE) if rank != victim]
        views = [None, (), tuple(left[:1]), tuple(left[1:]), tuple(left)]
        view = views[int(rng.integers(len(views)))]
        death = Death(victim, message, view)
        returned, _ = on_mortal_ranks(SIZE, [death], lambda ranks: train(), monkeypatch)
        survived = [each for rank, each in enumerate(returned) if rank != victim]
        if all(isinstance(each, LostRanksError) for each in survived):
            assert not is_started, f"{death}: {survived}"
            continue
        is_started = True
        for each in survived:
            assert not isinstance(each, BaseException), f"{death}: {each!r}"
            for ours, theirs in zip(each[0], expected, strict=True):
                np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12, err_msg=str(death))
            for key, values in history.items():
                np.testing.assert_allclose(each[1][key], values, rtol=0, atol=1e-12, err_msg=f"{death}: {key}")
    assert is_started
