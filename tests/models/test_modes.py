"""The mode that a layer's call names, ``layer(x, training=True)``, in models."""

import json

import numpy as np
import pytest

import distnet as keras
from distnet import layers

ONES = np.ones((4, 50), "float32")


def dropping(training):
    """A model whose dropout is called with this mode; it was measured in Keras 3.15.1 what such models do."""
    x = keras.Input((50,))
    return keras.Model(x, layers.Dropout(0.5)(x, training=training))


def drops(y):
    return bool((np.asarray(y) != 1).any())


def as_keras_2_wrote_it(model):
    """The model as read from the text of TensorFlow's Keras, whose calls keep their modes."""
    return keras.models.model_from_json(json.dumps({**json.loads(model.to_json()), "keras_version": "2.12.0"}))


@pytest.mark.parametrize("training", [True, False])
def test_the_models_own_mode_comes_before_a_calls(training):
    model = dropping(training)
    model.compile("sgd", "mse")
    assert not drops(model.predict(ONES, verbose=0))
    assert model.evaluate(ONES, ONES, verbose=0) == 0
    assert model.train_on_batch(ONES, ONES) > 0.5
    assert drops(model(ONES, training=True))
    assert not drops(model(ONES, training=False))


@keras.saving.register_keras_serializable()
class Halving(layers.Layer):
    """A layer of the user's that has a mode."""

    def call(self, inputs, training=None):
        return inputs * (0.5 if training else 1.0)


@pytest.mark.parametrize("training", [True, False])
def test_the_models_own_mode_comes_before_that_of_a_call_of_the_users_layer(training):
    x = keras.Input((50,))
    model = keras.Model(x, Halving()(x, training=training))
    model.compile("sgd", "mse")
    for _ in range(3):
        assert not drops(model.predict(ONES, verbose=0))
        assert model.evaluate(ONES, ONES, verbose=0) == 0
        assert model.train_on_batch(ONES, ONES) == 0.25
    assert drops(model(ONES)) is training
    kept = as_keras_2_wrote_it(model)
    assert drops(kept.predict(ONES, verbose=0)) is training


@pytest.mark.parametrize("training", [True, False])
def test_a_calls_mode_holds_where_the_model_is_called_without_one(training):
    assert drops(dropping(training)(ONES)) is training


@pytest.mark.parametrize("training", [True, False])
def test_a_model_of_keras_2_keeps_the_modes_of_its_calls_also_through_files(training, tmp_path):
    model = as_keras_2_wrote_it(dropping(training))
    model.compile("sgd", "mse")
    model.save(tmp_path / "model.h5")
    model.save(tmp_path / "model.keras")
    again = [keras.models.load_model(tmp_path / name) for name in ("model.h5", "model.keras")]
    for read in (model, *again, keras.models.clone_model(model)):
        assert drops(read.predict(ONES, verbose=0)) is training
    assert [(read.train_on_batch(ONES, ONES) > 0.5) for read in (model, *again)] == [training] * 3


def test_a_frozen_mode_of_a_model_within_moves_statistics_as_in_keras_3():
    inner = keras.Sequential([keras.Input((50,)), layers.BatchNormalization()])
    x = keras.Input((50,))
    model = keras.Model(x, inner(x, training=False))
    model.compile("sgd", "mse")
    model.train_on_batch(3 * ONES, ONES)
    np.testing.assert_allclose(inner.get_weights()[2], 0.03, rtol=1e-6)
