"""Activations against the numbers of Keras on JAX, ``tests/golden/activations.npz``."""

import json
from pathlib import Path

import numpy as np
import pytest

import packed
from distnet import activations

GOLDEN = Path(__file__).parents[1] / "golden"

ARRAYS, CASES = packed.load(GOLDEN / "activations.npz")
INPUTS = ["x1", "x2", "x3"]


def label(case):
    return f"{case['name']}({json.dumps(case['options'])})"


@pytest.fixture(params=range(len(CASES)), ids=[label(case) for case in CASES])
def index(request):
    return request.param


def activation_of(index):
    ready = getattr(activations, CASES[index]["name"])
    return type(ready)(**CASES[index]["options"]) if CASES[index]["options"] else ready


def gradient(activation, x, y):
    """Of the sum of f(x) times cos(0), cos(1) ..., as the golden numbers have it."""
    dy = np.cos(np.arange(y.size)).reshape(y.shape).astype(y.dtype)
    dx = np.empty_like(x)
    activation.backward(dy, x if activation.saves_input else y, dx)
    return dx


@pytest.mark.parametrize("name", INPUTS)
def test_value_is_that_of_keras(index, name):
    y = getattr(activations, CASES[index]["name"])(ARRAYS[name], **CASES[index]["options"])
    np.testing.assert_allclose(y, ARRAYS[f"value {index} {name}"], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", INPUTS)
def test_gradient_is_that_of_keras_at_kinks_too(index, name):
    activation = activation_of(index)
    dx = gradient(activation, ARRAYS[name], activation(ARRAYS[name]))
    np.testing.assert_allclose(dx, ARRAYS[f"gradient {index} {name}"], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", INPUTS)
def test_single_precision_stays_single_and_near(index, name):
    activation, x = activation_of(index), ARRAYS[name].astype("float32")
    y = activation(x)
    dx = gradient(activation, x, y)
    assert y.dtype == dx.dtype == np.float32
    np.testing.assert_allclose(y, ARRAYS[f"value {index} {name}"], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(dx, ARRAYS[f"gradient {index} {name}"], rtol=1e-5, atol=2e-6)


def test_serialized_form_is_that_of_keras(index):
    if not CASES[index]["options"]:
        assert activations.serialize(activation_of(index)) == CASES[index]["serialized"]


def test_serialized_form_of_keras_is_read(index):
    if not CASES[index]["options"]:
        assert activations.deserialize(CASES[index]["serialized"]) == activation_of(index)
