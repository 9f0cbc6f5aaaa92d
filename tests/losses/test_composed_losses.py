"""Losses in code that differentiates twice, or by the targets, against differences of first gradients."""

import numpy as np
import pytest

from distnet import GradientTape, losses, ops
from distnet.errors import ArgumentError
from distnet.ops.tensor import Tensor
from loss_cases import CASES, IDS

OF_LABELS = (losses.SparseCategoricalCrossentropy, losses.CategoricalGeneralizedCrossEntropy)
ALL_COMPOSED = [(case, name) for case, name in zip(CASES, IDS, strict=True) if case[0].composition() is not None]
COMPOSED = [(case, name) for case, name in ALL_COMPOSED if not isinstance(case[0], OF_LABELS)]
LABELLED = [(case, name) for case, name in ALL_COMPOSED if isinstance(case[0], OF_LABELS)]


def first(loss, t, p, by):
    tensors = Tensor(t), Tensor(p)
    with GradientTape() as tape:
        tape.watch(tensors)
        value = loss(*tensors)
    return float(value), np.asarray(tape.gradient(value, tensors[by]))


def second(loss, t, p, direction):
    """The gradient, by predictions, of the slope in a direction; None where the slope depends on none."""
    tensor = Tensor(p)
    with GradientTape() as outer:
        outer.watch(tensor)
        with GradientTape() as tape:
            tape.watch(tensor)
            value = loss(t, tensor)
        slope = ops.sum(tape.gradient(value, tensor) * direction)
    return outer.gradient(slope, tensor)


@pytest.mark.parametrize("case", [case for case, _ in COMPOSED], ids=[name for _, name in COMPOSED])
def test_second_derivatives_and_gradients_of_targets(case):
    loss, make = case
    t, p = make(np.random.default_rng(5), 3)
    direction, step = np.random.default_rng(6).normal(size=p.shape), 1e-6
    by_hand = [
        loss.sum_and_gradient(t, p + sign * step * direction, None, 1 / value_count(loss, t, p))[1] for sign in (1, -1)
    ]
    expected = (by_hand[0] - by_hand[1]) / (2 * step)
    made = second(loss, t, p, direction)
    np.testing.assert_allclose(0 * p if made is None else made, expected, rtol=1e-5, atol=1e-7)
    # Between the targets 0 and 1 no maximum changes sides.
    t, moved = 0.3 + 0.4 * t, np.random.default_rng(7).normal(size=t.shape)
    values = [loss(t + sign * step * moved, p) for sign in (1, -1)]
    value, gradient = first(loss, t, p, 0)
    assert value == pytest.approx(float(loss(t, p)), rel=1e-10)
    assert np.sum(gradient * moved) == pytest.approx((values[0] - values[1]) / (2 * step), rel=1e-5, abs=1e-7)


def value_count(loss, t, p):
    return loss.divisor(loss.values_per_row(t, p), len(t))


def test_others_are_refused_by_name():
    p = Tensor(np.array([[0.6, 0.8], [0.8, 0.6], [1.0, 0.0]]))
    with GradientTape() as outer:
        outer.watch(p)
        with GradientTape() as tape:
            tape.watch(p)
            value = losses.Circle()(np.array([0, 0, 1]), p)
        with pytest.raises(ArgumentError, match="circle: has no second derivative"):
            tape.gradient(value, p)


@pytest.mark.parametrize("case", [case for case, _ in LABELLED], ids=[name for _, name in LABELLED])
def test_second_derivatives_of_losses_of_class_numbers(case):
    loss, make = case
    t, p = make(np.random.default_rng(5), 3)
    direction, step = np.random.default_rng(6).normal(size=p.shape), 1e-6
    ahead, behind = (first(loss, t, p + sign * step * direction, 1)[1] for sign in (1, -1))
    np.testing.assert_allclose(second(loss, t, p, direction), (ahead - behind) / (2 * step), rtol=1e-5, atol=1e-7)
