"""Corners of the arguments that all optimizers share, beyond the golden runs."""

import numpy as np
import pytest

from distnet.errors import ArgumentError
from distnet.optimizers import SGD, Ftrl, Lamb
from distnet.optimizers.schedules import PiecewiseConstantDecay

SHAPES = {"kernel": (3, 2), "bias": (2,)}


@pytest.fixture
def store(make_store):
    return make_store(SHAPES, np.ones(8))


def test_variables_are_spared_weight_decay_by_object_or_by_name(store, step, values):
    kernel, bias = store.variables
    for selection in ({"var_list": [bias]}, {"var_names": ["bias"]}, {"var_names": ["gamma", "^b"]}):
        store.weights[...] = 1
        optimizer = SGD(1.0, weight_decay=0.5)
        optimizer.exclude_from_weight_decay(**selection)
        step(optimizer, store, np.zeros(8))
        np.testing.assert_array_equal(kernel.value, np.full((3, 2), 0.5))
        np.testing.assert_array_equal(bias.value, np.ones(2))


def test_sparing_comes_before_training(store):
    optimizer = SGD(weight_decay=0.1)
    optimizer.build(store)
    with pytest.raises(ArgumentError, match="before training"):
        optimizer.exclude_from_weight_decay(var_names=["bias"])


def test_a_clip_of_zero_is_none_as_in_keras(store, step, values):
    step(SGD(1.0, clipnorm=0.0), store, np.full(8, 3.0))
    np.testing.assert_array_equal(values(store.weights, store), np.full(8, -2.0))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_one_gradient_that_is_not_finite_makes_all_nan_under_a_global_clip(bad, store, step, values):
    step(SGD(global_clipnorm=1.0), store, [bad, *np.ones(7)])
    assert np.isnan(values(store.weights, store)).all()


def test_one_gradient_that_is_not_finite_spoils_its_own_variable_under_a_clip(store, step):
    step(SGD(1.0, clipnorm=1.0), store, [np.nan, *np.zeros(5), 0.6, 0.8])
    kernel, bias = store.variables
    assert np.isnan(kernel.value).all()
    np.testing.assert_allclose(bias.value, [0.4, 0.2])


def test_accumulated_gradients_move_the_weights_at_the_last_step_only(store, step, values):
    optimizer = SGD(1.0, gradient_accumulation_steps=3)
    seen = []
    for gradient in (3.0, 6.0, 0.0, 9.0, 9.0, 9.0):
        step(optimizer, store, np.full(8, gradient))
        seen.append((optimizer.iterations, store.weights[0]))
    assert seen == [(0, 1), (0, 1), (1, -2), (1, -2), (1, -2), (2, -11)]


def test_the_average_replaces_the_weights_at_the_end(store, step, values):
    optimizer = SGD(1.0, use_ema=True, ema_momentum=0.5)
    optimizer.finalize_variable_values(store)
    np.testing.assert_array_equal(values(store.weights, store), np.ones(8))
    for _ in range(2):
        step(optimizer, store, np.ones(8))
    np.testing.assert_array_equal(values(store.weights, store), np.full(8, -1.0))
    optimizer.finalize_variable_values(store)
    np.testing.assert_array_equal(values(store.weights, store), np.full(8, -0.5))


def test_constraints_hold_after_every_step(make_store, step, values):
    store = make_store(SHAPES, np.ones(8), constraints={"kernel": lambda w: np.clip(w, 0.5, None)})
    step(SGD(1.0), store, np.ones(8))
    np.testing.assert_array_equal(values(store.weights, store), [*np.full(6, 0.5), 0, 0])


def test_ftrl_learns_nothing_at_learning_rate_zero(store, step, values):
    optimizer = Ftrl(PiecewiseConstantDecay([0], [0.0, 0.1]), beta=0.5)
    step(optimizer, store, np.ones(8))
    np.testing.assert_array_equal(values(store.weights, store), np.ones(8))
    step(optimizer, store, np.ones(8))
    assert np.isfinite(store.weights).all()


def test_lamb_scales_each_variable_by_itself(make_store, step, values):
    weights = np.array([*np.full(6, 10.0), 0.1, 0.1])
    store = make_store(SHAPES, weights)
    step(Lamb(0.1), store, np.random.default_rng(0).standard_normal(8))
    changes = np.abs(values(store.weights, store) - weights)
    np.testing.assert_allclose(changes[:6], 1.0, rtol=1e-4)
    np.testing.assert_allclose(changes[6:], 0.01, rtol=1e-4)
