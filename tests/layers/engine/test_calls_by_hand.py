"""Layers and models called on arrays: random numbers of their own, Keras's default modes, results with masks."""

from __future__ import annotations

import numpy as np
import pytest

import distnet as keras
from distnet import Model, Sequential, layers, random

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


ROWS = np.sin(np.arange(24)).reshape(8, 3).astype("float32")


def with_sines(layer):
    """The layer or model with weights that are the same in Keras."""
    for i, variable in enumerate(layer.weights):
        variable.assign(np.sin(np.arange(variable.size) + i).reshape(variable.shape))
    return layer


def penalized():
    """A layer with a penalty of its activity and one of its kernel."""
    layer = layers.Dense(2, activity_regularizer="l2", kernel_regularizer="l1")
    layer.build((None, 3))
    return with_sines(layer)


def test_losses_hold_the_activity_s_penalty_of_the_last_call_by_hand_then_those_of_weights():
    layer = penalized()
    of_kernel = 0.01 * np.abs(layer.kernel.value).sum()
    assert [float(loss) for loss in layer.losses] == pytest.approx([of_kernel])
    for x in (ROWS, ROWS[:3]):
        of_activity = 0.01 * float(np.square(layer(x)).sum()) / len(x)
        assert [float(loss) for loss in layer.losses] == pytest.approx([of_activity, of_kernel])
    layer(layers.Input((3,)))
    assert len(layer.losses) == 1


def model_with_penalties():
    shared = layers.Dense(3, activity_regularizer="l2", name="shared")
    x = layers.Input((3,))
    inner = Model(x, shared(shared(x)))
    last = layers.Dense(1, activity_regularizer="l1", kernel_regularizer="l2")
    return with_sines(Sequential([layers.Input((3,)), inner, last, layers.ActivityRegularization(l1=0.1)])), inner


def test_losses_of_a_model_are_those_of_all_calls_within_it():
    model, inner = model_with_penalties()
    assert [len(model.losses), len(inner.losses)] == [1, 0]
    y = np.asarray(model(ROWS))
    shared, last = inner.layers[1], model.layers[1]
    middle = ROWS @ shared.kernel.value + shared.bias.value
    end = middle @ shared.kernel.value + shared.bias.value
    expected = [
        0.01 * np.square(middle).sum(),
        0.01 * np.square(end).sum(),
        0.01 * np.abs(y).sum(),
        0.1 * np.abs(y).sum(),
    ]
    expected = [*(value / 8 for value in expected), 0.01 * np.square(last.kernel.value).sum()]
    assert [float(loss) for loss in model.losses] == pytest.approx(expected, rel=1e-5)
    assert [float(loss) for loss in inner.losses] == pytest.approx(expected[:2], rel=1e-5)


@pytest.mark.parametrize("name", ["fit", "evaluate", "predict"])
def test_what_is_no_call_by_hand_leaves_no_activity_s_penalty(name):
    model, _ = model_with_penalties()
    model.compile("sgd", "mse")
    model(ROWS)
    getattr(model, name)(ROWS, *([] if name == "predict" else [ROWS[:, :1]]), verbose=0)
    assert len(model.losses) == 1


def test_losses_of_a_bidirectional_layer_are_those_of_both_directions():
    layer = layers.Bidirectional(layers.LSTM(2, activity_regularizer="l2"))
    layer.build((None, 4, 3))
    with_sines(layer)(np.ones((2, 4, 3), "float32"))
    assert [float(loss) for loss in layer.losses] == pytest.approx([0.00142, 0.0002], abs=5e-6)  # Keras 3.15


def test_output_shape_is_keras_2_s_where_it_is_one():
    shared, x = layers.Dense(2), layers.Input((5, 3))
    with pytest.raises(AttributeError, match="expected a call on a placeholder"):
        _ = shared.output_shape
    assert not hasattr(shared, "output_shape")
    shared(x)
    assert shared.output_shape == shared(x).shape == (None, 5, 2)
    shared(layers.Input((7, 3)))
    with pytest.raises(AttributeError, match=r"layer\(x\)\.shape"):
        _ = shared.output_shape
    states = layers.LSTM(4, return_state=True)
    states(x)
    assert states.output_shape == [(None, 4)] * 3
    model = Sequential([x, layers.Flatten(), layers.Dense(1)])
    assert [layer.output_shape for layer in model.layers] == [(None, 15), (None, 1)]
    assert [layer.input_shape for layer in model.layers] == [(None, 5, 3), (None, 15)]
