"""Constraints against the numbers of Keras on JAX, ``tests/golden/constraints.npz``, and on their own."""

import json
from pathlib import Path

import numpy as np
import pytest

import packed
from distnet import constraints
from distnet.errors import ArgumentError, ShapeError
from distnet.registry import custom_object_scope

GOLDEN = Path(__file__).parent / "golden"

ARRAYS, CASES = packed.load(GOLDEN / "constraints.npz")


def label(case):
    return f"{case['serialized']['class_name']}({case['serialized']['config']})-{case['weights']}"


@pytest.fixture(params=range(len(CASES)), ids=[label(case) for case in CASES])
def index(request):
    return request.param


def test_projection_is_that_of_keras(index):
    constraint = constraints.deserialize(CASES[index]["serialized"])
    projected = constraint(ARRAYS[CASES[index]["weights"]])
    np.testing.assert_allclose(projected, ARRAYS[f"projected {index}"], rtol=1e-12, atol=1e-15)


def test_configuration_is_that_of_keras(index):
    serialized = CASES[index]["serialized"]
    written = json.loads(json.dumps(constraints.serialize(constraints.deserialize(serialized))))
    assert written == {"class_name": serialized["class_name"], "config": serialized["config"]}


@pytest.mark.parametrize(
    "spec", ["max_norm", "maxnorm", "MaxNorm", "non_neg", "nonneg", "unit_norm", "unitnorm", "min_max_norm"]
)
def test_every_spelling_is_known_and_keeps_dtype_and_input(spec):
    w = np.array([[1.0, -2.0], [3.0, 4.0]], "float32")
    before = w.copy()
    projected = constraints.get(spec)(w)
    assert projected.dtype == "float32"
    np.testing.assert_array_equal(w, before)


def test_functions_of_keras_are_the_classes():
    assert constraints.max_norm(3.0).max_value == 3
    assert constraints.unit_norm(axis=1).axis == 1
    assert constraints.min_max_norm(rate=0.5).rate == 0.5
    assert constraints.get(None) is None
    assert isinstance(constraints.get(constraints.non_neg), constraints.NonNeg)


def halved(w):
    return w / 2


def test_a_users_function_is_a_constraint():
    constraint = constraints.get(halved)
    np.testing.assert_array_equal(constraint(np.array([2.0, 4.0])), [1, 2])
    with custom_object_scope({"halved": halved}):
        assert constraints.deserialize(constraints.serialize(constraint)).function is halved


def test_a_users_function_must_keep_the_shape():
    with pytest.raises(ShapeError, match=r"expected weights of shape \(2, 2\)"):
        constraints.get(lambda w: w[0])(np.ones((2, 2)))


class Capped(constraints.Constraint):
    def __call__(self, w):
        return np.minimum(w, 1.0)


def test_a_users_class_is_a_constraint():
    np.testing.assert_array_equal(constraints.get(Capped)(np.array([0.5, 3.0])), [0.5, 1])


def test_the_base_class_constrains_nothing():
    with pytest.raises(ArgumentError, match="__call__"):
        constraints.Constraint()(np.ones(2))
