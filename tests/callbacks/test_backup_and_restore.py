"""A program that backs up goes on where it was interrupted, when it is started again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from distnet.callbacks import BackupAndRestore, Callback, ReduceLROnPlateau
from distnet.errors import ArgumentError, CheckpointError

PROGRAM = Path(__file__).parent / "programs" / "backed_up.py"


class Interruption(Callback):
    def __init__(self, epoch, batch=None):
        self.epoch, self.batch = epoch, batch

    def on_train_batch_end(self, batch, logs=None):
        if (len(self.model.training_state.epochs), batch) == (self.epoch, self.batch):
            raise KeyboardInterrupt

    def on_epoch_begin(self, epoch, logs=None):
        if (epoch, None) == (self.epoch, self.batch):
            raise KeyboardInterrupt


def train(make_model, data, callbacks, epochs=5):
    model = make_model("adam")
    return model, model.fit(*data, batch_size=8, epochs=epochs, verbose=0, callbacks=callbacks)


CLAIMS = """
import sys
from distnet.callbacks.claimed_folder import claimed
claim = claimed(sys.argv[1])
print("claimed", flush=True)
sys.stdin.readline()
"""


def test_two_jobs_do_not_back_up_in_one_folder(make_model, data, tmp_path):
    other = subprocess.Popen(
        [sys.executable, "-c", CLAIMS, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    other.stdout.readline()
    with pytest.raises(CheckpointError, match="another job backs up its training here"):
        train(make_model, data, [BackupAndRestore(tmp_path)])
    other.communicate("\n", timeout=30)
    with pytest.warns(UserWarning, match=rf"another job \(process {os.getpid()} of .* wanted to back up"):
        train(make_model, data, [BackupAndRestore(tmp_path)], epochs=1)
    assert not tmp_path.exists()


def interrupted(make_model, data, callbacks):
    with pytest.raises(KeyboardInterrupt):
        train(make_model, data, callbacks)


def assert_same(found, expected):
    for a, b in zip(found.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.slow
def test_it_goes_on_as_if_nothing_had_happened(make_model, data, tmp_path):
    def plateau():
        return ReduceLROnPlateau("loss", patience=1, min_delta=1.0)

    expected, whole = train(make_model, data, [plateau()])
    interrupted(make_model, data, [BackupAndRestore(tmp_path / "b"), plateau(), Interruption(3, 2)])
    found, rest = train(make_model, data, [BackupAndRestore(tmp_path / "b"), plateau()])
    assert rest.history == whole.history
    assert rest.epoch == [0, 1, 2, 3, 4]
    assert_same(found, expected)
    assert not (tmp_path / "b").exists()


def test_a_kept_backup_of_a_finished_training_leaves_nothing_to_do(make_model, data, tmp_path):
    kept = BackupAndRestore(tmp_path, delete_checkpoint=False)
    expected, whole = train(make_model, data, [kept])
    found, again = train(make_model, data, [kept])
    assert again.history == whole.history
    assert_same(found, expected)


def test_only_its_own_files_are_deleted(make_model, data, tmp_path):
    (tmp_path / "notes.txt").touch()
    train(make_model, data, [BackupAndRestore(tmp_path, double_checkpoint=True)])
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_damaged_backup_is_replaced_by_the_one_before_it(make_model, data, tmp_path):
    expected, whole = train(make_model, data, [])
    interrupted(make_model, data, [BackupAndRestore(tmp_path, double_checkpoint=True), Interruption(3)])
    (tmp_path / "latest.h5").write_bytes(b"damaged")
    with pytest.warns(match=r"latest\.h5: .*Training goes on from .*latest\.1\.h5\."):
        found, rest = train(make_model, data, [BackupAndRestore(tmp_path, double_checkpoint=True)])
    assert rest.history == whole.history
    assert_same(found, expected)


def test_without_a_readable_backup_training_does_not_begin_afresh_in_silence(make_model, data, tmp_path):
    (tmp_path / "latest.h5").write_bytes(b"damaged")
    with pytest.raises(CheckpointError, match=r"no backup can be resumed from: .*latest\.h5.*Delete it"):
        train(make_model, data, [BackupAndRestore(tmp_path)])


def test_a_backup_within_an_epoch_goes_on_within_it(make_model, data, tmp_path):
    interrupted(make_model, data, [BackupAndRestore(tmp_path, save_freq=3), Interruption(1, 3)])
    steps = []

    class Count(Callback):
        def on_train_batch_end(self, batch, logs=None):
            steps.append(self.model.training_state.step)

    _, history = train(make_model, data, [BackupAndRestore(tmp_path, save_freq=3), Count()], epochs=2)
    assert history.epoch == [0, 1]
    assert steps == [7, 8, 9, 10]


@pytest.mark.parametrize("save_freq", ["batch", 0, 1.5, True])
def test_an_unknown_frequency_is_refused(save_freq):
    with pytest.raises(ArgumentError, match="save_freq: expected 'epoch' or a number of batches"):
        BackupAndRestore("folder", save_freq)


def test_a_folder_is_needed():
    with pytest.raises(ArgumentError, match="expected a folder"):
        BackupAndRestore("")


def test_a_job_that_died_goes_on_on_another_number_of_ranks(ranks, tmp_path):
    expected = json.loads(ranks(1).run(PROGRAM, tmp_path / "whole").succeeded().stdout)
    ranks(2).run(PROGRAM, tmp_path / "backup", 3).failed(within=20)
    found = json.loads(ranks(3).run(PROGRAM, tmp_path / "backup").succeeded().stdout)
    assert found.pop("epochs") == expected.pop("epochs")
    assert found == pytest.approx(expected, rel=1e-9)
