"""A checkpoint is copied at once and written while the program goes on; nothing overtakes it, nothing is lost."""

import logging
import os
import threading

import h5py
import numpy as np
import pytest

import distnet as keras
from distnet import errors, layers, models
from distnet.callbacks import BackupAndRestore, Callback, ModelCheckpoint
from distnet.saving import background
from distnet.saving.background import Writer
from distnet.saving.seal import is_sealed

pytestmark = pytest.mark.slow

X = np.linspace(-1, 1, 40, dtype="float32").reshape(20, 2)
Y = X[:, :1] * 2


@pytest.fixture
def model():
    model = models.Sequential([layers.Input(shape=(2,)), layers.Dense(4), layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


@pytest.fixture
def gate(monkeypatch):
    """Holds back what is written in the background until it is set."""
    opened = threading.Event()
    put = background.put

    def late(*args, **kwargs):
        if threading.current_thread() is not threading.main_thread():
            assert opened.wait(20)
        put(*args, **kwargs)

    monkeypatch.setattr(background, "put", late)
    yield opened
    opened.set()
    background.finish()


@pytest.fixture
def no_space(monkeypatch):
    def put(path, *args, **kwargs):
        raise errors.CheckpointError(f"{path}: cannot be written: no space.")

    monkeypatch.setattr(background, "put", put)


@pytest.mark.slow
def test_a_checkpoint_is_the_model_as_it_was(model, gate, tmp_path):
    before = model.get_weights()
    model.save_checkpoint(tmp_path / "m.h5")
    assert not (tmp_path / "m.h5").exists()
    model.set_weights([w + 1 for w in before])
    gate.set()
    background.finish()
    assert is_sealed(tmp_path / "m.h5")
    for found, expected in zip(models.load_model(tmp_path / "m.h5").get_weights(), before, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_weights_alone_can_be_written_so(model, tmp_path):
    model.save_checkpoint(tmp_path / "w.h5", weights_only=True)
    background.finish()
    with h5py.File(tmp_path / "w.h5") as file:
        assert "model_config" not in file.attrs
    model.load_weights(tmp_path / "w.h5")


@pytest.mark.parametrize("read", ["load_model", "load_weights"])
def test_who_reads_a_file_that_is_on_its_way_waits_for_it(model, gate, tmp_path, read):
    model.save_checkpoint(tmp_path / "m.h5")
    threading.Timer(0.1, gate.set).start()
    (models.load_model if read == "load_model" else model.load_weights)(tmp_path / "m.h5")


def test_files_are_written_one_after_the_other(model, gate, tmp_path):
    model.save_checkpoint(tmp_path / "a.h5")
    threading.Timer(0.1, gate.set).start()
    model.save_checkpoint(tmp_path / "b.h5")
    assert (tmp_path / "a.h5").exists()
    model.save(tmp_path / "c.h5")
    assert sorted(os.listdir(tmp_path)) == ["a.h5", "b.h5", "c.h5"]


def test_older_files_are_kept_and_retired_ones_deleted(model, tmp_path):
    (tmp_path / "old.h5").touch()
    for _ in range(4):
        model.save_checkpoint(tmp_path / "m.h5", keep=2, retired=[str(tmp_path / "old.h5")])
    background.finish()
    assert sorted(os.listdir(tmp_path)) == ["m.1.h5", "m.h5"]


def test_a_failure_is_raised_by_the_next_checkpoint_and_once(model, no_space, tmp_path):
    model.save_checkpoint(tmp_path / "a.h5")
    with pytest.raises(errors.CheckpointError, match=r"a\.h5: cannot be written: no space"):
        model.save_checkpoint(tmp_path / "b.h5")
    background.finish()


def test_a_failure_ends_fit_at_the_next_hook(model, no_space, tmp_path):
    seen = []

    class Waits(Callback):
        def on_epoch_begin(self, epoch, logs=None):
            seen.append(epoch)
            background._writer._join()

    with pytest.raises(errors.CheckpointError, match=r"m\.h5: cannot be written"):
        model.fit(X, Y, epochs=5, verbose=0, callbacks=[ModelCheckpoint(tmp_path / "m.h5"), Waits()])
    assert seen in ([0], [0, 1])


def test_a_failure_of_the_last_checkpoint_ends_fit(model, no_space, tmp_path):
    with pytest.raises(errors.CheckpointError, match=r"m\.h5: cannot be written"):
        model.fit(X, Y, epochs=1, verbose=0, callbacks=[ModelCheckpoint(tmp_path / "m.h5")])


def test_fit_returns_once_its_checkpoints_stand(model, gate, tmp_path):
    threading.Timer(0.1, gate.set).start()
    model.fit(X, Y, epochs=1, verbose=0, callbacks=[ModelCheckpoint(tmp_path / "m.h5")])
    assert (tmp_path / "m.h5").exists()


def test_a_model_with_a_save_of_its_own_writes_its_checkpoints_by_it(gate, tmp_path):
    class Noted(models.Sequential):
        def save(self, filepath, overwrite=True):
            super().save(filepath, overwrite)
            saved.append(str(filepath))

    saved = []
    model = Noted([layers.Input(shape=(2,)), layers.Dense(1)])
    for number in range(2):
        model.save_checkpoint(tmp_path / f"{number}.h5", retired=[str(tmp_path / f"{number - 1}.h5")])
        gate.set()
    background.finish()
    assert saved == [str(tmp_path / "0.h5"), str(tmp_path / "1.h5")]
    assert [path.name for path in tmp_path.iterdir()] == ["1.h5"]


def test_what_ends_training_does_not_end_the_checkpoint(model, gate, tmp_path):
    class Interruption(Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                threading.Timer(0.1, gate.set).start()
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y, epochs=3, verbose=0, callbacks=[ModelCheckpoint(tmp_path / "m.h5"), Interruption()])
    assert is_sealed(tmp_path / "m.h5")


def test_a_backup_that_is_deleted_is_not_written_afterwards(model, gate, tmp_path):
    threading.Timer(0.1, gate.set).start()
    model.fit(X, Y, epochs=1, verbose=0, callbacks=[BackupAndRestore(tmp_path / "b")])
    assert not (tmp_path / "b").exists()


@pytest.mark.slow
def test_the_program_does_not_end_before_the_file_stands(alone, tmp_path):
    program = """
import sys, time
import distnet as keras
from distnet.saving import background
put = background.put
background.put = lambda *args: (time.sleep(0.5), put(*args))
keras.Sequential([keras.layers.Input(shape=(2,)), keras.layers.Dense(2)]).save_checkpoint(sys.argv[1])
"""
    alone.run(program, tmp_path / "m.h5").succeeded()
    assert is_sealed(tmp_path / "m.h5")


def test_a_failure_that_nobody_meets_is_logged_in_the_end(no_space, tmp_path, caplog):
    writer = Writer()
    writer.write(background.CheckpointPath(tmp_path / "m.h5"), lambda image: None)
    with caplog.at_level(logging.ERROR):
        writer.lament()
    assert "m.h5: cannot be written: no space" in caplog.text


def test_under_mpi_a_failure_of_rank_0_ends_the_job(ranks, tmp_path):
    program = """
import sys, time
import numpy as np
import distnet as keras
model = keras.Sequential([keras.layers.Input(shape=(2,)), keras.layers.Dense(2)])
model.compile("sgd", "mse")
x = np.ones((8, 2))
model.fit(x, x, epochs=1000, verbose=0, callbacks=[keras.callbacks.ModelCheckpoint(sys.argv[1])])
"""
    (tmp_path / "file").write_text("")
    job = ranks(2).run(program, tmp_path / "file" / "m.h5").failed(within=20)
    assert "rank 0 of 2 failed; the job ends" in job.stderr
    assert "file/m.h5: cannot be written" in job.stderr


@pytest.mark.parametrize("keep", [0, -1, 1.5, "2"])
def test_a_number_of_files_to_keep_is_positive(keep, tmp_path):
    with pytest.raises(errors.ArgumentError, match=r"keep"):
        ModelCheckpoint(tmp_path / "m.h5", keep=keep)
    with pytest.raises(errors.ArgumentError, match=r"keep"):
        BackupAndRestore(tmp_path, keep=keep)


@pytest.mark.parametrize(
    ("name", "keep", "expected"),
    [
        ("m.h5", None, ["m.h5"]),
        ("m.h5", 3, ["m.1.h5", "m.2.h5", "m.h5"]),
        ("{epoch}.h5", None, ["1.h5", "2.h5", "3.h5", "4.h5", "5.h5"]),
        ("{epoch}.h5", 2, ["4.h5", "5.h5"]),
    ],
)
def test_model_checkpoint_keeps_as_many_files_as_it_is_told(model, tmp_path, name, keep, expected):
    model.fit(X, Y, epochs=5, verbose=0, callbacks=[ModelCheckpoint(tmp_path / name, keep=keep)])
    assert sorted(os.listdir(tmp_path)) == expected
    assert all(is_sealed(tmp_path / name) for name in expected)


def test_a_backup_keeps_as_many_as_it_is_told(model, tmp_path):
    backup = BackupAndRestore(tmp_path, keep=3, delete_checkpoint=False)
    model.fit(X, Y, epochs=5, verbose=0, callbacks=[backup])
    assert sorted(os.listdir(tmp_path)) == ["latest.1.h5", "latest.2.h5", "latest.h5"]
    epochs = [keras.models.load_model(path).training_state.epochs[-1] for path in backup.resume_paths()]
    assert epochs == [4, 3, 2]


@pytest.mark.slow
def test_a_writer_that_is_killed_leaves_whole_files(alone, tmp_path):
    program = """
import sys
import distnet as keras
model = keras.Sequential([keras.layers.Input(shape=(700,)), keras.layers.Dense(700)])
while True:
    model.save_checkpoint(sys.argv[1], keep=3)
"""
    for _ in range(2):
        job = alone.start(program, tmp_path / "m.h5")
        job.wait_for(tmp_path / "m.1.h5")
        job.kill()
        written = [path for path in tmp_path.iterdir() if path.suffix == ".h5"]
        assert tmp_path / "m.h5" in written
        assert all(is_sealed(path) for path in written)
        (tmp_path / "m.1.h5").unlink()
    models.Sequential([layers.Input(shape=(2,)), layers.Dense(2)]).save(tmp_path / "m.h5")
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".tmp"] == []
