"""Replicas whose optimizers' slots lie at different places, as after a checkpoint that rank 0 alone saved."""

import numpy as np
import pytest

import distnet as keras
from distnet.errors import ReplicaError
from distnet.parallel.replica_slots import HeldSlots, slots_of


def a_model(steps, optimizer="adam"):
    """Trained by a loop that hands its gradients over in another order than the model's."""
    rng = np.random.default_rng(0)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(5), keras.layers.Dense(1)])
    model.compile(optimizer, "mse")
    for _ in range(steps):
        pairs = [(rng.normal(size=v.shape).astype(v.dtype), v) for v in model.trainable_weights]
        model.optimizer.apply_gradients(pairs[::-1])
    return model


def by_variable(model):
    """The slots, in the model's order."""
    model.optimizer.lay_out_like(model.store)
    return [slot.copy() for slot in slots_of(model)]


@pytest.mark.parametrize("steps", [0, 1])
def test_slots_are_taken_by_variable_wherever_they_lie(steps, tmp_path):
    leader, other = a_model(2), a_model(steps)
    leader.save(tmp_path / "model.h5")
    if steps:
        assert [slot.size for slot in slots_of(leader)] != [slot.size for slot in slots_of(other)]
    held, values = HeldSlots.of(leader), [slot.copy() for slot in slots_of(leader)]
    assert [slot.shape for slot in held.empty()] == [slot.shape for slot in values]
    held.take(other, values)
    for ours, theirs in zip(by_variable(other), by_variable(leader), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert any(slot.any() for slot in slots_of(other))


def test_an_optimizer_before_its_first_step_is_that_again():
    model = a_model(1)
    HeldSlots.of(a_model(0)).take(model, [])
    assert not model.optimizer.built
    assert slots_of(model) == []


def test_slots_of_another_rule_are_refused():
    leader, other = a_model(1), a_model(1, keras.optimizers.SGD(0.1, momentum=0.9))
    with pytest.raises(ReplicaError, match="expected momentum, velocity of 4 variables, received"):
        HeldSlots.of(leader).take(other, slots_of(leader))
