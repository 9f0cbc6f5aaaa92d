"""Losses and metrics of tensors, within code that is differentiated."""

from __future__ import annotations

import numpy as np
import pytest

import distnet as keras
from distnet import GradientTape, ops
from distnet.errors import ArgumentError
from distnet.ops.tensor import Tensor

P = np.random.default_rng(0).random((7, 3)) + 0.1
P /= P.sum(axis=1, keepdims=True)
LABELS = np.random.default_rng(1).integers(0, 3, 7)
WEIGHTS = np.random.default_rng(2).random(7)
LOSSES = [
    keras.losses.MeanSquaredError(),
    keras.losses.MeanSquaredError(reduction="mean_with_sample_weight"),
    keras.losses.BinaryCrossentropy(reduction="sum"),
    keras.losses.CategoricalCrossentropy(reduction="none"),
    keras.losses.SparseCategoricalCrossentropy(),
    keras.losses.CosineSimilarity(),
    keras.losses.Dice(axis=0),
    keras.losses.mean_absolute_error,
]


def targets_of(loss) -> np.ndarray:
    return LABELS if isinstance(loss, keras.losses.SparseCategoricalCrossentropy) else np.eye(3)[LABELS]


def takes_weights(loss) -> bool:
    return hasattr(loss, "reduction") and not loss.couples_rows


@pytest.mark.parametrize(
    ("loss", "is_weighted"),
    [(loss, False) for loss in LOSSES] + [(loss, True) for loss in LOSSES if takes_weights(loss)],
    ids=lambda value: str(value) if isinstance(value, bool) else getattr(value, "name", "function"),
)
def test_a_loss_of_tensors_has_the_value_and_the_slope_of_that_of_arrays(loss, is_weighted):
    weight = {"sample_weight": WEIGHTS} if is_weighted else {}
    targets, p, step = targets_of(loss), Tensor(P), 1e-6
    with GradientTape() as tape:
        tape.watch(p)
        value = ops.mean(loss(targets, p, **weight))
    np.testing.assert_allclose(float(value), np.mean(loss(targets, P, **weight)), rtol=1e-14)
    slope = np.zeros_like(P)
    for i in np.ndindex(P.shape):
        higher, lower = P.copy(), P.copy()
        higher[i] += step
        lower[i] -= step
        slope[i] = (np.mean(loss(targets, higher, **weight)) - np.mean(loss(targets, lower, **weight))) / (2 * step)
    np.testing.assert_allclose(tape.gradient(value, p), slope, rtol=1e-6, atol=1e-8)


class StatesGradient(keras.losses.Loss):
    def values_and_gradient(self, y_true, y_pred):
        error = y_pred - y_true
        return (error**2).sum(axis=-1), 2 * error


def test_gradients_by_targets_are_refused_where_a_loss_states_that_by_predictions_alone():
    p, t = Tensor(P), Tensor(P[::-1].copy())
    with GradientTape(persistent=True) as tape:
        tape.watch([p, t])
        value = StatesGradient(name="own")(t, p)
    assert tape.gradient(value, p).shape == P.shape
    with pytest.raises(ArgumentError, match=r"own: has no gradient with respect to y_true.*stop_gradient"):
        tape.gradient(value, t)


def test_metrics_take_tensors_and_let_no_gradient_through():
    metric, own = keras.metrics.CategoricalAccuracy(), keras.metrics.Mean()
    p = Tensor(P)
    with GradientTape() as tape:
        tape.watch(p)
        loss = ops.sum(p * p)
        metric.update_state(np.eye(3)[LABELS], p * 1.0, sample_weight=WEIGHTS)
        own.update_state(loss)
        assert isinstance(float(metric.result()), float)
    again = keras.metrics.CategoricalAccuracy()
    again.update_state(np.eye(3)[LABELS], P, sample_weight=WEIGHTS)
    assert metric.result() == again.result()
    assert own.result() == pytest.approx(float(loss))
