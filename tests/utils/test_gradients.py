"""The public check of gradients, as the author of a layer uses it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from distnet import layers, utils
from distnet.errors import ArgumentError, GradientError

X = np.random.default_rng(0).standard_normal((3, 4))


@dataclass(eq=False)
class Gate(layers.Layer):
    """``y = w a b`` of two inputs, where some entries are dropped; the factor is what backward is wrong by."""

    factor: float = 1.0

    def build(self, shape, ctx):
        self.w = ctx.variable("w", shape[0][1:], "random_normal", regularizer="l2")

    def compute_output_shape(self, shape: Any) -> Any:
        return shape[0]

    def forward(self, x, ctx):
        kept = ctx.row_bits("gate", len(x[0]), x[0].shape[1]).reshape(x[0].shape) % 2
        return self.w.value * x[0] * x[1] * kept, (*x, kept)

    def backward(self, dy, saved, ctx):
        a, b, kept = saved
        dy = dy * kept
        ctx.add_sum(self.w, self.factor * dy * a * b, axis=0)
        return [dy * self.w.value * b, dy * self.w.value * a]


def test_each_input_and_weight_is_told_with_its_error():
    errors = utils.check_gradients(Gate(dtype="float64"), X, 2 * X)
    assert errors.keys() == {"input 0", "input 1", "w"}
    assert max(errors.values()) < 1e-6


def test_a_wrong_gradient_is_named_with_both_values():
    with pytest.raises(
        GradientError, match=r"gate.*: backward's gradient of w differs .* 3.3e-01 .*Expected .*received"
    ):
        utils.check_gradients(Gate(1.5, dtype="float64"), X, 2 * X)


def test_a_layer_of_integers_has_no_gradient_of_its_input():
    errors = utils.check_gradients(layers.Embedding(5, 2, dtype="float64"), np.array([[1, 4], [0, 1]]))
    assert errors.keys() == {"embeddings"}


def test_a_frozen_layer_has_gradients_of_its_inputs_alone():
    assert utils.check_gradients(layers.Dense(2, dtype="float64", trainable=False), X).keys() == {"input 0"}


def test_single_precision_is_refused():
    with pytest.raises(ArgumentError, match="expected dtype='float64' to check gradients, received 'float32'"):
        utils.check_gradients(layers.Dense(2), X)


@pytest.mark.parametrize("layer", [layers.LSTM(2, dtype="float64"), layers.Softmax(dtype="float64")], ids=["LSTM", "-"])
def test_distnets_own_layers_pass(layer):
    x = np.random.default_rng(0).standard_normal((2, 3, 4))
    assert max(utils.check_gradients(layer, x).values()) < 1e-6


def test_an_activity_regularizer_is_part_of_what_is_differentiated():
    inner = layers.Dense(2, dtype="float64", activity_regularizer="l2")
    for layer, shape in ((inner, (3, 4)), (layers.TimeDistributed(inner, dtype="float64"), (3, 2, 4))):
        utils.check_gradients(layer, np.random.default_rng(0).normal(size=shape))
