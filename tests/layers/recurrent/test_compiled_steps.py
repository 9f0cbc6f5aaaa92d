"""All time steps in one compiled call, against the same steps one by one."""

import numpy as np
import pytest

import distnet
from distnet import layers
from kernel_sets import NEEDS_NUMBA

pytestmark = pytest.mark.slow

WIDTHS = (1, 3, 8, 17, 33)
TOLERANCES = {"float32": 1e-5, "float64": 1e-12}


def choices(rng):
    """A drawn layer's options, besides its units."""
    flags = ("return_sequences", "return_state", "go_backwards", "zero_output_for_mask", "use_bias")
    drawn = {name: bool(rng.integers(2)) for name in flags}
    return drawn | {"dropout": 0.25, "recurrent_dropout": float(rng.choice([0, 0.5]))}


def trained(cls, seed, monkeypatch, kernels):
    """The weights after two steps, and predictions, of a drawn model in the kernels named."""
    monkeypatch.setenv("DISTNET_KERNELS", kernels)
    rng = np.random.default_rng(seed)
    rows, steps, features, units = int(rng.integers(1, 21)), int(rng.integers(4, 8)), 3, int(rng.choice(WIDTHS))
    dtype = "float64" if seed % 2 else "float32"
    monkeypatch.setattr(distnet.config, "floatx", lambda: dtype)
    distnet.utils.set_random_seed(seed)
    inputs = layers.Input((steps, features))
    hidden = layers.Masking()(inputs) if rng.integers(2) else inputs
    given = [layers.Dense(units)(inputs[:, 0]) for _ in range(2 if cls is layers.LSTM else 1)]
    outputs = cls(units, **choices(rng))(hidden, initial_state=given if rng.integers(2) else None)
    flat = [layers.Flatten()(y) for y in (outputs if isinstance(outputs, list) else [outputs])]
    model = distnet.Model(inputs, layers.Dense(2)(flat[0] if len(flat) == 1 else layers.Concatenate()(flat)))
    model.compile(distnet.optimizers.SGD(0.1), "mse")
    x = rng.normal(size=(rows, steps, features)).astype(dtype) * 2
    x[rng.random((rows, steps)) < 0.3] = 0
    y = rng.normal(size=(rows, 2)).astype(dtype)
    for _ in range(2):
        model.train_on_batch(x, y)
    return dtype, [*model.get_weights(), model.predict(x, verbose=0)]


@NEEDS_NUMBA
@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("cls", [layers.LSTM, layers.GRU, layers.SimpleRNN])
def test_compiled_steps_train_as_steps_one_by_one(cls, seed, monkeypatch):
    dtype, compiled = trained(cls, seed, monkeypatch, "numba")
    for actual, expected in zip(compiled, trained(cls, seed, monkeypatch, "numpy")[1], strict=True):
        assert actual.dtype == dtype
        np.testing.assert_allclose(actual, expected, rtol=TOLERANCES[dtype], atol=TOLERANCES[dtype])


def test_other_activations_and_no_rows_are_left_to_steps_one_by_one():
    for layer in (layers.LSTM(2, activation="relu"), layers.GRU(2, reset_after=False), layers.SimpleRNN(2, "relu")):
        assert layer(np.ones((9, 5, 3), "float32")).shape == (9, 2)
    assert layers.LSTM(2)(np.ones((0, 5, 3), "float32")).shape == (0, 2)
