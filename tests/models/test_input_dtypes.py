"""Inputs of every dtype: cast as their ``Input`` declares, then as the layers compute."""

import numpy as np
import pytest

import distnet as keras
from distnet import layers

X = np.array([[1.7, 3.3], [0.1, 300.3]])
OF_KERAS = {
    **dict.fromkeys(("uint16", "uint32", "uint64", "int16", "int32", "int64"), [4.0, 300.0]),
    "bool": [2.0, 2.0],
    "float16": [5.0009765625, 300.3499755859375],
    "float32": [5.0, 300.3999938964844],
}
"""The sums of the rows of X by Keras 3.15.1 on JAX."""


def model_of(dtype):
    inputs = keras.Input((2,), dtype=dtype)
    model = keras.Model(inputs, layers.Dense(1, kernel_initializer="ones")(inputs))
    model.compile("sgd", "mse")
    return model


@pytest.mark.parametrize("dtype", OF_KERAS)
def test_inputs_are_cast_as_in_keras(dtype):
    model = model_of(dtype)
    np.testing.assert_allclose(model.predict(X, verbose=0)[:, 0], OF_KERAS[dtype], rtol=1e-7)
    np.testing.assert_allclose(model(X)[:, 0], OF_KERAS[dtype], rtol=1e-7)
    loss = model.evaluate(X, np.zeros(2), verbose=0)
    np.testing.assert_allclose(loss, np.square(OF_KERAS[dtype]).mean(), rtol=1e-6)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "uint64", "float16", "bool"])
def test_arrays_of_that_dtype_train_and_are_saved(dtype, tmp_path):
    x = (np.arange(12).reshape(6, 2) % 3).astype(dtype)
    model, plain = model_of(dtype), model_of("float32")
    losses = [m.fit(x, np.ones(6), epochs=2, verbose=0, shuffle=False).history["loss"] for m in (model, plain)]
    assert losses[0] == losses[1]
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.inputs[0].dtype == dtype
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))
