"""Weights, masks and reductions."""

import numpy as np
import pytest

from distnet import losses
from distnet.errors import ArgumentError, ShapeError

T = np.array([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]])
P = np.zeros((3, 2))
VALUES = np.array([0.5, 6.5, 20.5])
WEIGHT = np.array([1.0, 2.0, 0.0])


def test_the_mean_divides_by_the_number_of_values_not_by_the_weights():
    assert losses.MeanSquaredError()(T, P, WEIGHT) == pytest.approx(13.5 / 3)
    assert losses.MeanSquaredError(reduction="mean")(T, P, WEIGHT[:, None]) == pytest.approx(13.5 / 3)
    assert losses.MeanSquaredError(reduction="sum")(T, P, WEIGHT) == pytest.approx(13.5)
    assert losses.MeanSquaredError(reduction="mean_with_sample_weight")(T, P, WEIGHT) == pytest.approx(4.5)


def test_no_reduction_gives_weighted_values():
    np.testing.assert_allclose(losses.MeanSquaredError(reduction=None)(T, P, WEIGHT), VALUES * WEIGHT)


def test_masked_values_leave_the_divisor():
    loss = losses.MeanSquaredError()
    mask = np.array([True, False, True])
    assert loss(T, P, mask=mask) == pytest.approx(21 / 2)
    assert loss.count(T, P, mask=mask) == 2
    total, gradient = loss.sum_and_gradient(T, P, mask=mask, scale=0.5)
    assert total == pytest.approx(21 / 2)
    assert not gradient[1].any()
    assert gradient[0].any()


def test_mask_and_weights_multiply():
    loss = losses.MeanSquaredError(reduction="mean_with_sample_weight")
    mask = np.array([True, False, True])
    assert loss(T, P, WEIGHT, mask) == pytest.approx(0.5)
    assert loss.count(T, P, WEIGHT, mask) == 1.0


def test_a_row_weight_weighs_all_values_of_its_row():
    y_true, y_pred = np.ones((2, 2, 3)), np.zeros((2, 2, 3))
    loss = losses.MeanSquaredError(reduction="sum")
    assert loss(y_true, y_pred, [1.0, 3.0]) == pytest.approx(8.0)
    assert loss(y_true, y_pred, [[1.0, 0.0], [0.0, 3.0]]) == pytest.approx(4.0)


def test_column_and_vector_never_broadcast_to_a_matrix():
    loss = losses.MeanSquaredError()
    assert loss(np.arange(4.0), np.zeros((4, 1))) == pytest.approx(14 / 4)
    assert loss(np.arange(4.0)[:, None], np.zeros(4)) == pytest.approx(14 / 4)
    value, gradient = loss.sum_and_gradient(np.arange(4.0), np.zeros(4), np.ones(4), 0.25)
    assert value == pytest.approx(14 / 4)
    np.testing.assert_allclose(gradient, -np.arange(4.0) / 2)


def test_nothing_to_sum_is_zero():
    assert losses.MeanSquaredError()(np.zeros((0, 2)), np.zeros((0, 2))) == 0.0
    assert losses.MeanSquaredError(reduction="mean_with_sample_weight")(T, P, np.zeros(3)) == 0.0
    ignored = losses.SparseCategoricalCrossentropy(ignore_class=0)
    assert ignored([0, 0], [[0.5, 0.5], [0.5, 0.5]]) == 0.0


def test_weights_that_do_not_fit_are_refused():
    for weight in (np.ones(2), np.ones((3, 2)), np.ones((2, 3))):
        with pytest.raises(ShapeError, match=r"sample weights of shape \(3,\)"):
            losses.MeanSquaredError()(T, P, weight)


def test_a_loss_of_the_whole_batch_takes_no_weights_in_training():
    dice = losses.Dice()
    assert dice.couples_rows
    assert not losses.Dice(axis=(1, 2)).couples_rows
    assert losses.Dice(axis=(0, 1)).couples_rows
    with pytest.raises(ArgumentError, match=r"axis=\(1, 2, 3\)"):
        dice.sum_and_gradient(T, P, WEIGHT)
    assert dice.divisor(dice.values_per_row(T, P), 3, dice.count(T, P)) == 1.0


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "mean_with_sample_weight"])
def test_a_mask_leaves_the_one_value_of_a_batch_as_it_is(reduction):
    """As in Keras, which weighs the value by weights whose mean is 1."""
    rng = np.random.default_rng(0)
    y_true, y_pred, mask = rng.random((3, 4, 2)), rng.random((3, 4, 2)), rng.random((3, 4)) < 0.5
    dice = losses.Dice(reduction=reduction)
    assert dice(y_true, y_pred, mask=mask) == dice(y_true, y_pred)
    assert dice.count(y_true, y_pred, mask=mask) == dice.count(y_true, y_pred)
    whole, part = (dice.sum_and_gradient(y_true, y_pred, mask=m) for m in (None, mask))
    assert whole[0] == part[0]
    np.testing.assert_array_equal(whole[1], part[1])
    with pytest.raises(ArgumentError, match="expected no mask with reduction 'sum'"):
        losses.Dice(reduction="sum")(y_true, y_pred, mask=mask)


def test_an_unknown_reduction_is_refused():
    with pytest.raises(ArgumentError, match="average"):
        losses.MeanSquaredError(reduction="average")


def test_keras_2_s_automatic_reduction_is_the_mean():
    assert losses.MeanSquaredError(reduction="auto").reduction == "sum_over_batch_size"
