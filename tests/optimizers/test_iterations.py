"""``optimizer.iterations``: a number with the methods of Keras's variable."""

import copy
import pickle

import numpy as np
import pytest

import distnet as keras
from distnet import optimizers
from distnet.assignments import noting
from distnet.errors import ArgumentError

X, Y = np.linspace(-1, 1, 24).reshape(8, 3), np.linspace(0, 1, 8)[:, None]


def trained(optimizer, *callbacks):
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(1)])
    model.compile(optimizer, "mse")
    model.fit(X, Y, batch_size=2, epochs=2, verbose=0, callbacks=list(callbacks))
    return model


@pytest.mark.parametrize(("steps", "updates"), [(None, 8), (2, 4)])
def test_it_reads_and_is_set_as_a_variable(steps, updates):
    optimizer = trained(optimizers.SGD(0.1, gradient_accumulation_steps=steps)).optimizer
    assert optimizer.iterations == optimizer.iterations.numpy() == optimizer.iterations.value == updates
    assert type(optimizer.iterations + 1) is int
    optimizer.iterations.assign(np.int64(3))
    assert optimizer.iterations == 3
    optimizer.iterations.assign_add(2)
    assert optimizer.iterations == 5


def test_a_schedule_begins_again_where_it_is_set_to_0():
    rate = optimizers.schedules.ExponentialDecay(0.1, 1, 0.5)
    optimizer = trained(optimizers.SGD(rate)).optimizer
    assert optimizer.learning_rate == pytest.approx(0.1 * 0.5**8)
    optimizer.iterations.assign(0)
    assert optimizer.learning_rate == pytest.approx(0.1)


def test_a_callback_may_set_it_where_there_is_one_rank():
    class BeginsAgain(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.optimizer.iterations.assign(0)

    assert trained("adam", BeginsAgain()).optimizer.iterations == 0


def test_a_callback_of_several_ranks_may_not():
    optimizer = optimizers.SGD()
    with noting(), pytest.raises(ArgumentError, match=r"sgd\.iterations: cannot be set by a callback on several ranks"):
        optimizer.iterations.assign(0)
    assert optimizer.iterations == 0


@pytest.mark.parametrize("value", [-1, 2.5, "3", None])
def test_what_is_no_number_of_updates_is_refused(value):
    with pytest.raises(ArgumentError, match=r"sgd\.iterations: expected"):
        optimizers.SGD().iterations.assign(value)


def test_one_of_several_optimizers_is_to_be_asked():
    several = optimizers.MultiOptimizer(optimizers.OptimizerMap(optimizers.SGD()))
    with pytest.raises(AttributeError, match="Use that of one of its optimizers"):
        several.iterations.assign(0)


def test_copies_of_it_leave_the_optimizer_behind():
    iterations = optimizers.SGD().iterations
    assert type(copy.deepcopy(iterations)) is type(pickle.loads(pickle.dumps(iterations))) is int


@pytest.mark.parametrize("hook", ["on_epoch_begin", "on_train_batch_begin", "on_train_batch_end", "on_epoch_end"])
def test_a_callback_cannot_give_its_model_another_optimizer(hook):
    class Swaps(keras.callbacks.Callback):
        pass

    def swap(self, *_):
        self.model.optimizer = optimizers.Adam()

    setattr(Swaps, hook, swap)
    with pytest.raises(ArgumentError, match=r"model\.optimizer = \.\.\.: a model cannot be trained, compiled or given"):
        trained("sgd", Swaps())
