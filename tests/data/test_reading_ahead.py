"""Batches made by threads while earlier ones train."""

import threading
import time

import numpy as np
import pytest

import distnet as keras
from distnet.data.reading_ahead import ReadingAhead


def made(workers, numbers, make=lambda number: number, in_parallel=True, size=4):
    return ReadingAhead(workers, size).in_order(make, numbers, in_parallel)


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("in_parallel", [True, False])
def test_the_order_stays(workers, in_parallel):
    def slow(number):
        time.sleep(0.002 * (number % 3))
        return number

    assert list(made(workers, range(20), slow, in_parallel)) == list(range(20))


@pytest.mark.parametrize("workers", [1, 3])
def test_an_error_comes_when_its_turn_comes(workers):
    def failing(number):
        if number == 2:
            raise LookupError("lost")
        return number

    batches = made(workers, range(5), failing)
    assert [next(batches), next(batches)] == [0, 1]
    with pytest.raises(LookupError, match="lost"):
        next(batches)


def test_no_more_is_made_than_the_queue_holds_and_nothing_after_the_end():
    begun = []
    batches = made(3, range(100), begun.append, size=4)
    next(batches)
    batches.close()
    assert len(begun) <= 4
    names = [thread.name for thread in threading.enumerate()]
    assert not any(name.startswith("distnet-reading-ahead") for name in names)


class Drawn(keras.utils.PyDataset):
    """Batches by chance, which notes who made them, and how far ahead."""

    def __init__(self, **options):
        super().__init__(**options)
        self.rng, self.calls = np.random.default_rng(0), []

    def __len__(self):
        return 6

    def __getitem__(self, index):
        self.calls.append((index, threading.current_thread() is threading.main_thread()))
        x = self.rng.normal(size=(8, 3))
        return x, x.sum(axis=1)


def trained(**options):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, "tanh"), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    data = Drawn(**options.pop("of", {}))
    return model.fit(data, epochs=2, verbose=0, **options).history["loss"], data.calls


def test_workers_read_ahead_and_train_on_the_same_batches():
    losses, calls = trained()
    assert all(is_main for _, is_main in calls)
    for options in ({"workers": 2}, {"of": {"workers": 2, "max_queue_size": 2}}):
        ahead, others = trained(**options)
        assert ahead == losses
        assert [index for index, _ in others] == [index for index, _ in calls]
        assert sum(is_main for _, is_main in others) == 1  # the one that tells the shapes
