"""Merging layers: function forms, shapes that do not go together."""

import numpy as np
import pytest

from distnet import layers
from distnet.errors import ArgumentError, ShapeError

RNG = np.random.default_rng(0)
A, B = RNG.normal(size=(2, 4, 3)).astype("float32")


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (layers.add, A + B),
        (layers.subtract, A - B),
        (layers.multiply, A * B),
        (layers.average, (A + B) / 2),
        (layers.maximum, np.maximum(A, B)),
        (layers.minimum, np.minimum(A, B)),
        (layers.concatenate, np.concatenate([A, B], axis=1)),
        (layers.dot, (A * B).sum(axis=1, keepdims=True)),
    ],
)
def test_function_forms_merge_arrays_and_placeholders(function, expected):
    np.testing.assert_allclose(function([A, B]), expected, rtol=1e-6)
    merged = function([layers.Dense(3)(layers.Input((3,))) for _ in range(2)], name="merged")
    assert merged.shape == (None, *expected.shape[1:])
    assert merged.name == "merged"


def test_cosines_of_equal_vectors_are_1():
    np.testing.assert_allclose(layers.dot([A, A], axes=1, normalize=True), 1, rtol=1e-6)
    assert not np.isnan(layers.Dot(1, normalize=True)([0 * A, A])).any()


@pytest.mark.parametrize(
    ("layer", "shapes", "message"),
    [
        (layers.Add(), [(None, 3), (None, 4)], "rows have equal shapes"),
        (layers.Multiply(), [(None, 2, 3), (None, 3, 3)], "rows have equal shapes"),
        (layers.Maximum(), [(2, 3), (4, 3)], "one batch size"),
        (layers.Subtract(), [(None, 3)] * 3, "expected a list of 2 inputs, received 3"),
        (layers.Concatenate(), [(None, 2, 3), (None, 3, 3)], "equal but for axis -1"),
        (layers.Concatenate(), [(None, 2, 3), (None, 3)], "equal but for axis -1"),
        (layers.Concatenate(axis=2), [(None, 3), (None, 3)], "equal but for axis 2"),
        (layers.Dot(1), [(None, 3), (None, 4)], "equal extents along axes=1"),
        (layers.Dot((1, 2)), [(None, 3), (None, 4)], "equal extents along axes"),
    ],
)
def test_inputs_that_do_not_go_together_are_refused(layer, shapes, message):
    with pytest.raises(ShapeError, match=message) as error:
        layer.build_once(shapes)
    assert str(error.value).startswith(layer.name)


@pytest.mark.parametrize(
    "make",
    [lambda: layers.Concatenate(axis=0), lambda: layers.Dot(0), lambda: layers.Dot((1, 2, 3)), lambda: layers.Dot("1")],
)
def test_the_batch_axis_is_never_merged(make):
    with pytest.raises(ArgumentError, match="batch axis"):
        make()
