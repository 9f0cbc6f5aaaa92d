"""What the golden numbers do not show."""

import numpy as np
import pytest

from distnet import metrics
from distnet.errors import ArgumentError, ShapeError


def test_thresholds_are_exceeded_strictly():
    assert metrics.BinaryAccuracy()([[0.0]], [[0.5]]) == 1.0
    assert metrics.TruePositives()([1, 1], [0.5, 0.6]) == 1.0


def test_the_first_of_equal_scores_counts():
    assert metrics.CategoricalAccuracy()([[1, 0]], [[0.5, 0.5]]) == 1.0
    assert metrics.SparseCategoricalAccuracy()([1], [[0.5, 0.5]]) == 0.0
    assert metrics.TopKCategoricalAccuracy(k=1)([[0, 1]], [[0.5, 0.5]]) == 1.0


def test_a_class_number_out_of_range_is_a_miss():
    assert metrics.SparseCategoricalAccuracy()([-1, 5, 0], np.eye(3)[[0, 0, 0]]) == pytest.approx(1 / 3)
    assert metrics.SparseTopKCategoricalAccuracy(k=3)([-1, 5, 0], np.eye(3)) == pytest.approx(1 / 3)


def test_mean_and_sum_take_values_and_weights():
    mean = metrics.Mean("loss")
    mean.update_state([1.0, 3.0], [1.0, 0.0])
    mean.update_state(5.0)
    assert mean.name == "loss"
    assert mean.result() == 3.0
    assert metrics.Mean()(4.0, sample_weight=2.0) == 4.0
    assert metrics.Sum()([1.0, 3.0], sample_weight=[2.0, 1.0]) == 5.0


def test_relative_error_divides_by_the_normalizer():
    metric = metrics.MeanRelativeError([1.0, 2.0, 0.0])
    assert metric([[1.0, 2.0, 3.0]], [[2.0, 4.0, 9.0]]) == pytest.approx(2 / 3)


def test_a_constant_sample_has_no_correlation():
    assert np.isnan(metrics.PearsonCorrelation()([[1.0, 1.0]], [[1.0, 2.0]]))


def test_r2_of_one_row_is_not_a_number_and_gives_no_warning():
    assert np.isnan(metrics.R2Score()([[1.0]], [[1.0]]))


def test_too_many_regressors_give_the_plain_score():
    metric = metrics.R2Score(num_regressors=5)
    metric.update_state([[0.0], [1.0]], [[0.0], [0.5]])
    with pytest.warns(UserWarning, match="plain score"):
        assert metric.result() == pytest.approx(0.5)


def test_predictions_that_are_no_numbers_do_not_stop_the_count():
    y_pred = np.array([np.nan, 0.9, 0.1])
    y_true = [1.0, 1.0, 0.0]
    assert metrics.TruePositives()(y_true, y_pred) == 1.0
    assert metrics.TruePositives(thresholds=[0.0, 0.5, 1.0])(y_true, y_pred).tolist() == [1.0, 1.0, 0.0]
    assert metrics.AUC()(y_true, y_pred) == pytest.approx(0.5, abs=0.01)


def test_directions_tell_callbacks_what_is_better():
    assert metrics.CategoricalAccuracy.direction == metrics.AUC.direction == "up"
    assert metrics.MeanSquaredError.direction == "down"
    assert metrics.Sum.direction is None


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: metrics.Precision(thresholds=1.5), r"thresholds in \[0, 1\]"),
        (lambda: metrics.AUC(curve="ROCK"), "ROCK"),
        (lambda: metrics.AUC(num_thresholds=1), "num_thresholds above 1"),
        (lambda: metrics.AUC(num_thresholds=10**13), "num_thresholds from 1 to 1000000"),
        (lambda: metrics.MeanIoU(num_classes=10**9), "1 to 10000 classes"),
        (lambda: metrics.AUC(num_labels=3), "multi_label"),
        (lambda: metrics.SensitivityAtSpecificity(1.5), r"specificity in \[0, 1\]"),
        (lambda: metrics.PrecisionAtRecall(0.5, num_thresholds=0), "num_thresholds from 1 to 1000000"),
        (lambda: metrics.F1Score(average="mean"), "average"),
        (lambda: metrics.FBetaScore(beta=0.0), "beta above 0"),
        (lambda: metrics.F1Score(threshold=1.5), "threshold in"),
        (lambda: metrics.IoU(2, [0, 2]), "target_class_ids below 2"),
        (lambda: metrics.R2Score(class_aggregation="sum"), "class_aggregation"),
    ],
)
def test_arguments_out_of_range_are_refused(make, words):
    with pytest.raises(ArgumentError, match=words):
        make()


@pytest.mark.parametrize(
    ("metric", "y_true", "y_pred"),
    [
        (metrics.CategoricalAccuracy(), np.zeros(4), np.zeros((4, 3))),
        (metrics.SparseCategoricalAccuracy(), np.zeros((4, 3)), np.zeros((4, 3))),
        (metrics.AUC(), np.zeros(4), np.zeros((4, 3))),
        (metrics.AUC(multi_label=True), np.zeros(4), np.zeros(4)),
        (metrics.Precision(class_id=3), np.zeros((4, 3)), np.zeros((4, 3))),
        (metrics.F1Score(), np.zeros(4), np.zeros(4)),
        (metrics.R2Score(), np.zeros(4), np.zeros(4)),
        (metrics.MeanIoU(2), np.zeros(4), np.zeros(3)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_shapes_that_do_not_fit_are_refused(metric, y_true, y_pred):
    with pytest.raises(ShapeError):
        metric.update_state(y_true, y_pred)


def test_weights_that_do_not_fit_are_refused():
    for metric in (
        metrics.MeanSquaredError(),
        metrics.AUC(),
        metrics.F1Score(),
        metrics.R2Score(),
        metrics.BinaryIoU(),
    ):
        with pytest.raises(ShapeError, match="one weight for each row"):
            metric.update_state(np.zeros((4, 3)), np.zeros((4, 3)), np.ones(3))
