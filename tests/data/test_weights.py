import numpy as np
import pytest

from distnet import errors
from distnet.data.weights import row_weights

LABELS = np.array([0, 1, 2, 1])


@pytest.mark.parametrize("y", [LABELS, LABELS[:, None], LABELS.astype(np.float32), np.eye(3)[LABELS]])
def test_class_weights_become_row_weights(y):
    np.testing.assert_array_equal(row_weights(y, None, {0: 2.0, 1: 0.5}), [2, 0.5, 1, 0.5])


def test_class_numbers_may_be_numpys():
    np.testing.assert_array_equal(row_weights(LABELS, None, {np.int64(2): np.float32(3)}), [1, 1, 3, 1])


def test_without_weights_there_are_none():
    assert row_weights(LABELS, None, None) is None


@pytest.mark.parametrize("weight", [[1, 2, 3, 4], np.ones((4, 1)), np.arange(4)])
def test_sample_weights_are_taken_as_they_are(weight):
    np.testing.assert_array_equal(row_weights(LABELS, weight, None), weight)


@pytest.mark.parametrize(
    ("sample_weight", "class_weight", "error", "message"),
    [
        (np.ones(4), {0: 1.0}, errors.ArgumentError, "received both"),
        (np.ones(3), None, errors.ShapeError, r"expected 4 rows, one for each of y, received \(3,\)"),
        (2.0, None, errors.ShapeError, "expected 4 rows"),
        (None, [1, 2], errors.ArgumentError, "expected a dict of class number -> weight"),
        (None, {"cat": 1.0}, errors.ArgumentError, "received 'cat': 1.0"),
        (None, {0: None}, errors.ArgumentError, "received 0: None"),
    ],
)
def test_wrong_weights_are_refused(sample_weight, class_weight, error, message):
    with pytest.raises(error, match=message):
        row_weights(LABELS, sample_weight, class_weight)


def test_class_weights_need_one_label_a_row():
    with pytest.raises(errors.ShapeError, match=r"received \(2, 3, 4\)"):
        row_weights(np.zeros((2, 3, 4)), None, {0: 1.0})
