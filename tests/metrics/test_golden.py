"""Metrics against the numbers of Keras on JAX, ``tests/golden/metrics.npz``."""

from pathlib import Path

import numpy as np
import pytest

import packed
from distnet import metrics

GOLDEN = Path(__file__).parents[1] / "golden"

ARRAYS, CASES = packed.load(GOLDEN / "metrics.npz")
FIRST = 7
FLOAT32_INSIDE = ("IoU", "R2Score")
"""Keras computes these results in float32, whatever the dtype."""


def label(case):
    options = ",".join(f"{key}={value}" for key, value in case["config"].items())
    return f"{case['class_name']}({options})-{case['input']}"


@pytest.fixture(params=range(len(CASES)), ids=[label(case) for case in CASES])
def index(request):
    return request.param


def weights(index):
    for key in ("none", "row", "column", "all"):
        if f"{index}/{key}/results" in ARRAYS:
            yield key, ARRAYS.get(f"{index}/{key}/weight")


def data(index):
    case = CASES[index]
    return case, ARRAYS[f"{case['input']}/y_true"], ARRAYS[f"{case['input']}/y_pred"]


def make(case):
    return getattr(metrics, case["class_name"])(**case["config"])


def test_running_results_are_keras_s(index):
    case, y_true, y_pred = data(index)
    tolerance = 3e-7 if any(name in case["class_name"] for name in FLOAT32_INSIDE) else 1e-11
    for key, weight in weights(index):
        metric, results = make(case), []
        for rows in (slice(FIRST), slice(FIRST, None)):
            metric.update_state(y_true[rows], y_pred[rows], None if weight is None else weight[rows])
            results.append(metric.result())
        expected = ARRAYS[f"{index}/{key}/results"]
        np.testing.assert_allclose(np.stack(results), expected, rtol=tolerance, atol=tolerance, err_msg=key)


def test_parts_of_a_batch_add_up_to_the_whole(index):
    case, y_true, y_pred = data(index)
    metric = make(case)
    size = metric.size((None, *y_true.shape[1:]), (None, *y_pred.shape[1:]))
    for _, weight in weights(index):
        parts = [
            metric.sums(y_true[rows], y_pred[rows], None if weight is None else weight[rows])
            for rows in (slice(0, 5), slice(5, 5), slice(5, 6), slice(6, None))
        ]
        whole = metric.sums(y_true, y_pred, weight)
        assert all(part.shape == (size,) and part.dtype == np.float64 for part in [*parts, whole])
        np.testing.assert_allclose(sum(parts), whole, rtol=1e-13, atol=1e-13)


def test_keras_s_own_config_gives_the_same_metric(index):
    case, y_true, y_pred = data(index)
    metric = metrics.deserialize(case["serialized"])
    assert type(metric).__name__ == case["class_name"]
    assert metric.name.rstrip("_0123456789") == case["serialized"]["config"]["name"].rstrip("_0123456789")
    if "axis" in case["config"]:  # which Keras forgets to write for CosineSimilarity
        return
    np.testing.assert_array_equal(metric(y_true, y_pred), make(case)(y_true, y_pred))
