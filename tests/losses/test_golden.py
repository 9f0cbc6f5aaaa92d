"""Losses against the numbers of Keras on JAX, ``tests/golden/losses.npz``."""

from pathlib import Path

import numpy as np
import pytest

import packed
from distnet import losses

GOLDEN = Path(__file__).parents[1] / "golden"

ARRAYS, CASES = packed.load(GOLDEN / "losses.npz")


def label(case):
    options = ",".join(f"{key}={value}" for key, value in case["config"].items())
    return f"{case['class_name']}({options})-{case['input']}"


@pytest.fixture(params=range(len(CASES)), ids=[label(case) for case in CASES])
def index(request):
    return request.param


def data(index):
    case = CASES[index]
    dtype = case["config"].get("dtype", "float64")
    source = case["input"]
    y_true, y_pred = (ARRAYS[f"{source}/{key}"].astype(dtype) for key in ("y_true", "y_pred"))
    return case, y_true, y_pred, 1e-6 if dtype == "float32" else 1e-11


def weights(index):
    for key in ("none", "row", "column", "all"):
        if f"{index}/{key}/value" in ARRAYS:
            yield key, ARRAYS.get(f"{index}/{key}/weight")


def test_values_and_reduced_losses_are_keras_s(index):
    case, y_true, y_pred, tolerance = data(index)
    loss = getattr(losses, case["class_name"])(**case["config"])
    values, gradient = loss.values_and_gradient(y_true, y_pred)
    assert gradient.shape == y_pred.shape
    assert values.dtype == gradient.dtype == y_pred.dtype
    np.testing.assert_allclose(values, ARRAYS[f"{index}/values"], rtol=tolerance, atol=tolerance)
    for key, weight in weights(index):
        value = ARRAYS[f"{index}/{key}/value"]
        np.testing.assert_allclose(loss(y_true, y_pred, weight), value, rtol=tolerance, atol=tolerance, err_msg=key)


def test_sum_and_gradient_is_keras_s_loss_and_its_derivative(index):
    case, y_true, y_pred, tolerance = data(index)
    if y_pred.ndim == 1 and y_true.ndim == 1:
        y_true, y_pred = y_true[None], y_pred[None]  # one sample, as Keras reads it
    loss = getattr(losses, case["class_name"])(**case["config"])
    for key, weight in weights(index):
        if weight is not None and loss.couples_rows:
            continue
        count = None if loss.counts_rows_only else loss.count(y_true, y_pred, weight)
        divisor = loss.divisor(loss.values_per_row(y_true, y_pred), len(y_pred), count)
        total, gradient = loss.sum_and_gradient(y_true, y_pred, weight, scale=1 / divisor)
        assert gradient.dtype == y_pred.dtype
        np.testing.assert_allclose(total, ARRAYS[f"{index}/{key}/value"], rtol=tolerance, atol=tolerance)
        expected = ARRAYS[f"{index}/{key}/gradient"].reshape(gradient.shape)
        np.testing.assert_allclose(gradient, expected, rtol=tolerance, atol=tolerance, err_msg=key)


def test_keras_s_own_config_gives_the_same_loss(index):
    case, *_ = data(index)
    loss = losses.deserialize(case["serialized"])
    config = dict(case["config"])
    assert type(loss).__name__ == case["class_name"]
    assert loss.name == case["serialized"]["config"]["name"]
    for key in set(config) & set(case["serialized"]["config"]):
        assert getattr(loss, key) == config[key]
