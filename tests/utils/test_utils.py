from __future__ import annotations

import numpy as np
import pytest

from distnet import utils
from distnet.errors import ArgumentError, DataError
from distnet.utils import normalize, to_categorical


def test_one_hot_rows_follow_the_labels():
    encoded = to_categorical([0, 2, 1])
    np.testing.assert_array_equal(encoded, np.eye(3)[[0, 2, 1]])
    assert encoded.dtype == np.float64


def test_the_dtype_of_one_hot_rows_can_be_chosen():
    assert to_categorical([0, 1], dtype="float32").dtype == np.float32


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((), (5,)), ((4,), (4, 5)), ((4, 1), (4, 5)), ((4, 3), (4, 3, 5)), ((1,), (1, 5)), ((0,), (0, 5))],
)
def test_the_class_axis_is_last_and_replaces_an_axis_of_one(shape, expected):
    assert to_categorical(np.zeros(shape, int), 5).shape == expected


@pytest.mark.parametrize("labels", [np.array([1.0, 0.0]), np.array([True, False]), np.array([1, 0], np.uint8)])
def test_whole_numbers_of_any_dtype_are_labels(labels):
    np.testing.assert_array_equal(to_categorical(labels), [[0, 1], [1, 0]])


@pytest.mark.parametrize(
    ("labels", "classes", "message"),
    [
        ([0, 3], 3, r"labels in \[0, 3\), received 0 to 3"),
        ([-1, 0], None, "received -1 to 0"),
        ([0.5, 1], None, "whole numbers"),
        ([np.nan, 1], None, "whole numbers"),
        ([np.inf, 1], None, "whole numbers"),
        (["cat", "dog"], None, "whole numbers"),
        ([], None, "received none"),
    ],
)
def test_labels_that_name_no_class_are_refused(labels, classes, message):
    with pytest.raises(DataError, match=message):
        to_categorical(labels, classes)


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("order", [1, 2, 3])
def test_normalized_arrays_have_unit_norm_along_the_axis(axis, order):
    x = np.random.default_rng(0).normal(size=(3, 4))
    np.testing.assert_allclose(np.linalg.norm(normalize(x, axis, order), order, axis), 1, rtol=1e-12)


def test_normalizing_zeros_gives_zeros():
    np.testing.assert_array_equal(normalize(np.zeros((2, 3))), np.zeros((2, 3)))


@pytest.mark.parametrize("order", [0, -1, 1.5, True, "2"])
def test_an_order_that_is_no_norm_is_refused(order):
    with pytest.raises(ArgumentError, match="order"):
        normalize([1.0], order=order)


def test_keras_names_are_there():
    for name in ("set_random_seed", "custom_object_scope", "CustomObjectScope", "register_keras_serializable"):
        assert callable(getattr(utils, name))
