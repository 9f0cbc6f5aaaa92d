"""Calls of layers that Keras takes: masks that broadcast, other ranks, shapes one by one."""

import numpy as np
import pytest

from distnet import constraints, layers, regularizers
from distnet.errors import ArgumentError, ShapeError
from distnet.layers import LayerNormalization, MultiHeadAttention, Softmax

X = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")


@pytest.mark.parametrize("shape", [(3, 4), (4,), (2, 1, 4), (2, 3, 1), (1, 3, 4), (2, 3, 4), (1,), ()])
def test_a_mask_broadcasts_against_the_input(shape):
    mask = np.random.default_rng(1).random(shape) > 0.4
    whole = np.broadcast_to(mask, X.shape)
    weights = np.where(whole, np.exp(X), 0)
    # Where nothing counts Keras gives 0.
    expected = weights / np.maximum(weights.sum(axis=-1, keepdims=True), 1e-30)
    np.testing.assert_allclose(Softmax()(X, mask), expected, rtol=1e-5)
    np.testing.assert_allclose(Softmax()(X, mask=mask.astype("int32")), expected, rtol=1e-5)


def test_a_mask_that_does_not_broadcast_is_refused():
    with pytest.raises(ShapeError, match=r"a mask that broadcasts against the input \(2, 3, 4\)"):
        Softmax()(X, np.ones((2, 3), bool))


def test_layer_normalization_takes_inputs_of_another_rank():
    layer = LayerNormalization()
    whole = layer(X)
    np.testing.assert_allclose(layer(X[:, 0]), whole[:, 0], rtol=1e-5, atol=1e-6)
    with pytest.raises(ShapeError, match="cannot take"):
        layer(X[:, :, :3])
    with pytest.raises(ShapeError, match="axis"):
        LayerNormalization(axis=2)(X[:, 0])


def test_attention_gives_its_shape_for_shapes_one_by_one():
    layer = MultiHeadAttention(2, 3)
    assert layer.compute_output_shape((2, 5, 4), (2, 6, 3)) == (2, 5, 4)
    assert layer.compute_output_shape((2, 5, 4), (2, 6, 3), (2, 6, 3)) == (2, 5, 4)
    assert layer.compute_output_shape([(2, 5, 4), (2, 6, 3), (2, 6, 3)]) == (2, 5, 4)
    wide = MultiHeadAttention(2, 3, output_shape=(7,))
    assert wide.compute_output_shape(query_shape=(2, 5, 4), value_shape=(2, 6, 3)) == (2, 5, 7)


def test_arguments_that_every_layer_has_come_where_keras_has_them():
    penalty, limit = regularizers.L2(0.1), constraints.MaxNorm(1.0)
    dense = layers.Dense(2, None, True, "zeros", "zeros", None, None, penalty, limit)
    assert (dense.activity_regularizer, dense.kernel_constraint, dense.bias_constraint) == (penalty, limit, None)
    assert layers.InputLayer((3,), None, "float64").dtype == "float64"
    with pytest.raises(TypeError, match="activity_regularizer twice, by position and by name"):
        layers.Dense(2, None, True, "zeros", "zeros", None, None, penalty, activity_regularizer=penalty)
    with pytest.raises(ArgumentError, match="expected shape or batch_shape, received both"):
        layers.InputLayer((3,), batch_shape=(2, 3))
