"""What can be resumed, what is refused, and what is said."""

from __future__ import annotations

import numpy as np
import pytest

import distnet as keras
from distnet import callbacks, layers, models
from distnet.callbacks import BackupAndRestore, Callback, CSVLogger, EarlyStopping, ModelCheckpoint
from distnet.errors import ArgumentError, CheckpointError, DataError

pytestmark = pytest.mark.slow

rng = np.random.default_rng(0)
X = rng.normal(size=(40, 3)).astype("float32")
Y = X[:, :1] * 2
FIT = {"batch_size": 8, "epochs": 4, "verbose": 0}


class Interruption(Callback):
    """Leaves the program, as Ctrl-C does, after so many batches."""

    def __init__(self, batches):
        self.left = batches

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt


def make(optimizer="adam", metrics=()):
    keras.utils.set_random_seed(1)
    model = keras.Sequential([layers.Dense(4, "tanh", input_shape=(3,)), layers.Dropout(0.3), layers.Dense(1)])
    model.compile(optimizer, "mse", list(metrics))
    return model


def fit(model=None, *watching, x=X, y=Y, **options):
    model = make() if model is None else model
    return model, model.fit(x, y, **{**FIT, "callbacks": list(watching), **options})


def interrupted(after, *watching, model=None, **options):
    model = make() if model is None else model
    with pytest.raises(KeyboardInterrupt):
        fit(model, *watching, Interruption(after), **options)
    return model


def assert_same(found, expected):
    for a, b in zip(found[0].get_weights(), expected[0].get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert found[1].history == expected[1].history
    assert found[1].epoch == expected[1].epoch


@pytest.fixture
def within(tmp_path):
    """A file saved after 7 batches: within the second epoch of 5."""
    interrupted(8, ModelCheckpoint(tmp_path / "m.h5", save_freq=7))
    return tmp_path / "m.h5"


@pytest.fixture
def between(tmp_path):
    """A file saved after the second epoch."""
    interrupted(11, ModelCheckpoint(tmp_path / "m.h5"))
    return tmp_path / "m.h5"


@pytest.mark.filterwarnings("ignore:.*holds the state of ModelCheckpoint")
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"batch_size": 10}, "with batch_size 8; here it is 10"),
        ({"x": X[:37], "y": Y[:37]}, "with rows 40; here it is 37"),
        ({"shuffle": False}, "with shuffle True; here it is False"),
        ({"steps_per_epoch": 3}, "with steps 5; here it is 3"),
        ({"x": [(X, Y)].__iter__(), "y": None, "steps_per_epoch": 5}, "with rows 40; here it is unknown"),
        ({"model": make(metrics=["mae"])}, "with metrics 0 sums; here it is 2 sums"),
    ],
    ids=["batch_size", "rows", "shuffle", "steps", "generator", "metrics"],
)
def test_within_an_epoch_the_batches_must_be_those_of_before(within, change, message):
    with pytest.raises(CheckpointError, match=rf"m\.h5: was saved within epoch 2, {message}.* only between epochs"):
        fit(**{"resume": within, **change})


def test_between_epochs_anything_may_change(between):
    _, history = fit(resume=between, batch_size=10, shuffle=False, x=X[:30], y=Y[:30])
    assert history.epoch == [0, 1, 2, 3]


def test_the_files_seed_goes_before_the_programs(within):
    expected = fit()
    model = make()
    keras.utils.set_random_seed(99)
    with pytest.warns(
        UserWarning, match=r"m\.h5: holds the state of ModelCheckpoint, which is not among the callbacks"
    ):
        assert_same(fit(model, resume=within), expected)


def test_a_file_that_does_not_exist_is_named():
    with pytest.raises(CheckpointError, match=r"none\.h5: there is no such file"):
        fit(resume="none.h5")


def test_an_empty_backup_folder_is_a_beginning(tmp_path):
    assert_same(fit(make(), BackupAndRestore(tmp_path / "new")), fit())


