"""Layers and models called on arrays: random numbers of their own, Keras's default modes, results with masks."""

from __future__ import annotations

import numpy as np
import pytest

import distnet as keras
from distnet import layers, random

IMAGES = np.random.default_rng(0).uniform(0, 255, (6, 8, 8, 3)).astype("float32")

AUGMENTING = [
    layers.RandomFlip(),
    layers.RandomContrast(0.5),
    layers.RandomBrightness(0.5),
    layers.RandomRotation(0.3),
    layers.RandomZoom(0.3),
    layers.RandomTranslation(0.3, 0.3),
    layers.RandomCrop(4, 4),
]
NOISY = [
    layers.Dropout(0.5),
    layers.SpatialDropout2D(0.5),
    layers.GaussianNoise(0.5),
    layers.GaussianDropout(0.5),
    layers.AlphaDropout(0.5),
    layers.Dropout(0.5, seed=3),
]


def name_of(layer):
    return type(layer).__name__


def in_models(layer):
    inputs = layers.Input((8, 8, 3))
    return [keras.Sequential([layers.Input((8, 8, 3)), layer]), keras.Model(inputs, layer(inputs))]


def differ(a, b):
    return not np.array_equal(np.asarray(a), np.asarray(b))


@pytest.fixture(autouse=True)
def seeded():
    random.set_job_seed(1)


@pytest.mark.parametrize("layer", AUGMENTING, ids=name_of)
def test_layers_of_images_augment_unless_told_otherwise(layer):
    """As in Keras, whose layers of images have ``training=True`` by default; a model hands that down."""
    for called in [layer, *in_models(layer)]:
        still = called(IMAGES, training=False)
        assert differ(called(IMAGES), still)
        assert not differ(called(IMAGES, training=0), still)
        assert differ(called(IMAGES, training=True), still)
    assert not differ(in_models(layer)[0].predict(IMAGES, verbose=0), layer(IMAGES, training=False))


@pytest.mark.parametrize("layer", NOISY, ids=name_of)
def test_other_random_layers_do_nothing_unless_told_to(layer):
    for called in [layer, *in_models(layer)]:
        np.testing.assert_array_equal(called(IMAGES), IMAGES)
        assert differ(called(IMAGES, training=True), IMAGES)


def test_time_distributed_layers_of_images_wait_to_be_told():
    layer = layers.TimeDistributed(layers.RandomBrightness(0.5))
    np.testing.assert_array_equal(layer(IMAGES[None]), IMAGES[None])
    assert differ(layer(IMAGES[None], training=True), IMAGES[None])


@pytest.mark.parametrize("layer", [*AUGMENTING, *NOISY, layers.LSTM(8, dropout=0.5)], ids=name_of)
def test_each_call_draws_other_numbers(layer):
    x = IMAGES[:, 0] if isinstance(layer, layers.LSTM) else IMAGES
    assert differ(layer(x, training=True), layer(x, training=True))


def test_monte_carlo_dropout_has_a_spread():
    model = keras.Sequential([layers.Dense(50, input_shape=(4,)), layers.Dropout(0.5), layers.Dense(1)])
    x = np.ones((3, 4), "float32")
    drawn = np.stack([model(x, training=True) for _ in range(40)])
    assert (drawn.std(axis=0) > 0.01).all()
    assert len(np.unique(drawn[:, 0])) == 40


def test_calls_by_hand_draw_what_the_seed_says():
    layer, model = layers.Dropout(0.5), in_models(layers.Dropout(0.3))[0]

    def draw():
        random.set_job_seed(5)
        return [np.asarray(called(IMAGES, training=True)) for called in (layer, model, layer)]

    for first, second in zip(draw(), draw(), strict=True):
        np.testing.assert_array_equal(first, second)


def test_calls_that_draw_nothing_do_not_count():
    layer = layers.Dropout(0.5)
    first = layer(IMAGES, training=True)
    random.set_job_seed(1)
    layer(IMAGES)
    np.testing.assert_array_equal(layer(IMAGES, training=True), first)


def test_what_is_trained_with_does_not_depend_on_calls_by_hand():
    def weights(calls):
        random.set_job_seed(1)
        model = keras.Sequential([layers.Dense(5, input_shape=(4,)), layers.Dropout(0.5), layers.Dense(1)])
        model.compile("sgd", "mse")
        for _ in range(calls):
            model(np.ones((2, 4)), training=True)
        model.fit(np.ones((8, 4)), np.ones((8, 1)), verbose=0)
        return model.get_weights()

    for a, b in zip(weights(0), weights(3), strict=True):
        np.testing.assert_array_equal(a, b)


def test_results_have_numpy_and_masks_go_from_call_to_call():
    tokens = np.array([[1, 2, 0], [3, 0, 0]])
    embedded = layers.Embedding(5, 4, mask_zero=True)(tokens)
    np.testing.assert_array_equal(embedded._keras_mask, tokens > 0)
    assert type(embedded.numpy()) is np.ndarray
    sequence = layers.LSTM(3, return_sequences=True)
    masked = sequence(embedded)
    np.testing.assert_array_equal(masked._keras_mask, tokens > 0)
    np.testing.assert_array_equal(masked, sequence(embedded.numpy(), mask=tokens > 0))
    assert differ(masked, sequence(embedded.numpy()))
    assert (embedded * 2)._keras_mask is None
    assert layers.Dense(2)(np.ones((2, 3)))._keras_mask is None


def test_models_hand_masks_on_like_layers():
    tokens = np.array([[1, 2, 0], [3, 0, 0]])
    model = keras.Sequential([layers.Input((3,)), layers.Embedding(5, 4, mask_zero=True)])
    embedded = model(tokens)
    np.testing.assert_array_equal(embedded._keras_mask, tokens > 0)
    last = keras.Sequential([layers.Input((3, 4)), layers.LSTM(3)])
    np.testing.assert_array_equal(last(embedded), last(embedded.numpy(), mask=tokens > 0))
    assert differ(last(embedded), last(embedded.numpy()))
