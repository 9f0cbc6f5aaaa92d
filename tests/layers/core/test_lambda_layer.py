"""``Lambda``: a function as a layer, trained, saved by name, and its code run only where the user says so."""

import numpy as np
import pytest

import distnet as keras
from distnet import ops
from distnet.errors import ArgumentError, CheckpointError

X = np.random.default_rng(0).normal(size=(12, 4))


@keras.utils.register_keras_serializable("tests")
def doubled(x, by=2.0):
    return x * by


def model_of(layer):
    inputs = keras.Input((4,))
    return keras.Model(inputs, keras.layers.Dense(2)(layer(keras.layers.Dense(4)(inputs))))


@pytest.mark.parametrize("function", [lambda x: x * 3.0, doubled])
def test_it_trains_and_its_copy_computes_the_same(function):
    model = model_of(keras.layers.Lambda(function))
    model.compile("sgd", "mse")
    before = model.get_weights()[0]
    model.fit(X, X[:, :2], verbose=0)
    assert np.abs(model.get_weights()[0] - before).max() > 0
    copied = keras.models.clone_model(model)
    copied.set_weights(model.get_weights())
    np.testing.assert_array_equal(copied.predict(X, verbose=0), model.predict(X, verbose=0))


@pytest.mark.parametrize("ending", ["keras", "h5"])
def test_a_function_is_saved_by_its_registered_name(tmp_path, ending):
    model = model_of(keras.layers.Lambda(doubled, arguments={"by": 5.0}))
    model.save(tmp_path / f"m.{ending}")
    loaded = keras.models.load_model(tmp_path / f"m.{ending}")
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), model.predict(X, verbose=0))


@pytest.mark.parametrize("ending", ["keras", "h5"])
def test_code_from_a_file_is_run_only_without_safe_mode(tmp_path, ending):
    model = model_of(keras.layers.Lambda(lambda x: x * 5.0 - 1.0))
    model.save(tmp_path / f"m.{ending}")
    with pytest.raises(CheckpointError, match=r"lambda\S* is a Lambda, which holds code.*safe_mode=False"):
        keras.models.load_model(tmp_path / f"m.{ending}")
    loaded = keras.models.load_model(tmp_path / f"m.{ending}", safe_mode=False)
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), model.predict(X, verbose=0))


def test_code_in_a_configuration_is_not_run():
    config = keras.layers.Lambda(lambda x: x).get_config()
    with pytest.raises(ArgumentError, match="holds code, which is not run"):
        keras.layers.Lambda.from_config(config)


def test_a_lambda_that_holds_objects_is_not_saved():
    offset = np.ones(4)
    with pytest.raises(ArgumentError, match="cannot be saved"):
        keras.layers.Lambda(lambda x: x + offset).get_config()


def test_shape_mode_and_mask():
    def last(x, mask=None, training=None):
        return x[:, -1] * (2.0 if training else 1.0)

    layer = keras.layers.Lambda(last)
    assert layer(keras.Input((3, 2))).shape == (None, 2)
    x = np.ones((1, 3, 2), "float32")
    assert float(ops.sum(layer(x))) == 2.0
    assert float(ops.sum(layer(x, training=True))) == 4.0


def test_no_function():
    with pytest.raises(ArgumentError, match="expected a function, received 3"):
        keras.layers.Lambda(3)