def test_a_backup_goes_before_the_file_named(between, tmp_path):
    expected = fit()
    interrupted(6, BackupAndRestore(tmp_path / "b", 2), resume=between)
    seen = []
    count = callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(batch))
    assert_same(fit(make(), BackupAndRestore(tmp_path / "b", 2), count, resume=between), expected)
    assert seen == [4, 0, 1, 2, 3, 4]  # the file was of the end of epoch 2, the backup of 4 batches later


def test_a_backup_of_a_later_fit_is_refused(tmp_path):
    model, _ = fit()
    interrupted(3, BackupAndRestore(tmp_path, 2), model=model)
    with pytest.raises(CheckpointError, match=r"belongs to a later call of fit, the 2\. of its model; this is the 1\."):
        fit(make(), BackupAndRestore(tmp_path, 2))


def test_a_program_with_two_fits_goes_on_in_the_second(tmp_path):
    def program(*interruption):
        model, _ = fit(make(), BackupAndRestore(tmp_path / "one", 3))
        return fit(model, BackupAndRestore(tmp_path / "two", 3), *interruption, x=X[:20], y=Y[:20])

    expected = program()
    with pytest.raises(KeyboardInterrupt):
        program(Interruption(4))
    assert_same(program(), expected)


def test_an_interrupted_fit_in_a_notebook_goes_on_when_its_cell_runs_again(tmp_path):
    model = interrupted(13, BackupAndRestore(tmp_path, 2))
    assert_same(fit(model, BackupAndRestore(tmp_path, 2)), fit())


def test_a_model_saved_after_an_interruption_goes_on_where_it_was_interrupted(tmp_path):
    interrupted(13).save(tmp_path / "m.h5")
    assert_same(fit(resume=tmp_path / "m.h5"), fit())


def test_a_model_saved_after_an_interruption_within_a_step_is_refused(tmp_path, monkeypatch):
    model = make()
    fit(model, epochs=1)

    def interrupt(store):
        raise KeyboardInterrupt

    monkeypatch.setattr(model.optimizer, "apply", interrupt)
    with pytest.raises(KeyboardInterrupt):
        fit(model, initial_epoch=1)
    monkeypatch.undo()
    model.save(tmp_path / "m.h5")
    with pytest.raises(CheckpointError, match=r"m\.h5: was saved after an interruption within a step of epoch 2"):
        fit(resume=tmp_path / "m.h5")
    assert fit(models.load_model(tmp_path / "m.h5"))[1].epoch == [0, 1, 2, 3]


def test_a_loaded_model_goes_on_too(within):
    with pytest.warns(UserWarning, match="ModelCheckpoint"):
        assert_same(fit(models.load_model(within), resume=within), fit())


def test_nothing_is_trained_where_all_epochs_are_done(tmp_path):
    expected = fit()
    expected[0].save(tmp_path / "m.h5")
    seen = []
    begins = callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: seen.append(epoch))
    assert_same(fit(make(), begins, resume=tmp_path / "m.h5"), expected)
    assert not seen


def test_more_epochs_after_the_end_are_those_of_a_longer_training(tmp_path):
    def watching():
        return EarlyStopping("loss", patience=3), callbacks.ReduceLROnPlateau("loss", 0.5, patience=1, min_delta=1.0)

    fit(make(), *watching(), epochs=2)[0].save(tmp_path / "m.h5")
    assert_same(fit(make(), *watching(), resume=tmp_path / "m.h5"), fit(make(), *watching()))


class Overwriting(Callback):
    """Changes the optimizer otherwise than by its state."""

    def on_train_batch_end(self, batch, logs=None):
        if self.model.training_state.step == 4:
            self.model.optimizer.overwrite_learning_rate(0.25)
            self.model.optimizer.momentum = 0.5


