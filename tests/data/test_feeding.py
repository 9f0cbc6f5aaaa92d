"""Rows that a thread gathers while the batch before trains are those that the training gathers itself."""

import threading
from functools import partial

import numpy as np
import pytest

import distnet
from distnet import layers
from distnet.callbacks import LambdaCallback
from distnet.comm import LocalCommunicator
from distnet.data import arrays, feeding
from distnet.data.arrays import ArrayData
from distnet.data.feeding import Feeding
from distnet.data.sources import ArraySource
from distnet.training import loop, rows_in_place

RNG = np.random.default_rng(0)
X, Y = RNG.random((26, 5)), RNG.random((26, 2))


def fed_by(monkeypatch, kind):
    """Let all that ``fit`` trains on be fed so: by a thread, in place, or as batches of their own."""
    monkeypatch.setattr(feeding, "LEAST_S", 0.0 if kind == "thread" else 1e9)
    monkeypatch.setattr(arrays, "_AT_ONCE_BYTES", 1 << 16 if kind == "together" else 0)
    monkeypatch.setattr(rows_in_place, "Feeding", lambda room, has_core: Feeding(room, kind == "thread"))
    if kind == "own":
        monkeypatch.setattr(loop, "feeding_of", lambda steps: None)


def helpers():
    return [thread for thread in threading.enumerate() if thread.name.startswith("distnet-feeding")]


def take_all(batches, taken):
    for batch in batches:
        taken.append(batch)


def alone(source, epoch, batches, first):
    """The batches of a source, none of which is gathered with others."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arrays, "_AT_ONCE_BYTES", 0)
        return list(source.epoch(epoch, batches, 7, first))


def rooms():
    memory = {}
    return lambda i, number, shape, dtype: memory.setdefault((i, number, shape), np.empty(shape, dtype))


@pytest.mark.parametrize("shuffle", [True, "batch", False])
@pytest.mark.parametrize("batches", [None, 3, 17])
@pytest.mark.parametrize("first", [0, 2])
@pytest.mark.parametrize("kind", ["thread", "in place", "together", "one together"])
def test_batches_are_those_of_a_source_that_is_not_fed(shuffle, batches, first, kind, monkeypatch):
    monkeypatch.setattr(feeding, "LEAST_S", 0.0)
    monkeypatch.setattr(arrays, "_AT_ONCE_BYTES", {"together": 1000, "one together": 1 << 16}.get(kind, 0))
    ranks = LocalCommunicator(rank=1, size=3)
    data = ArrayData((X, X[:, ::2], np.arange(26)), (Y, Y[:, 0]), (np.arange(26.0), None))  # one is not contiguous
    plain, fed = (ArraySource(data, 4, ranks, shuffle) for _ in range(2))
    fed.feed(Feeding(rooms(), kind == "thread"))
    for epoch in range(3):
        count = 0
        expected = alone(plain, epoch, batches, first)
        for a, b in zip(expected, fed.epoch(epoch, batches, 7, first), strict=True):
            count += 1
            for one, other in zip((*a.x, *a.y, *a.weight), (*b.x, *b.y, *b.weight), strict=True):
                np.testing.assert_array_equal(one, other)
            np.testing.assert_array_equal(a.places, b.places)
            assert (a.first_row, a.global_rows, a.checksums) == (b.first_row, b.global_rows, b.checksums)
        assert count == (batches or 7) - first
    assert not helpers()


@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8"])
@pytest.mark.parametrize("kind", ["thread", "in place", "together"])
def test_models_train_to_the_same_bits_however_they_are_fed(kind, dtype, monkeypatch):
    x = (X * 50).astype(dtype)

    def weights():
        distnet.utils.clear_session()
        distnet.utils.set_random_seed(3)
        entry, other = layers.Input((5,)), layers.Input((5,))
        h = layers.Dropout(0.3)(layers.Dense(6, "relu")(layers.Add()([entry, other])))
        model = distnet.Model([entry, other], layers.Dense(2)(h))
        model.compile("adam", "mse")
        given = {"batch_size": 8, "epochs": 2, "verbose": 0}
        made = [model.fit([x, x[::-1]], Y, **given).history["loss"] for _ in range(2)]
        model.fit([x, x], Y, validation_data=([x, x], Y), **given)
        return [*made, *model.get_weights()]

    with monkeypatch.context() as patch:
        fed_by(patch, "own")
        expected = weights()
    fed_by(monkeypatch, kind)
    for a, b in zip(weights(), expected, strict=True):
        np.testing.assert_array_equal(a, b)
    assert not helpers()


def test_rows_are_gathered_where_the_plan_reads_them(monkeypatch):
    monkeypatch.setattr(arrays, "_AT_ONCE_BYTES", 0)
    x = X.astype("float32")
    model = distnet.Sequential([layers.Input((5,)), layers.Dense(2)])
    model.compile("sgd", "mse")
    for _ in range(2):
        model.fit(x, Y, batch_size=8, epochs=3, verbose=0)
        steps = model.fit_steps.steps
        read = [a for run in steps.runs._planned.values() for a in run._x]
        assert len(read) == 2
        assert all(map(steps.workspaces.holds, read))


@pytest.mark.parametrize("at", [0, 1, 2, 3, 6])
def test_an_error_of_a_batch_is_raised_when_its_turn_comes(at, monkeypatch):
    monkeypatch.setattr(feeding, "LEAST_S", 0.0)

    def gather(number, memory):
        def make():
            if number == at:
                raise OSError("the disk is gone")
            return number

        return make

    taken = []
    batches = Feeding(rooms(), True).in_order(partial(gather, number) for number in range(8))
    with pytest.raises(OSError, match="the disk is gone"):
        take_all(batches, taken)
    assert taken == list(range(at))
    assert not helpers()


@pytest.mark.parametrize("raised", [KeyError, KeyboardInterrupt, SystemExit])
def test_nothing_is_left_running_when_training_ends_within_an_epoch(raised, monkeypatch):
    fed_by(monkeypatch, "thread")
    seen = []

    def stop(batch, logs):
        seen.append(len(helpers()))
        if batch == 4:
            raise raised

    model = distnet.Sequential([layers.Input((5,)), layers.Dense(2)])
    model.compile("sgd", "mse")
    with pytest.raises(raised):
        model.fit(X, Y, batch_size=4, verbose=0, callbacks=[LambdaCallback(on_train_batch_end=stop)])
    assert seen[-1] == 1
    assert not helpers()


def test_code_that_may_keep_rows_gets_its_own(monkeypatch):
    fed_by(monkeypatch, "thread")

    class Keeping(distnet.Model):
        def __init__(self):
            super().__init__()
            self.dense, self.kept = layers.Dense(2), []

        def call(self, x, training=None):
            if training:
                self.kept.append(x)
            return self.dense(x)

    model = Keeping()
    model.compile("sgd", "mse")
    model.fit(X, Y, batch_size=4, verbose=0)
    kept = np.concatenate([np.asarray(x.numpy()) for x in model.kept[-7:]])
    np.testing.assert_array_equal(np.sort(kept[:, 0]), np.sort(X[:, 0].astype(kept.dtype)))
