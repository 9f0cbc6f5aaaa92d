"""``RematScope`` and ``remat``: scripts that use them train to the same numbers."""

import numpy as np
import pytest

import distnet as keras
from distnet.errors import ArgumentError

X = np.random.default_rng(0).normal(size=(6, 3))


class Twice(keras.layers.Layer):
    """Calls a function of its own twice, which it may hand to ``remat``."""

    def __init__(self, is_remat):
        super().__init__()
        self.function = keras.remat(self.step) if is_remat else self.step

    def build(self, input_shape):
        self.scale = self.add_weight(shape=(input_shape[-1],), initializer="ones")

    def step(self, x):
        return x + keras.ops.tanh(x * self.scale)

    def call(self, x):
        return self.function(self.function(x))


def losses(is_remat):
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((3,)), Twice(is_remat), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model.fit(X, X[:, :1], epochs=2, verbose=0).history["loss"]


def test_a_function_that_is_to_be_computed_again_gives_the_same_numbers():
    with pytest.warns(UserWarning, match="remat has no effect: .* as much memory as without it"):
        again = losses(is_remat=True)
    assert again == losses(is_remat=False)


def test_a_scope_changes_nothing_and_says_so():
    with pytest.warns(UserWarning, match="RematScope has no effect"), keras.RematScope(mode="full"):
        within = losses(is_remat=False)
    assert within == losses(is_remat=False)
    with keras.RematScope(mode=None):
        pass


def test_other_modes_and_what_is_no_function_are_refused():
    with pytest.raises(ArgumentError, match="mode: expected one of"):
        keras.RematScope(mode="some")
    with pytest.raises(ArgumentError, match="expected a function"):
        keras.remat(3)
