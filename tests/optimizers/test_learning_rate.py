"""What a learning rate may be, and what reading and setting it does."""

import copy
import json
import pickle

import numpy as np
import pytest

from distnet.errors import ArgumentError
from distnet.optimizers import SGD, Adam, LearningRate
from distnet.optimizers.schedules import ExponentialDecay

HALVING = ExponentialDecay(0.8, 1, 0.5)


@pytest.mark.parametrize("value", [0.5, np.float32(0.5), np.array(0.5), np.array([0.5]), LearningRate(0.5, SGD())])
def test_any_number_is_a_learning_rate(value):
    assert SGD(value).learning_rate == 0.5
    assert SGD(learning_rate=value).get_config()["learning_rate"] == 0.5


def test_integers_are_learning_rates_as_in_keras_2():
    assert SGD(1).learning_rate == 1.0
    assert SGD(np.int64(1)).learning_rate == 1.0


@pytest.mark.parametrize("value", [-0.1, float("nan"), float("inf"), None, True, [0.1, 0.2], SGD])
def test_anything_else_is_refused(value):
    with pytest.raises(ArgumentError, match=r"SGD\.learning_rate"):
        SGD(value)


def test_it_reads_as_a_number_with_keras_s_methods():
    optimizer = Adam(0.1)
    rate = optimizer.learning_rate
    assert isinstance(rate, float)
    assert (rate.value, rate.numpy()) == (0.1, np.float64(0.1))
    assert f"{rate:.2f} {json.dumps(rate)}" == "0.10 0.1"
    rate.assign(0.05)
    assert optimizer.learning_rate == 0.05
    optimizer.learning_rate = optimizer.learning_rate * 0.5
    assert optimizer.learning_rate == 0.025
    assert optimizer.get_config()["learning_rate"] == 0.025


def test_copies_of_it_leave_the_optimizer_behind():
    for copied in (pickle.loads(pickle.dumps(Adam(0.1).learning_rate)), copy.deepcopy(Adam(0.1).learning_rate)):
        assert type(copied) is float
        assert copied == 0.1


def test_lr_is_another_name_for_it():
    optimizer = SGD(lr=0.3)
    assert optimizer.learning_rate == optimizer.lr == 0.3
    optimizer.lr = 0.2
    assert optimizer.learning_rate == 0.2
    assert "lr" not in optimizer.get_config()
    assert SGD.from_config({"lr": 0.4, "momentum": 0.5}).learning_rate == 0.4


def test_a_schedule_is_read_at_the_present_step(ones_store, step):
    optimizer = SGD(HALVING)
    for k in range(4):
        assert optimizer.learning_rate == 0.8 * 0.5**k
        before = ones_store.weights[0]
        step(optimizer, ones_store, np.ones(10))
        assert before - ones_store.weights[0] == pytest.approx(0.8 * 0.5**k)
    assert "learning_rate" not in optimizer.scalars


def test_a_schedule_sees_every_batch_where_gradients_are_accumulated(ones_store, step):
    optimizer = SGD(HALVING, gradient_accumulation_steps=2)
    step(optimizer, ones_store, np.ones(10))
    assert optimizer.iterations == 0
    assert optimizer.learning_rate == 0.4


def test_a_scheduled_rate_is_not_settable_unless_overwritten(ones_store):
    optimizer = SGD(HALVING)
    with pytest.raises(ArgumentError, match="schedule"):
        optimizer.learning_rate = 0.1
    with pytest.raises(ArgumentError, match="schedule"):
        optimizer.learning_rate.assign(0.1)
    optimizer.learning_rate = ExponentialDecay(0.2, 1, 0.5)
    assert optimizer.learning_rate == 0.2
    optimizer.overwrite_learning_rate(0.1)
    assert optimizer.learning_rate == 0.1
    assert optimizer.get_config()["learning_rate"] == 0.1


def test_a_number_may_give_way_to_a_schedule():
    optimizer = SGD(0.1)
    optimizer.learning_rate = HALVING
    assert optimizer.learning_rate == 0.8
    assert optimizer.get_config()["learning_rate"]["class_name"] == "ExponentialDecay"


def test_decay_is_keras_2_s_time_decay(ones_store, step):
    optimizer = SGD(lr=0.5, decay=0.25)
    weights = 1.0
    for t in range(4):
        weights -= 0.5 / (1 + 0.25 * t)
        step(optimizer, ones_store, np.ones(10))
        assert ones_store.weights[0] == pytest.approx(weights)
    assert optimizer.learning_rate == 0.5
    assert optimizer.get_config()["decay"] == 0.25
    assert SGD.from_config(optimizer.get_config()).decay == 0.25
