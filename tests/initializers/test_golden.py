"""Initializers against what Keras's were measured to give, ``tests/golden/initializers.json``."""

import json
from pathlib import Path

import numpy as np
import pytest

from distnet import initializers
from distnet.initializers import compute_fans

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "initializers.json").read_text())
KURTOSIS_OF_BOUNDED = 2.7
"""1.8 for a uniform and 2.4 for a truncated normal distribution; 3 for an unbounded normal one."""


def label(case):
    config = {key: value for key, value in case["serialized"]["config"].items() if value is not None}
    return f"{case['serialized']['class_name']}({config})-{case.get('shape')}"


@pytest.mark.parametrize("case", GOLDEN["random"], ids=label)
def test_distribution_is_that_of_keras(case):
    sample = initializers.deserialize(case["serialized"])(case["shape"], "float64")
    std, error = case["std"], 1 / np.sqrt(sample.size)
    assert sample.mean() == pytest.approx(case["mean"], abs=6 * std * error)
    assert sample.std() == pytest.approx(std, rel=5 * error)
    kurtosis = np.mean(((sample - sample.mean()) / sample.std()) ** 4)
    assert kurtosis == pytest.approx(case["kurtosis"], abs=30 * error)
    if case["kurtosis"] < KURTOSIS_OF_BOUNDED:
        assert sample.min() == pytest.approx(case["low"], abs=2e-3 * std)
        assert sample.max() == pytest.approx(case["high"], abs=2e-3 * std)


@pytest.mark.parametrize("case", GOLDEN["exact"], ids=label)
def test_values_are_those_of_keras(case):
    np.testing.assert_array_equal(initializers.deserialize(case["serialized"])((3, 4), "float64"), case["values"])


@pytest.mark.parametrize("case", GOLDEN["fans"], ids=lambda case: str(case["shape"]))
def test_fans_are_those_of_keras(case):
    assert list(compute_fans(tuple(case["shape"]))) == case["fans"]


@pytest.mark.parametrize("case", [*GOLDEN["random"], *GOLDEN["exact"]], ids=label)
def test_configuration_is_that_of_keras_without_what_is_unset(case):
    written = json.loads(json.dumps(initializers.serialize(initializers.deserialize(case["serialized"]))))
    expected = dict(case["serialized"]["config"])
    for axes in ("input_axes", "output_axes"):
        if expected.get(axes, ...) is None:
            del expected[axes]
    if case["serialized"]["class_name"] == "Identity":
        expected["gain"] = 1.0
    if isinstance(expected.get("value"), dict):
        expected["value"] = expected["value"]["config"]["value"]
    assert written == {"class_name": case["serialized"]["class_name"], "config": expected}


def test_orthogonal_of_keras_is_read():
    assert initializers.deserialize(GOLDEN["orthogonal"]).get_config() == {"gain": 2.0, "seed": 3}


def test_a_seed_generator_of_keras_stands_for_its_seed():
    assert initializers.deserialize(GOLDEN["seed_generator"]).seed == 4
