from __future__ import annotations

import numpy as np
import pytest

from distnet.errors import ArgumentError, ShapeError
from distnet.preprocessing.sequence import pad_sequences

SEQUENCES = [[1], [2, 3], [], [4, 5, 6]]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [[0, 0, 1], [0, 2, 3], [0, 0, 0], [4, 5, 6]]),
        ({"padding": "post", "value": -1}, [[1, -1, -1], [2, 3, -1], [-1, -1, -1], [4, 5, 6]]),
        ({"maxlen": 2}, [[0, 1], [2, 3], [0, 0], [5, 6]]),
        ({"maxlen": 2, "truncating": "post"}, [[0, 1], [2, 3], [0, 0], [4, 5]]),
        ({"maxlen": 4, "padding": "post"}, [[1, 0, 0, 0], [2, 3, 0, 0], [0, 0, 0, 0], [4, 5, 6, 0]]),
        ({"maxlen": 0}, [[], [], [], []]),
    ],
    ids=str,
)
def test_sequences_are_filled_up_and_cut(options, expected):
    padded = pad_sequences(SEQUENCES, **options)
    np.testing.assert_array_equal(padded, np.array(expected))
    assert padded.dtype == np.int32


def test_other_types():
    assert pad_sequences([[0.5], [1.5, 2.5]], dtype="float32").tolist() == [[0, 0.5], [1.5, 2.5]]
    assert pad_sequences([["a"], ["b", "long"]], dtype=object, value="pad").tolist() == [["pad", "a"], ["b", "long"]]
    assert pad_sequences([]).shape == (0, 0)


def test_steps_may_be_arrays():
    padded = pad_sequences([np.ones((1, 2)), np.full((3, 2), 2)], dtype="float64")
    assert padded.shape == (2, 3, 2)
    assert padded[0].tolist() == [[0, 0], [0, 0], [1, 1]]
    with pytest.raises(ShapeError, match=r"sequence 1: expected steps of shape \(2,\), received \(3,\)"):
        pad_sequences([np.ones((1, 2)), np.ones((1, 3))])


@pytest.mark.parametrize(
    ("sequences", "options", "message"),
    [
        (5, {}, "expected a list of sequences, received int"),
        ([[1], 2], {}, "sequence 1: expected a list or an array, received 2"),
        (SEQUENCES, {"padding": "left"}, r"padding: expected one of \['pre', 'post'\], received 'left'"),
        (SEQUENCES, {"truncating": "right"}, r"truncating: expected one of \['pre', 'post'\], received 'right'"),
        (SEQUENCES, {"maxlen": -1}, "maxlen: expected an integer of at least 0, received -1"),
        ([["a"]], {"value": "pad"}, "'pad' is not of dtype int32. Use dtype=object"),
    ],
)
def test_wrong_arguments_are_named(sequences, options, message):
    with pytest.raises(ArgumentError, match=message):
        pad_sequences(sequences, **options)
