"""A loss that is no number ends training."""

from __future__ import annotations

import numpy as np
import pytest

import distnet as keras
from distnet.callbacks import TerminateOnNaN
from distnet.errors import DivergenceError


@pytest.fixture
def diverging():
    model = keras.Sequential([keras.layers.Dense(1, input_shape=(2,))])
    model.compile(keras.optimizers.SGD(1e30), "mse")
    return model, np.ones((12, 2)), np.ones((12, 1))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_it_stops_after_the_batch(diverging, capsys):
    model, x, y = diverging
    history = model.fit(x, y, batch_size=2, epochs=5, verbose=0, callbacks=[TerminateOnNaN()])
    assert capsys.readouterr().out == "Batch 1: Invalid loss, terminating training\n"
    assert history.epoch == [0]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_it_fails_where_that_is_wanted(diverging):
    model, x, y = diverging
    with pytest.raises(DivergenceError, match="the loss became inf at batch 1"):
        model.fit(x, y, batch_size=2, verbose=0, callbacks=[TerminateOnNaN(raise_error=True)])
