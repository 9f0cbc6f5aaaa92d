"""The arguments of AUC that Keras takes, and what it makes of them."""

import numpy as np
import pytest

from distnet import losses, metrics
from distnet.errors import ArgumentError

Y, P = np.array([0, 0, 1, 1, 0, 1]), np.array([0.1, 0.4, 0.35, 0.8, 0.7, 0.55])


def test_given_thresholds_need_no_number():
    metric = metrics.AUC(num_thresholds=None, thresholds=[0.7, 0.2, 0.5])
    assert metric.num_thresholds == 5
    np.testing.assert_allclose(metric.thresholds, [0.0, 0.2, 0.5, 0.7, 1.0], atol=1e-6)
    assert metric(Y, P) == metrics.AUC(thresholds=[0.2, 0.5, 0.7])(Y, P)
    again = metrics.deserialize(metrics.serialize(metric))
    assert again.get_config() == metric.get_config()
    assert again(Y, P) == metric.result()


def test_no_inner_thresholds_leave_the_ends():
    assert metrics.AUC(thresholds=[])(Y, P) == 0.5  # Keras 3.15
    assert metrics.AUC(thresholds=[]).num_thresholds == 2


def test_neither_number_nor_thresholds_is_refused():
    with pytest.raises(ArgumentError, match="num_thresholds"):
        metrics.AUC(num_thresholds=None)


@pytest.mark.parametrize("shape", [(1,), (1, 1), (1, 3), (1, 3, 1), (4, 1), (4, 3)])
def test_a_weight_with_an_axis_of_one_serves_all_along_it(shape):
    rng = np.random.default_rng(0)
    y, p, weight = rng.random((4, 3, 2)), rng.random((4, 3, 2)), rng.random(shape)
    whole = np.broadcast_to(weight.reshape(shape[:2] if len(shape) > 1 else (1, 1)), (4, 3))
    values = losses.mean_squared_error(y, p)
    assert losses.MeanSquaredError()(y, p, sample_weight=weight) == pytest.approx((values * whole).mean())
    expected = (values * whole).sum() / whole.sum()
    assert metrics.MeanSquaredError()(y, p, sample_weight=weight) == pytest.approx(expected)
