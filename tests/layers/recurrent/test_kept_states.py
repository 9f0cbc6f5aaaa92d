"""Recurrent layers with ``stateful=True`` go on where the last batch ended, on any number of ranks."""

from pathlib import Path

import numpy as np
import pytest

import distnet as keras
from distnet import layers
from distnet.errors import ShapeError

PROGRAM = Path(__file__).parent / "programs" / "stateful.py"
X = np.random.default_rng(2).normal(size=(4, 6, 3))


def one_after_the_other(layer, x, times=2):
    return [layer(part) for part in np.split(x, times, axis=1)]


@pytest.mark.parametrize(
    ("cls", "options", "x"),
    [
        (layers.LSTM, {"units": 2}, X),
        (layers.GRU, {"units": 2, "return_sequences": True}, X),
        (layers.SimpleRNN, {"units": 3}, X),
        (layers.ConvLSTM1D, {"filters": 2, "kernel_size": 2}, np.stack([X, -X], axis=3)),
        (layers.ConvLSTM1D, {"filters": 2, "kernel_size": 1, "data_format": "channels_first"}, np.stack([X, -X], 2)),
    ],
)
def test_two_halves_give_what_the_whole_gives(cls, options, x):
    whole, halves = cls(**options, dtype="float64"), cls(**options, dtype="float64", stateful=True)
    expected = whole(x)
    halves(x)
    halves.set_weights(whole.get_weights())
    halves.reset_state()
    outputs = one_after_the_other(halves, x)
    is_of_steps = options.get("return_sequences")
    np.testing.assert_array_equal(np.concatenate(outputs, axis=1) if is_of_steps else outputs[-1], expected)


def test_states_can_be_set_and_are_no_weights():
    layer = layers.LSTM(2, stateful=True, return_state=True, dtype="float64")
    _, *last = layer(X)
    np.testing.assert_array_equal([state.value for state in layer.states], last)
    assert len(layer.weights) == 3
    again = layer(X)
    layer.reset_states([np.asarray(state) for state in last])
    np.testing.assert_array_equal(layer(X), again)
    given = layer(X, initial_state=last)
    np.testing.assert_array_equal(given, again)


def test_both_ways_keep_states():
    layer = layers.Bidirectional(layers.GRU(2, stateful=True, dtype="float64"), dtype="float64")
    first = layer(X)
    assert np.abs(layer(X) - first).max() > 1e-3


def test_a_model_resets_all_its_states():
    model = keras.Sequential([keras.Input(batch_shape=(4, 3, 3)), layers.LSTM(2, stateful=True), layers.Dense(1)])
    inner = keras.Sequential([keras.Input(batch_shape=(4, 3, 3)), model])
    first = inner.predict(X[:, :3], batch_size=4, verbose=0)
    assert np.abs(inner.predict(X[:, :3], batch_size=4, verbose=0) - first).max() > 1e-3
    inner.reset_states()
    np.testing.assert_array_equal(inner.predict(X[:, :3], batch_size=4, verbose=0), first)


def test_the_size_of_batches_must_be_known_and_kept():
    with pytest.raises(ShapeError, match=r"lstm.*: stateful=True: expected batches of a known size. .*batch_shape"):
        keras.Sequential([keras.Input((3, 2)), layers.LSTM(2, stateful=True)])
    layer = layers.GRU(2, stateful=True, name="cell")
    layer(X)
    with pytest.raises(ShapeError, match="cell: stateful=True: was built for batches of 4 rows, received one of 3."):
        layer(X[:3])


def test_a_stateful_model_is_read_back_with_its_size_of_batches(tmp_path):
    model = keras.Sequential([keras.Input(batch_shape=(4, 3, 3)), layers.LSTM(2, stateful=True)])
    for name in ("model.h5", "model.keras"):
        model.save(tmp_path / name)
        loaded = keras.models.load_model(tmp_path / name)
        assert (loaded.layers[0].stateful, loaded.input_shape) == (True, (4, 3, 3))
        assert [state.shape for state in loaded.layers[0].states] == [(4, 2), (4, 2)]


@pytest.mark.slow
def test_three_ranks_keep_the_states_of_one(ranks, tmp_path):
    results = []
    for n in (1, 3):
        ranks(n).run(PROGRAM, tmp_path / f"{n}.npz").succeeded()
        with np.load(tmp_path / f"{n}.npz") as arrays:
            results.append(dict(arrays))
    assert list(results[0]) == list(results[1])
    for key, value in results[0].items():
        np.testing.assert_allclose(results[1][key], value, rtol=1e-10, atol=1e-10, err_msg=key)
