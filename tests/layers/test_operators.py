"""Arithmetic on placeholders against the same on arrays, in values, gradients and files."""

import json

import numpy as np
import pytest

import distnet as keras
from distnet.errors import ArgumentError

X, Z = np.random.default_rng(0).normal(size=(2, 5, 3))
EXPRESSIONS = {
    "a + b": lambda a, b: a + b,
    "a - b": lambda a, b: a - b,
    "a * b": lambda a, b: a * b,
    "-a": lambda a, b: -a + 0 * b,
    "2 * a": lambda a, b: 2 * a + b,
    "a * 0.5": lambda a, b: a * np.float32(0.5) + b,
    "a / 4": lambda a, b: a / 4 + b,
    "a + 1": lambda a, b: a + 1 + (3 + b),
    "a - 1": lambda a, b: a - 1 + b,
    "1 - a": lambda a, b: 1 - a + b,
    "a ** 2": lambda a, b: a**2 + b,
    "a + a": lambda a, b: a + a + b,
}


@pytest.fixture(autouse=True)
def in_float64():
    keras.config.set_floatx("float64")
    yield
    keras.config.set_floatx("float32")


def model_of(expression):
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    return keras.Model([a, b], expression(a, b))


@pytest.mark.parametrize("expression", EXPRESSIONS.values(), ids=EXPRESSIONS)
def test_a_model_computes_what_the_expression_says(expression):
    model = model_of(expression)
    np.testing.assert_allclose(model.predict([X, Z], verbose=0), expression(X, Z), rtol=1e-15)
    again = keras.models.model_from_json(model.to_json())
    np.testing.assert_array_equal(again.predict([X, Z], verbose=0), model.predict([X, Z], verbose=0))


@pytest.mark.parametrize("expression", EXPRESSIONS.values(), ids=EXPRESSIONS)
def test_a_step_follows_the_expressions_gradient(expression):
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    shift = keras.layers.Dense(3, kernel_initializer="identity")
    model = keras.Model([a, b], expression(shift(a), b))
    model.compile(keras.optimizers.SGD(1.0), "mse")
    before = model.get_weights()[1]
    step = 1e-6

    def loss(bias):
        return np.mean((expression(X + bias, Z) - 0.3) ** 2)

    slope = [(loss(before + step * e) - loss(before - step * e)) / (2 * step) for e in np.eye(3)]
    model.train_on_batch([X, Z], np.full((5, 3), 0.3))
    np.testing.assert_allclose(before - model.get_weights()[1], slope, rtol=1e-6, atol=1e-9)


def test_files_name_layers_that_every_keras_knows():
    config = json.loads(model_of(lambda a, b: 1 - a * b + a / 2).to_json())["config"]
    kinds = {layer["class_name"] for layer in config["layers"]}
    assert kinds == {"InputLayer", "Multiply", "Rescaling", "Add"}


@pytest.mark.parametrize(
    "wrong",
    [
        lambda a: a + np.ones(3),
        lambda a: np.ones(3) * a,
        lambda a: a / a,
        lambda a: 1 / a,
        lambda a: a**3,
        lambda a: a @ a,
        lambda a: a[:, 0],
        lambda a: [1.0] - a,
    ],
)
def test_what_no_saved_layer_computes_is_refused(wrong):
    with pytest.raises(ArgumentError, match="KerasTensor rows"):
        wrong(keras.Input((3,), name="rows"))
