"""Targets that cannot be meant are refused with the remedy."""

import numpy as np
import pytest

from distnet import losses
from distnet.errors import DataError, ShapeError

SCORES = np.full((4, 3), 1 / 3)


def test_class_numbers_for_a_one_hot_loss():
    for labels in (np.zeros(4), np.zeros((4, 1))):
        with pytest.raises(ShapeError, match=r"\(4, 3\).*sparse_categorical_crossentropy.*to_categorical"):
            losses.CategoricalCrossentropy().validate(labels, SCORES)


def test_one_hot_labels_for_a_sparse_loss():
    with pytest.raises(ShapeError, match="Use categorical_crossentropy"):
        losses.SparseCategoricalCrossentropy().validate(np.eye(3)[[0, 1, 2, 0]], SCORES)


def test_another_number_of_rows():
    with pytest.raises(ShapeError, match="one target for each prediction"):
        losses.MeanSquaredError()(np.zeros((5, 3)), SCORES)
    with pytest.raises(ShapeError, match=r"expected y_true of shape \(4,\)"):
        losses.SparseCategoricalCrossentropy()(np.zeros(5, int), SCORES)


def test_a_column_is_not_broadcast():
    with pytest.raises(ShapeError, match=r"shape of y_pred \(4, 3\), received \(4, 1\)"):
        losses.MeanSquaredError()(np.zeros((4, 1)), SCORES)


@pytest.mark.parametrize(("bad", "row"), [(3, 2), (-1, 2)])
def test_a_label_out_of_range_names_row_value_and_classes(bad, row):
    labels = np.array([0, 1, bad, 2])
    for loss in (losses.SparseCategoricalCrossentropy(), losses.CategoricalGeneralizedCrossEntropy()):
        with pytest.raises(DataError, match=f"0 to 2 for 3 classes, received {bad} in row {row}"):
            loss.validate(labels, SCORES)
        with pytest.raises(DataError):
            loss.sum_and_gradient(labels, SCORES)


def test_a_label_that_is_no_whole_number():
    for bad in (0.5, np.nan):
        with pytest.raises(DataError, match="in row 1"):
            losses.SparseCategoricalCrossentropy().validate(np.array([0.0, bad, 1.0, 2.0]), SCORES)


def test_an_ignored_label_may_be_out_of_range():
    loss = losses.SparseCategoricalCrossentropy(ignore_class=-1)
    total, gradient = loss.sum_and_gradient(np.array([0, -1, 1, 2]), SCORES)
    assert total == pytest.approx(3 * np.log(3))
    assert not gradient[1].any()
    with pytest.raises(DataError, match="received 7 in row 3"):
        loss.validate(np.array([0, -1, 1, 7]), SCORES)


def test_labels_of_sequences_name_the_row():
    with pytest.raises(DataError, match="received 9 in row 1"):
        losses.SparseCategoricalCrossentropy().validate(np.array([[0, 1], [2, 9]]), np.full((2, 2, 3), 0.3))


def test_another_class_axis():
    loss = losses.SparseCategoricalCrossentropy(axis=1)
    labels = np.array([[0, 1, 1, 0, 1]])
    scores = np.random.default_rng(0).random((1, 2, 5))
    values, gradient = loss.values_and_gradient(labels, scores)
    expected = losses.sparse_categorical_crossentropy(labels, np.moveaxis(scores, 1, -1))
    np.testing.assert_allclose(values, expected)
    assert gradient.shape == scores.shape
    assert loss.sum_and_gradient(labels, scores, np.ones(1), 0.5)[0] == pytest.approx(expected.sum() / 2)
