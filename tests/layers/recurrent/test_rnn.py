"""``RNN`` over cells of distnet's and of one's own: what Keras computes, on any number of ranks."""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

import distnet as keras
from distnet import layers, ops
from distnet.errors import ArgumentError
from distnet.utils import check_gradients

PROGRAM = Path(__file__).parent / "programs" / "own_cells.py"
WITHOUT_XLA = Path(__file__).parents[2] / "tools" / "without_xla.py"
X = np.random.default_rng(2).normal(size=(4, 5, 3))


class Gated(layers.Layer):
    """Its states have unlike widths, and the output is neither."""

    state_size = (2, 3)
    output_size = 5

    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(input_shape[-1] + 2, 3), name="kernel")

    def call(self, inputs, states):
        narrow, wide = states
        wide = 0.5 * wide + ops.tanh(ops.matmul(ops.concatenate([inputs, narrow], axis=1), self.kernel))
        return ops.concatenate([narrow, wide], axis=1), [wide[:, 1:], wide]


def loaded(path):
    with np.load(path) as arrays:
        return dict(arrays)


@pytest.mark.slow
def test_cells_of_ones_own_learn_what_they_learn_in_keras(alone, keras_3, tmp_path):
    alone.run(PROGRAM, tmp_path / "a.npz", "float32").succeeded()
    in_keras = {**os.environ, "PACKAGE": "keras"}
    command = [keras_3, WITHOUT_XLA, PROGRAM, tmp_path / "b.npz", "float32"]
    subprocess.run(command, check=True, timeout=300, env=in_keras)
    own, expected = loaded(tmp_path / "a.npz"), loaded(tmp_path / "b.npz")
    assert list(own) == list(expected)
    for key, value in expected.items():
        np.testing.assert_allclose(own[key], value, rtol=1e-5, atol=1e-5, err_msg=key)


@pytest.mark.slow
def test_cells_of_ones_own_learn_the_same_on_three_ranks(ranks, tmp_path):
    for n in (1, 3):
        ranks(n).run(PROGRAM, tmp_path / f"{n}.npz", "float64").succeeded()
    one, three = loaded(tmp_path / "1.npz"), loaded(tmp_path / "3.npz")
    for key, value in one.items():
        np.testing.assert_allclose(three[key], value, rtol=1e-10, atol=1e-10, err_msg=key)


@pytest.mark.parametrize("options", [{}, {"return_sequences": True, "go_backwards": True}, {"return_state": True}])
def test_the_gradients_of_a_cell_of_ones_own_equal_central_differences(options):
    check_gradients(layers.RNN(Gated(dtype="float64"), dtype="float64", **options), X)
    stack = layers.RNN([layers.GRUCell(3, dtype="float64"), Gated(dtype="float64")], dtype="float64", **options)
    check_gradients(stack, X)


def test_states_have_the_form_of_the_cells():
    layer = layers.RNN([layers.LSTMCell(2), layers.GRUCell(3)], return_state=True)
    y, (h, c), g = layer(X)
    assert [y.shape, h.shape, c.shape, g.shape] == [(4, 3), (4, 2), (4, 2), (4, 3)]
    again = layer(X, initial_state=[[h, c], g])
    np.testing.assert_array_equal(layer(X, initial_state=[h, c, g])[0], again[0])
    zeros = layer.get_initial_state(4)
    np.testing.assert_array_equal(layer(X, initial_state=zeros)[0], y)
    inputs = keras.Input((5, 3))
    y, (h, c), g = layer(inputs)
    model = keras.Model(inputs, [y, h, c, g])
    np.testing.assert_allclose(model.predict(X, verbose=0)[1], layer(X)[1][0], rtol=1e-6)


def test_a_cell_is_a_layer_of_its_own():
    cell = layers.LSTMCell(2, dtype="float64")
    h, c = np.zeros((4, 2)), np.zeros((4, 2))
    outputs = []
    for t in range(5):
        y, (h, c) = cell(X[:, t], [h, c])
        outputs.append(y)
    layer = layers.RNN(cell, return_sequences=True, dtype="float64")
    np.testing.assert_allclose(layer(X), np.stack(outputs, axis=1), rtol=1e-14, atol=1e-15)
    with pytest.raises(ArgumentError, match=r"lstm_cell.*: expected \(inputs, states\) with 2 states, received 0."):
        cell(X[:, 0])


