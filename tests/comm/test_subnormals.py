"""While a model computes, numbers below the smallest normal one count as zero: in its thread, and in its helpers."""

from __future__ import annotations

import platform
import sys
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import distnet as keras
from distnet.comm.subnormals import Flushed, flushed
from distnet.kernels.teamwork import Team
from distnet.types import Array

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() != "x86_64", reason="subnormal numbers stay as they are here"
)

KINDS = [np.float32, np.float64]


def subnormal(kind: Any = np.float32) -> Array:
    """Half the smallest normal number, which is computed here and now."""
    return np.full(100, np.finfo(kind).tiny, kind) * kind(0.5)


@pytest.mark.parametrize("kind", KINDS)
def test_they_are_zero_within_a_block_however_it_is_left(kind: Any) -> None:
    def leave() -> None:
        with Flushed():
            with Flushed():
                assert (subnormal(kind) == 0).all()
            assert (subnormal(kind) == 0).all()
            raise ValueError("left")

    assert (subnormal(kind) > 0).all()
    with pytest.raises(ValueError, match="left"):
        leave()
    assert (subnormal(kind) > 0).all()


def test_they_are_read_as_zero() -> None:
    small = subnormal()
    with Flushed():
        assert (small * np.float32(4) == 0).all()
    assert (small * np.float32(4) > 0).all()


def test_other_threads_keep_them() -> None:
    seen: list[bool] = []
    with Flushed():
        other = threading.Thread(target=lambda: seen.append(bool((subnormal() > 0).all())))
        ready, go = threading.Event(), threading.Event()
        running = threading.Thread(target=lambda: (ready.set(), go.wait(), seen.append(bool((subnormal() > 0).all()))))
    running.start()
    ready.wait()
    with Flushed():
        go.set()
        running.join()
    other.start()
    other.join()
    assert seen == [True, True]


def test_threads_of_a_team_count_as_the_one_with_the_work_does() -> None:
    team = Team(2)
    meet = threading.Barrier(2)

    def seen() -> list[tuple[int, bool]]:
        each: list[tuple[int, bool]] = []

        def part() -> None:
            meet.wait()  # so that each thread has one of the two parts
            each.append((threading.get_ident(), bool((subnormal() == 0).all())))

        team.do([part, part])
        assert len({thread for thread, _ in each}) == 2
        return each

    assert [is_zero for _, is_zero in seen()] == [False, False]
    assert [is_zero for _, is_zero in flushed(seen)()] == [True, True]
    assert [is_zero for _, is_zero in seen()] == [False, False]


class Notes(keras.layers.Layer):
    """Notes how numbers are counted where it is called."""

    seen: list[bool]

    def call(self, x: Any) -> Any:
        self.seen.append(bool((subnormal() == 0).all()))
        return x


class OwnStep(keras.Model):
    """Takes its steps itself."""

    def train_step(self, data: Any) -> Any:
        return super().train_step(data)


@pytest.mark.parametrize("kind", [keras.Model, OwnStep])
def test_a_model_counts_them_as_zero_and_callbacks_do_not(kind: Any) -> None:
    start = keras.Input((3,))
    notes = Notes()
    notes.seen = []
    model = kind(start, keras.layers.Dense(2)(notes(start)))
    model.compile("sgd", "mse", run_eagerly=True)
    x, y = np.ones((4, 3), np.float32), np.ones((4, 2), np.float32)
    own: list[bool] = []
    watch = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: own.append(bool((subnormal() > 0).all())),
        on_epoch_end=lambda epoch, logs: own.append(bool((subnormal() > 0).all())),
    )
    calls: list[Callable[[], Any]] = [
        lambda: model.fit(x, y, batch_size=2, epochs=2, verbose=0, callbacks=[watch]),
        lambda: model.train_on_batch(x, y),
        lambda: model.evaluate(x, y, verbose=0),
        lambda: model.predict(x, verbose=0),
    ]
    for call in calls:
        notes.seen.clear()
        call()
        assert notes.seen
        assert all(notes.seen)
        assert (subnormal() > 0).all()
    assert len(own) == 6
    assert all(own)


def test_weights_are_not_moved_by_what_is_zero() -> None:
    """Squares of small gradients are subnormal: with them RMSprop would divide by another root."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")])
    model.compile(keras.optimizers.SGD(1e38), "mse")
    x = np.full((1, 1), 1e-20, np.float32)
    model.fit(x, np.zeros((1, 1), np.float32), verbose=0)
    assert model.get_weights()[0].item() == 1.0
