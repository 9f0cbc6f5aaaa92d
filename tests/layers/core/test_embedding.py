"""Embedding: indices out of range, weights to start from, Keras 2's ways."""

import numpy as np
import pytest

from distnet import layers
from distnet.errors import ArgumentError, DataError, ShapeError
from distnet.models import Sequential


@pytest.mark.parametrize("wrong", [5, -1, 2**40])
def test_an_index_out_of_range_is_named_with_its_place_and_the_vocabulary(wrong):
    indices = np.array([[0, 4], [1, wrong]])
    with pytest.raises(DataError, match=rf"words: .* a vocabulary of 5, received {wrong} at \[1, 1\]"):
        layers.Embedding(5, 2, name="words")(indices)


@pytest.mark.parametrize("dtype", ["int8", "uint16", "int64", "float32"])
def test_indices_of_any_dtype_are_taken(dtype):
    weights = np.arange(10.0).reshape(5, 2)
    y = layers.Embedding(5, 2, weights=[weights])(np.array([[4, 0, 4]], dtype))
    np.testing.assert_array_equal(y, weights[[[4, 0, 4]]])
    assert y.dtype == np.float32


def test_weights_are_read_as_on_every_layer_and_stay_out_of_the_configuration():
    layer = layers.Embedding(5, 2, weights=np.ones((5, 2)))
    assert layer.weights == []
    layer.build_once((None, 3))
    assert layer.weights == [layer.embeddings]
    assert "weights" not in layer.get_config()
    with pytest.raises(ShapeError, match="embeddings"):
        layers.Embedding(5, 2, weights=np.ones((4, 2)))(np.zeros((1, 1), int))


def test_keras_2_says_the_length_of_a_row():
    model = Sequential([layers.Embedding(5, 2, input_length=3), layers.Flatten(), layers.Dense(1)])
    assert model.output_shape == (None, 1)
    assert model.input_shape == (None, 3)


def test_sequences_of_any_length_fit():
    layer = layers.Embedding(5, 2)
    assert layer(np.zeros((1, 3), int)).shape == (1, 3, 2)
    assert layer(np.zeros((1, 4, 2), int)).shape == (1, 4, 2, 2)


def test_a_large_vocabulary_is_trained_only_where_words_occur():
    model = Sequential([layers.Embedding(1000, 4, input_length=2), layers.Flatten(), layers.Dense(1)])
    model.compile("sgd", "mse")
    before = model.get_weights()[0]
    model.fit(np.array([[3, 7], [7, 7]]), np.ones(2), epochs=1, verbose=0)
    changed = np.flatnonzero(np.any(model.get_weights()[0] != before, axis=1))
    assert changed.tolist() == [3, 7]


@pytest.mark.parametrize("options", [(0, 2), (5, -1), (2.5, 2), (True, 2)])
def test_sizes_are_positive_integers(options):
    with pytest.raises(ArgumentError, match="positive integer"):
        layers.Embedding(*options)