def test_cells_share_one_dropout_mask_among_the_steps_of_a_run():
    x = np.ones((30, 6, 40))
    cell = layers.SimpleRNNCell(
        1, "linear", kernel_initializer="ones", recurrent_initializer="zeros", dropout=0.5, dtype="float64"
    )
    for cells in (cell, [cell]):
        y = layers.RNN(cells, return_sequences=True, dtype="float64")(x, training=True)
        assert np.ptp(y, axis=1).max() == 0
        assert np.ptp(y, axis=0).max() > 0


def test_a_stateful_layer_over_a_cell_of_ones_own_goes_on():
    whole = layers.RNN([Gated(), layers.LSTMCell(2)])
    halves = layers.RNN(whole.cell, stateful=True)
    expected = whole(X)
    halves(X[:, :2])
    np.testing.assert_array_equal(halves(X[:, 2:]), expected)
    halves.reset_state()
    np.testing.assert_array_equal(halves(X), expected)


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (layers.Dense(2), r"expected a cell, such as LSTMCell\(8\), or a layer of your own with state_size"),
        ([], "cells: expected a list of cells"),
        ([layers.GRUCell(2), layers.Dense(2)], "expected a cell"),
    ],
)
def test_what_is_no_cell_is_refused(cell, message):
    with pytest.raises(ArgumentError, match=message):
        layers.RNN(cell)


def test_a_masked_step_cannot_output_a_state_of_another_width():
    mask = np.array([[True, True, False, True, True]] * 4)
    with pytest.raises(ArgumentError, match="a masked step outputs the first state.* Use zero_output_for_mask=True"):
        layers.RNN(Gated(), name="rnn")(X, mask=mask)
    y = layers.RNN(Gated(), zero_output_for_mask=True, return_sequences=True)(X, mask=mask)
    assert not y[:, 2].any()


class Centred(layers.Layer):
    """Couples the rows of a step, and adds a loss."""

    def build(self, input_shape):
        self.scale = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="scale")

    def call(self, inputs):
        y = self.scale * (inputs - ops.mean(inputs, axis=0, keepdims=True))
        self.add_loss(0.1 * ops.mean(ops.square(y)))
        return y


def test_a_layer_of_ones_own_is_applied_to_each_time_step():
    layer = layers.TimeDistributed(Centred(dtype="float64"), dtype="float64")
    expected = X - X.mean(axis=0, keepdims=True)
    np.testing.assert_allclose(layer(X), expected, rtol=1e-12, atol=1e-14)
    model = keras.Sequential([keras.Input((5, 3)), layers.TimeDistributed(Centred())])
    model.compile("sgd", "mse")
    expected_loss = np.square(expected).mean() + sum(0.1 * np.square(expected[:, t]).mean() for t in range(5))
    assert model.evaluate(X, np.zeros_like(X), verbose=0) == pytest.approx(expected_loss, rel=1e-5)
    check_gradients(layers.TimeDistributed(Gate(dtype="float64"), dtype="float64"), X)


class Gate(layers.Layer):
    """Two numbers between 0 and 1."""

    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(input_shape[-1], 2), name="kernel")

    def call(self, inputs):
        return ops.sigmoid(ops.matmul(inputs, self.kernel))


class Reader(keras.Model):
    """Runs a cell of one's own, and steps of a layer of one's own, within a model of one's own."""

    def __init__(self):
        super().__init__()
        self.recurrent = layers.RNN([Gated(), layers.GRUCell(2)], return_sequences=True)
        self.steps = layers.TimeDistributed(Gate())
        self.last = layers.LSTM(2, stateful=True)
        self.out = layers.Dense(1)

    def call(self, inputs):
        return self.out(self.last(self.steps(self.recurrent(inputs))))


def test_cells_and_steps_run_within_a_model_of_ones_own():
    model, y = Reader(), np.ones((4, 1))
    first = model(X)
    assert np.abs(model(X) - first).max() > 1e-6  # stateful
    model.reset_states()
    np.testing.assert_allclose(model(X), first, rtol=1e-6)
    model.compile(keras.optimizers.SGD(0.1), "mse")
    losses = model.fit(X, y, batch_size=4, epochs=4, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    with keras.GradientTape() as tape:
        loss = ops.mean(ops.square(model(X) - y))
    gradients = tape.gradient(loss, model.trainable_weights)
    assert all(np.abs(np.asarray(g)).max() > 0 for g in gradients)
