"""What every metric promises."""

import inspect
import json
import pickle

import numpy as np
import pytest

from distnet import losses, metrics
from distnet.errors import ShapeError

ARGUMENTS = {
    "IoU": {"num_classes": 3, "target_class_ids": [0, 2]},
    "OneHotIoU": {"num_classes": 3, "target_class_ids": [1]},
    "MeanIoU": {"num_classes": 3},
    "OneHotMeanIoU": {"num_classes": 3},
    "SensitivityAtSpecificity": {"specificity": 0.5},
    "SpecificityAtSensitivity": {"sensitivity": 0.5},
    "PrecisionAtRecall": {"recall": 0.5},
    "RecallAtPrecision": {"precision": 0.5},
    "MeanRelativeError": {"normalizer": [1.0, 2.0, 4.0]},
    "MeanMetricWrapper": {"fn": "huber", "delta": 0.5},
}
NAMES = sorted(metrics.METRICS.classes())
KERAS_NAMES = {
    "LogCoshError": "logcosh",
    "FBetaScore": "fbeta_score",
    "F1Score": "f1_score",
    "IoU": "io_u",
    "MeanIoU": "mean_io_u",
    "AUC": "auc",
    "R2Score": "r2_score",
    "KLDivergence": "kl_divergence",
    "MeanMetricWrapper": "huber",
    "TopKCategoricalAccuracy": "top_k_categorical_accuracy",
    "TruePositives": "true_positives",
}


def make(name):
    return metrics.METRICS.classes()[name](**ARGUMENTS.get(name, {}))


def data(name):
    rng = np.random.default_rng(4)
    y_pred = rng.uniform(0.05, 0.95, (9, 3))
    y_true = np.eye(3)[rng.integers(0, 3, 9)]
    if name.startswith("Sparse"):
        return y_true.argmax(-1), y_pred
    if name in ("IoU", "MeanIoU"):
        return y_true, np.round(y_pred)
    return y_true, y_pred


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


def feed(metric, y_true, y_pred):
    if isinstance(metric, metrics.Mean | metrics.Sum):
        return metric.sums(y_pred)
    return metric.sums(y_true, y_pred)


def test_what_is_ready_gives_the_bits_of_the_sums(name):
    metric, (y_true, y_pred) = make(name), data(name)
    for dtype in ("float64", "float32"):
        place = y_pred.astype(dtype)
        ready = metric.ready(y_true, place)
        for rolled in range(3 if ready else 0):
            place[...] = np.roll(y_pred, rolled, axis=0)
            np.testing.assert_array_equal(ready(y_true), metric.added_by(y_true, place))


def test_state_is_one_float64_vector_whose_parts_add_up(name):
    metric, (y_true, y_pred) = make(name), data(name)
    whole = feed(metric, y_true, y_pred)
    assert whole.dtype == np.float64
    assert whole.shape == (metric.size(y_true.shape, y_pred.shape),)
    parts = [feed(metric, y_true[rows], y_pred[rows]) for rows in (slice(0, 4), slice(4, 4), slice(4, 5), slice(5, 9))]
    np.testing.assert_allclose(sum(parts), whole, rtol=1e-13)
    assert metric.state is None


def test_updates_accumulate_until_the_reset(name):
    metric, (y_true, y_pred) = make(name), data(name)
    for rows in (slice(0, 4), slice(4, 9)):
        metric.add(feed(metric, y_true[rows], y_pred[rows]))
    np.testing.assert_allclose(metric.result(), metric.result_of(feed(metric, y_true, y_pred)), rtol=1e-13)
    for reset in (metric.reset_state, metric.reset_states):
        reset()
        assert metric.state is None
        assert metric.result() == 0.0


@pytest.mark.parametrize("of_function", [name for name in NAMES if hasattr(make(name), "function")])
def test_the_function_gives_the_values_whose_mean_the_metric_is(of_function):
    metric, (y_true, y_pred) = make(of_function), data(of_function)
    function = metric.function
    values = function(y_true, y_pred, *metric.options().values())
    assert values.shape[0] == len(y_pred)
    assert values.mean() == pytest.approx(metric(y_true, y_pred), rel=1e-13)
    assert list(inspect.signature(function).parameters) == ["y_true", "y_pred", *metric.options()]
    assert pickle.loads(pickle.dumps(function)) is function
    with pytest.raises(TypeError, match="unexpected keyword argument"):
        function(y_true, y_pred, no_option=1)


@pytest.mark.parametrize("loss", [cls for cls in losses.LOSSES.classes().values() if cls.metric], ids=str)
def test_a_loss_says_what_it_is_as_a_metric(loss):
    metric = getattr(metrics, loss.metric.class_name or loss.__name__)
    assert metric.function is loss.function
    assert metric.__doc__ == loss.__doc__
    assert metric.direction == "down"
    for name in losses.LOSSES.names_of(loss):
        assert metrics.METRICS.find(name) is metric


def test_float32_predictions_give_the_same_to_rounding(name):
    metric, (y_true, y_pred) = make(name), data(name)
    narrow = feed(metric, y_true, y_pred.astype(np.float32))
    np.testing.assert_allclose(narrow, feed(metric, y_true, y_pred), rtol=1e-5)


def test_json_gives_the_same_metric_back(name):
    metric = make(name)
    again = metrics.deserialize(json.loads(json.dumps(metrics.serialize(metric))))
    assert type(again) is type(metric)
    assert again.get_config() == metric.get_config()
    y_true, y_pred = data(name)
    np.testing.assert_array_equal(feed(again, y_true, y_pred), feed(metric, y_true, y_pred))


def test_a_name_is_kept_and_the_default_is_keras_s(name):
    assert type(make(name))(**ARGUMENTS.get(name, {}), name="mine").name == "mine"
    assert make(name).name == KERAS_NAMES.get(name, make(name).name)
    assert metrics.METRICS.find(name) is type(make(name))


def test_state_of_another_width_is_refused():
    metric = metrics.F1Score()
    metric.update_state(np.eye(3), np.eye(3))
    with pytest.raises(ShapeError, match="reset_state"):
        metric.update_state(np.eye(4), np.eye(4))