def test_what_a_callback_changed_of_the_optimizer_stays_changed(tmp_path):
    def decaying():
        rate = keras.optimizers.schedules.ExponentialDecay(0.1, 5, 0.9)
        return make(keras.optimizers.SGD(rate, momentum=0.9))

    expected = fit(decaying(), Overwriting())
    for batches in (9, 5):
        interrupted(batches, Overwriting(), BackupAndRestore(tmp_path, 2), model=decaying())
    found = fit(decaying(), Overwriting(), BackupAndRestore(tmp_path, 2))
    assert_same(found, expected)
    assert (found[0].optimizer.learning_rate, found[0].optimizer.momentum) == (0.25, 0.5)


def test_a_generator_that_is_too_short_is_named(tmp_path):
    def batches(number):
        return ((X[:8], Y[:8]) for _ in range(number))

    generator = {"x": batches(20), "y": None, "batch_size": None, "steps_per_epoch": 5}
    interrupted(8, BackupAndRestore(tmp_path, 2), **generator)
    with pytest.raises(DataError, match="ends after 4, when 6 had been trained on. Start it from its beginning"):
        fit(make(), BackupAndRestore(tmp_path, 2), **{**generator, "x": batches(4)})


class Counter(Callback):
    def __init__(self, state):
        self.state = state

    def get_state(self):
        return self.state

    def set_state(self, state):
        self.state = state["n"]


@pytest.mark.parametrize("state", [{"n": {1, 2}}, {"n": {3: "three"}}, {"n": np.array([None])}, {"n": [lambda: 0]}])
def test_a_state_that_cannot_be_written_is_named(tmp_path, state):
    with pytest.raises(ArgumentError, match=r"Counter'\]\['state'\]\['n'\].*expected numbers, texts, arrays"):
        fit(make(), Counter(state), ModelCheckpoint(tmp_path / "m.h5"))


def test_a_state_that_the_callback_cannot_use_is_named(tmp_path):
    interrupted(9, Counter({"m": 1}), BackupAndRestore(tmp_path, 2))
    with pytest.raises(CheckpointError, match=r"latest\.h5: Counter cannot use its state: KeyError"):
        fit(make(), Counter({}), BackupAndRestore(tmp_path, 2))


def test_state_of_another_version_of_a_callback_is_named(tmp_path, monkeypatch):
    interrupted(9, EarlyStopping("loss"), BackupAndRestore(tmp_path, 2))
    monkeypatch.setattr(EarlyStopping, "get_state", lambda self: {"wait": 3})
    interrupted(2, EarlyStopping("loss", patience=9), BackupAndRestore(tmp_path, 1))
    with pytest.raises(
        CheckpointError, match=r"latest\.h5: EarlyStopping: expected the state of .*, received \['wait'"
    ):
        fit(make(), EarlyStopping("loss"), BackupAndRestore(tmp_path, 2))


def test_the_state_of_a_callback_that_is_gone_is_named_and_its_stop_with_it(tmp_path):
    def never():
        return EarlyStopping("loss", patience=1, min_delta=100.0)

    fit(make(), never(), epochs=9)[0].save(tmp_path / "m.h5")
    with pytest.warns(UserWarning, match=r"m\.h5: holds the state of EarlyStopping, which is not among"):
        assert fit(resume=tmp_path / "m.h5")[1].epoch == [0, 1, 2, 3]
    assert fit(make(), never(), resume=tmp_path / "m.h5")[1].epoch == [0, 1]


def test_several_callbacks_of_one_class_are_told_apart_by_their_order(tmp_path):
    first, second = EarlyStopping("loss", patience=50), EarlyStopping("loss", patience=50, min_delta=50.0)
    interrupted(18, first, second, BackupAndRestore(tmp_path))
    again = [EarlyStopping("loss", patience=50), EarlyStopping("loss", patience=50, min_delta=50.0)]
    interrupted(1, *again, BackupAndRestore(tmp_path))
    assert [each.get_state() for each in again] == [first.get_state(), second.get_state()]
    assert first.wait != second.wait


