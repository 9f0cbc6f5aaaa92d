"""From names, configs and functions to metrics."""

import numpy as np
import pytest

from distnet import losses, metrics
from distnet.errors import ArgumentError, UnknownNameError


@pytest.mark.parametrize(
    ("names", "cls"),
    [
        ("mse MSE mean_squared_error MeanSquaredError", metrics.MeanSquaredError),
        ("mae MAE", metrics.MeanAbsoluteError),
        ("mape MAPE", metrics.MeanAbsolutePercentageError),
        ("msle MSLE", metrics.MeanSquaredLogarithmicError),
        ("bce BCE binary_crossentropy", metrics.BinaryCrossentropy),
        ("kld KLD kl_divergence", metrics.KLDivergence),
        ("auc AUC", metrics.AUC),
        ("f1_score F1Score", metrics.F1Score),
        ("fbeta_score f_beta_score", metrics.FBetaScore),
        ("r2_score", metrics.R2Score),
        ("logcosh log_cosh_error", metrics.LogCoshError),
        ("top_k_categorical_accuracy", metrics.TopKCategoricalAccuracy),
        ("precision Precision", metrics.Precision),
    ],
)
def test_every_alias_of_keras_is_known(names, cls):
    for name in names.split():
        metric = metrics.resolve(name, (None, 3), (None, 3))
        assert type(metric) is cls
        assert metric.name == name


@pytest.mark.parametrize(
    ("y_true", "y_pred", "kind"),
    [
        ((None,), (None, 1), "Binary"),
        ((None, 1), (None, 1), "Binary"),
        ((None, 7, 1), (None, 7, 1), "Binary"),
        ((None,), (None, 10), "SparseCategorical"),
        ((None, 1), (None, 10), "SparseCategorical"),
        ((None, 7), (None, 7, 10), "SparseCategorical"),
        ((None, 10), (None, 10), "Categorical"),
    ],
)
def test_accuracy_and_crossentropy_fit_the_shapes(y_true, y_pred, kind):
    for name, family in (
        ("accuracy", "Accuracy"),
        ("acc", "Accuracy"),
        ("crossentropy", "Crossentropy"),
        ("ce", "Crossentropy"),
    ):
        metric = metrics.resolve(name, y_true, y_pred)
        assert type(metric) is getattr(metrics, kind + family)
        assert metric.name == name


def test_objects_and_functions_keep_their_own_names():
    assert metrics.resolve(metrics.MeanSquaredError(name="error"), (None, 1), (None, 1)).name == "error"
    assert metrics.resolve(metrics.mean_absolute_error, (None, 1), (None, 1)).name == "mean_absolute_error"
    assert metrics.get(None) is None
    with pytest.raises(UnknownNameError, match="Did you mean 'Accuracy'"):
        metrics.get("acuracy")


def largest_error(y_true, y_pred):
    return np.abs(y_pred - y_true).max(axis=-1)


def test_a_function_of_the_user_becomes_a_mean_named_after_it():
    metric = metrics.get(largest_error)
    assert metric.name == "largest_error"
    assert metric.size((None, 2), (None, 2)) == 2
    assert metric(np.zeros((2, 2)), np.array([[1.0, 2.0], [3.0, 1.0]])) == 2.5
    config = metrics.serialize(metric)
    assert config["config"]["fn"]["config"] == "largest_error"
    again = metrics.deserialize(config, {"largest_error": largest_error})
    assert again.fn is largest_error


def test_one_number_for_a_batch_counts_as_one_row():
    metric = metrics.get(lambda y_true, y_pred: np.abs(y_true - y_pred).mean())
    metric(np.zeros((2, 2)), np.ones((2, 2)))
    assert metric(np.zeros((4, 2)), np.full((4, 2), 3.0)) == 2.0


def test_a_function_without_numbers_is_named():
    metric = metrics.MeanMetricWrapper(lambda y_true, y_pred: None, name="nothing")
    with pytest.raises(ArgumentError, match="metric nothing: expected one value for each row.*received None"):
        metric(np.zeros((2, 2)), np.ones((2, 2)))


def test_a_function_of_a_loss_is_to_be_made_small_also_when_it_was_read_from_a_file():
    metric = metrics.MeanMetricWrapper(losses.huber, delta=0.5)
    again = metrics.deserialize(metrics.serialize(metric))
    assert metric._direction == again._direction == "down"
    assert metric([[0.0]], [[1.0]]) == again([[0.0]], [[1.0]]) == 0.375


def test_what_is_no_function_is_refused():
    with pytest.raises(ArgumentError, match="function"):
        metrics.MeanMetricWrapper(3)


def test_the_wrapper_passes_options_and_reads_every_form_of_keras():
    y_true, y_pred = np.zeros((2, 2)), np.array([[0.2, 3.0], [1.0, 0.0]])
    expected = losses.huber(y_true, y_pred, 2.0).mean()
    function = {"module": "builtins", "class_name": "function", "config": "huber", "registered_name": "function"}
    for fn in (metrics.huber, "huber", function):
        assert metrics.MeanMetricWrapper(fn, delta=2.0)(y_true, y_pred) == pytest.approx(expected)
    old = {
        "class_name": "MeanMetricWrapper",
        "config": {"name": "accuracy", "dtype": "float32", "fn": "categorical_accuracy"},
    }
    metric = metrics.deserialize(old)
    assert metric.name == "accuracy"
    assert metric(np.eye(2), np.eye(2)[::-1]) == 0.0


class Range(metrics.Metric):
    def __init__(self, name="range", **kwargs):
        super().__init__(name=name, **kwargs)
        self.entries = self.add_weight(name="entries", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.entries.assign_add(np.size(y_pred))

    def result(self):
        return self.entries


def test_a_class_of_the_user_has_state_and_json():
    metric = metrics.get(Range())
    metric.update_state(np.zeros(3), np.zeros(3))
    assert metric(np.zeros(3), np.zeros(3)) == 6.0
    assert metrics.deserialize(metrics.serialize(metric), {"Range": Range}).name == "range"
