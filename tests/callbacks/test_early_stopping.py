"""What EarlyStopping takes over from a file."""

import numpy as np
import pytest

import distnet as keras
from distnet.errors import CheckpointError


@pytest.fixture
def stopping():
    callback = keras.callbacks.EarlyStopping("loss", restore_best_weights=True)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 2)), np.ones((4, 1)), epochs=1, verbose=0, callbacks=[callback])
    return callback


def test_its_own_state_is_taken(stopping):
    state = stopping.get_state()
    stopping.forget()
    stopping.set_state(state)
    np.testing.assert_array_equal(stopping.best_weights[0], state["best_weights"][0])


@pytest.mark.parametrize(
    "best_weights",
    [[np.zeros((2, 3))], [np.zeros(())] * 4, ["relu"] * 4, [np.zeros((2, 3)), np.zeros(3), np.zeros((3, 1)), True]],
)
def test_weights_of_another_model_are_refused_before_training_goes_on(stopping, best_weights):
    with pytest.raises(CheckpointError, match="EarlyStopping"):
        stopping.set_state({**stopping.get_state(), "best_weights": best_weights})