@pytest.mark.parametrize("torn", ["3,0.1", "", "3,0.5\n4,0.25\n5,"])
def test_a_csv_file_has_every_line_once(tmp_path, torn):
    fit(make(), CSVLogger(tmp_path / "whole.csv"), epochs=6)
    log = tmp_path / "log.csv"
    interrupted(18, CSVLogger(log), BackupAndRestore(tmp_path / "b"), epochs=6)
    with log.open("a") as file:
        file.write(torn)
    fit(make(), CSVLogger(log), BackupAndRestore(tmp_path / "b"), epochs=6)
    assert log.read_text() == (tmp_path / "whole.csv").read_text()


def test_an_appended_csv_file_keeps_what_was_there(tmp_path):
    log, whole = tmp_path / "log.csv", tmp_path / "whole.csv"
    fit(make(), CSVLogger(log), epochs=1)
    before = log.read_text()
    interrupted(13, CSVLogger(log, append=True), BackupAndRestore(tmp_path / "b"))
    fit(make(), CSVLogger(log, append=True), BackupAndRestore(tmp_path / "b"))
    fit(make(), CSVLogger(whole))
    assert log.read_text() == before + whole.read_text().partition("\n")[2]


def test_missing_lines_of_a_csv_file_are_told(tmp_path):
    log = tmp_path / "log.csv"
    interrupted(13, CSVLogger(log), BackupAndRestore(tmp_path / "b"))
    log.unlink()
    with pytest.warns(UserWarning, match=r"log\.csv: expected the \d+ bytes .* found 0: the lines of some epochs are"):
        fit(make(), CSVLogger(log), BackupAndRestore(tmp_path / "b"))
    assert [line.partition(",")[0] for line in log.read_text().splitlines()] == ["epoch", "2", "3"]


def test_checkpoints_are_saved_and_deleted_at_the_batches_of_before(tmp_path):
    def watching(folder):
        return ModelCheckpoint(folder / "{epoch}-{batch}.h5", save_freq=3, keep=2)

    fit(make(), watching(tmp_path / "whole"))
    interrupted(11, watching(tmp_path / "cut"), BackupAndRestore(tmp_path / "b", 2))
    fit(make(), watching(tmp_path / "cut"), BackupAndRestore(tmp_path / "b", 2))
    names = {folder: sorted(path.name for path in (tmp_path / folder).iterdir()) for folder in ("whole", "cut")}
    assert names["cut"] == names["whole"] == ["3-5.h5", "4-3.h5"]


def test_files_of_other_names_are_not_deleted_whatever_a_checkpoint_says(tmp_path):
    checkpoint = ModelCheckpoint(tmp_path / "{epoch}.h5", keep=1)
    others = [str(tmp_path / "thesis.txt"), "/etc/hosts", str(tmp_path / "a" / "1.h5"), str(tmp_path / "3xh5")]
    checkpoint.set_state({**checkpoint.get_state(), "written": [*others, str(tmp_path / "2.h5")]})
    assert checkpoint.written == [str(tmp_path / "2.h5")]


def test_the_progress_line_goes_on_within_the_epoch(tmp_path, capsys):
    interrupted(8, BackupAndRestore(tmp_path, 7), verbose=2)
    capsys.readouterr()
    fit(make(), BackupAndRestore(tmp_path, 7), verbose=2)
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "Epoch 2/4"
    assert [line.partition(" ")[0] for line in said[1::2]] == ["5/5"] * 3


def test_a_long_history_is_kept(tmp_path):
    """An attribute would hold 64 KiB."""
    model, history = fit(epochs=1)
    history.history["loss"] *= 20_000
    model.training_state.epochs.extend(range(1, 20_000))
    model.save(tmp_path / "m.h5")
    assert models.load_model(tmp_path / "m.h5").training_state.history == history.history
