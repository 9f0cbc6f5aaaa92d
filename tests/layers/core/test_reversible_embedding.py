"""ReversibleEmbedding: scores of the indices, masks of the vectors alone, trained by both ways."""

import numpy as np
import pytest

from distnet import Input, Model, config, layers
from distnet.errors import ArgumentError
from distnet.optimizers import SGD
from distnet.utils.gradients import numerical_gradient

INDICES = np.random.default_rng(0).integers(0, 5, (6, 4)).astype("int32")


@pytest.fixture
def float64():
    config.set_floatx("float64")
    yield
    config.set_floatx("float32")


@pytest.mark.parametrize("is_tied", [True, False])
@pytest.mark.parametrize("cap", [None, 0.5])
def test_scores_are_products_with_each_vector(is_tied, cap):
    layer = layers.ReversibleEmbedding(5, 3, is_tied, logit_soft_cap=cap)
    vectors = layer(INDICES)
    matrix = layer.get_weights()[0].T if is_tied else layer.get_weights()[1]
    assert len(layer.weights) == 2 - is_tied
    scores = np.asarray(vectors) @ matrix
    wanted = scores if cap is None else cap * np.tanh(scores / cap)
    np.testing.assert_allclose(layer(vectors, reverse=True), wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("is_tied", [True, False])
def test_each_step_follows_the_gradient_of_both_ways(is_tied):
    indices = Input((4,), dtype="int32")
    layer = layers.ReversibleEmbedding(5, 3, is_tied)
    model = Model(indices, layer(layer(indices), reverse=True))
    model.compile(SGD(1.0), "mse")
    wanted = np.ones((6, 4, 5))
    for _ in range(3):
        weights = layer.weights
        slopes = [numerical_gradient(lambda: np.mean((model(INDICES) - wanted) ** 2), w.value) for w in weights]
        before = layer.get_weights()
        model.fit(INDICES, wanted, batch_size=6, epochs=1, verbose=0)
        for old, new, slope in zip(before, layer.get_weights(), slopes, strict=True):
            np.testing.assert_allclose(old - new, slope, atol=1e-8)


def test_vectors_have_the_mask_and_scores_have_none():
    layer = layers.ReversibleEmbedding(5, 3, mask_zero=True)
    vectors = layer(INDICES)
    np.testing.assert_array_equal(vectors._keras_mask, INDICES != 0)
    assert getattr(layer(vectors, reverse=True), "_keras_mask", None) is None


def test_half_precision_is_refused():
    with pytest.raises(ArgumentError, match="here: reverse_dtype: expected one of .*, received 'bfloat16'"):
        layers.ReversibleEmbedding(5, 3, reverse_dtype="bfloat16", name="here")
