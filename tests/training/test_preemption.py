"""Signals that tell a program to end, within fit: acted on where the training can be saved, else left alone."""

from __future__ import annotations

import signal

import numpy as np
import pytest

import distnet as keras
from distnet.callbacks import BackupAndRestore, Callback
from distnet.errors import ArgumentError, Preempted

X = np.random.default_rng(0).normal(size=(40, 3)).astype("float32")
DEFAULT = signal.SIG_DFL


def make():
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.layers.Dense(2, input_shape=(3,)), keras.layers.Dropout(0.5)])
    model.compile("adam", "mse")
    return model


class Signalled(Callback):
    """Sends this process a signal, and remembers what would handle it."""

    def __init__(self, at=None, number=signal.SIGTERM):
        self.at, self.number, self.handlers, self.calls = at, number, [], 0

    def on_train_batch_end(self, batch, logs=None):
        self.handlers.append(signal.getsignal(self.number))
        self.calls += 1
        if self.calls == self.at:
            signal.raise_signal(self.number)


def fit(model, *callbacks, **options):
    return model.fit(
        X, X[:, :2], **{"epochs": 4, "batch_size": 8, "verbose": 0, "callbacks": list(callbacks), **options}
    )


def assert_same(found, expected):
    for a, b in zip(found.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.fixture
def expected():
    model = make()
    return model, fit(model)


@pytest.mark.slow
def test_the_training_is_saved_at_the_next_step_and_goes_on_from_there(tmp_path, expected, capsys):
    told = Signalled(7)
    with pytest.raises(Preempted) as ended:
        fit(make(), BackupAndRestore(tmp_path), told)
    assert ended.value.code == 75
    assert told.calls == 8
    assert f"by SIGTERM: its training is saved in {tmp_path}/latest.h5, at epoch 2, step 3" in capsys.readouterr().out
    model = make()
    assert fit(model, BackupAndRestore(tmp_path)).history == expected[1].history
    assert_same(model, expected[0])
    assert signal.getsignal(signal.SIGTERM) is DEFAULT


def test_a_resumed_file_takes_the_new_state_where_there_is_no_backup(tmp_path, expected):
    model = make()
    fit(model, epochs=1)
    model.save(tmp_path / "m.h5")
    with pytest.raises(Preempted):
        fit(make(), Signalled(3), resume=tmp_path / "m.h5")
    model = make()
    assert fit(model, resume=tmp_path / "m.h5").history == expected[1].history
    assert_same(model, expected[0])


def test_without_a_place_to_save_to_nothing_is_handled():
    watching = Signalled()
    fit(make(), watching)
    assert set(watching.handlers) == {DEFAULT}


def test_a_handler_of_the_programs_own_stays(tmp_path):
    received = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: received.append(number))
    try:
        fit(make(), BackupAndRestore(tmp_path), Signalled(2))
    finally:
        signal.signal(signal.SIGTERM, before)
    assert received == [signal.SIGTERM]


def test_other_signals_are_handled_where_they_are_asked_for(tmp_path, monkeypatch):
    monkeypatch.setenv("DISTNET_STOP_SIGNALS", "USR1, sigusr2")
    watching = Signalled()
    with pytest.raises(Preempted):
        fit(make(), BackupAndRestore(tmp_path), watching, Signalled(2, signal.SIGUSR2))
    assert set(watching.handlers) == {DEFAULT}
    monkeypatch.setenv("DISTNET_STOP_SIGNALS", "TERMINATE")
    with pytest.raises(ArgumentError, match="DISTNET_STOP_SIGNALS: expected signals such as TERM,USR1, received 'TERM"):
        fit(make(), BackupAndRestore(tmp_path))


def test_a_signal_that_comes_too_late_has_its_usual_effect(tmp_path, monkeypatch):
    """After the last step there is nothing left to save: the signal is sent again once it is not handled any more."""
    raised = []
    monkeypatch.setattr("distnet.training.preemption._send_again", raised.append)
    history = fit(make(), BackupAndRestore(tmp_path), Signalled(20))
    assert history.epoch == [0, 1, 2, 3]
    assert raised == [signal.SIGTERM]
