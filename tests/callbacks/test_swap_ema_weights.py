"""Evaluations see the averaged weights, training its own."""

from __future__ import annotations

import json

import numpy as np
import pytest

import distnet as keras
from distnet.callbacks import Callback, SwapEMAWeights
from distnet.errors import ArgumentError

PROGRAM = """
import json, numpy as np, distnet as keras
from distnet.comm import world
keras.utils.set_random_seed(1)
rng = np.random.default_rng(0)
x, y = rng.normal(size=(21, 3)), rng.normal(size=(21, 1))
model = keras.Sequential([keras.layers.Dense(1, input_shape=(3,))])
model.compile(keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.9), "mse")
swap = keras.callbacks.SwapEMAWeights(swap_on_epoch=True)
history = model.fit(x, y, batch_size=4, epochs=3, verbose=0, validation_split=0.3, callbacks=[swap])
weights = world().allgather_object(np.concatenate([w.ravel() for w in model.get_weights()]).tolist())
if world().rank == 0:
    print(json.dumps([*history.history["loss"], *history.history["val_loss"], *weights[0], *weights[-1]]))
"""


def averaging():
    return keras.optimizers.SGD(0.5, use_ema=True, ema_momentum=0.9)


@pytest.mark.parametrize("swap_on_epoch", [False, True])
def test_training_is_the_same_and_validation_is_the_averages(make_model, data, swap_on_epoch):
    x, y = data
    seen = []

    class Look(Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append(self.model.get_weights())

    plain, swapped = make_model(averaging()), make_model(averaging())
    options = {"epochs": 3, "batch_size": 8, "verbose": 0, "validation_data": (x, y)}
    expected = plain.fit(x, y, **options).history
    found = swapped.fit(x, y, **options, callbacks=[SwapEMAWeights(swap_on_epoch), Look()]).history
    assert found["loss"] == expected["loss"]
    assert found["val_loss"] != expected["val_loss"]
    for a, b in zip(swapped.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert found["val_loss"][-1] == pytest.approx(swapped.evaluate(x, y, verbose=0)[0], rel=1e-6)
    assert np.array_equal(seen[-1][0], swapped.get_weights()[0]) == swap_on_epoch


def test_an_optimizer_that_does_not_average_is_refused(make_model, data):
    with pytest.raises(ArgumentError, match="use_ema=True"):
        make_model().fit(*data, verbose=0, validation_split=0.2, callbacks=[SwapEMAWeights()])


def test_all_ranks_see_the_averages(ranks):
    alone, together = (json.loads(ranks(n).run(PROGRAM).succeeded().stdout) for n in (1, 2))
    assert together == pytest.approx(alone, rel=1e-5)
