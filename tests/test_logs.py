"""Values of logs and histories by the names of other versions of Keras."""

from __future__ import annotations

import copy
import json
import pickle
import warnings

import numpy as np
import pytest

import distnet as keras
from distnet.logs import NamedLogs, other_names
from distnet.training_state import Moment, Progress, Stage, TrainingState

X, Y = np.random.default_rng(0).normal(size=(12, 3)), np.arange(12) % 2


def trained(metrics, callbacks=(), **options):
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.layers.Dense(1, activation="sigmoid", input_dim=3)])
    model.compile("sgd", "binary_crossentropy", metrics=metrics)
    return model, model.fit(X, Y, epochs=3, verbose=0, validation_data=(X, Y), callbacks=list(callbacks), **options)


@pytest.mark.parametrize(
    ("asked", "old", "new"),
    [
        ("accuracy", "acc", "accuracy"),
        ("acc", "accuracy", "acc"),
        ("mae", "mean_absolute_error", "mae"),
        ("mean_squared_error", "mse", "mean_squared_error"),
        ("cosine_similarity", "cosine_proximity", "cosine_similarity"),
    ],
)
def test_a_history_answers_to_the_other_name_with_one_warning(asked, old, new):
    history = trained([asked])[1].history
    for prefix in ("", "val_"):
        with pytest.warns(UserWarning, match=f"have '{prefix}{new}', which other versions of Keras call") as told:
            values = [history[prefix + old], history[prefix + old], history.get(prefix + old)]
        assert values == [history[prefix + new]] * 3
        assert len(told) == 1


def test_a_history_is_the_dict_that_it_holds():
    history = trained(["accuracy"])[1].history
    same = {key: list(values) for key, values in history.items()}
    assert list(history) == ["loss", "accuracy", "val_loss", "val_accuracy"]
    assert history == same
    assert "acc" not in history
    assert json.loads(json.dumps(history)) == same
    assert pickle.loads(pickle.dumps(history)) == same
    assert type(pickle.loads(pickle.dumps(history))) is dict
    assert copy.deepcopy(history) == same
    assert repr(history) == repr(same)
    assert dict(history, lr=1)["lr"] == 1
    with pytest.raises(KeyError, match="'auc'"):
        history["auc"]
    assert history.get("auc", 3) == 3


def test_a_training_that_goes_on_from_a_file_answers_too(tmp_path):
    model, _ = trained(["accuracy"])
    model.save(tmp_path / "model.h5")
    again = keras.models.load_model(tmp_path / "model.h5")
    history = again.fit(X, Y, epochs=4, initial_epoch=3, verbose=0).history
    with pytest.warns(UserWarning, match="'accuracy'"):
        assert len(history["acc"]) == len(history["accuracy"])


def test_callbacks_watch_and_fill_in_other_names(tmp_path):
    seen = []
    watch = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.append((logs["acc"], logs.get("val_acc")))
    )
    stop = keras.callbacks.EarlyStopping("val_acc", patience=10)
    save = keras.callbacks.ModelCheckpoint(str(tmp_path / "{epoch}-{val_acc:.2f}.h5"), monitor="val_acc", mode="max")
    table = keras.callbacks.CSVLogger(tmp_path / "log.csv")
    with pytest.warns(UserWarning, match="other versions of Keras") as told:
        history = trained(["accuracy"], [watch, stop, save, table])[1].history
    assert seen == list(zip(history["accuracy"], history["val_accuracy"], strict=True))
    assert stop.best == max(history["val_accuracy"])
    assert sorted(path.name for path in tmp_path.glob("*.h5"))[0] == f"1-{history['val_accuracy'][0]:.2f}.h5"
    assert (tmp_path / "log.csv").read_text().splitlines()[0] == "epoch,accuracy,loss,val_accuracy,val_loss"
    assert len({str(warning.message) for warning in told}) == len(told) == 2


def test_the_learning_rate_is_lr_too():
    rates = keras.callbacks.LearningRateScheduler(lambda epoch: 0.1 / (epoch + 1))
    history = trained(["accuracy"], [rates])[1].history
    with pytest.warns(UserWarning, match="'learning_rate'"):
        assert history["lr"] == history["learning_rate"] == pytest.approx([0.1, 0.05, 0.1 / 3])


def test_what_is_there_is_read_without_a_warning():
    history = trained(["accuracy"])[1].history
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert history["accuracy"] == history.get("accuracy")
        assert NamedLogs({"acc": 1, "accuracy": 2})["acc"] == 1


def test_outputs_and_numbers_stay():
    assert list(other_names("val_left_acc_1")) == ["val_left_accuracy_1"]
    assert list(other_names("my_loss")) == []
    assert list(other_names("pacc")) == []


def test_the_record_keeps_keys_apart_that_mean_the_same():
    state = TrainingState(seed=1)
    state.record(0, {"learning_rate": 0.1})
    state.record(0, {"learning_rate": 0.1, "lr": 0.2})
    state.record(1, {"learning_rate": 0.3, "lr": 0.4})
    assert state.history == {"learning_rate": [0.1, 0.3], "lr": [0.2, 0.4]}


def test_looking_at_a_training_leaves_its_record_as_it_is():
    state = TrainingState(seed=1)
    state.record(0, {"loss": 0.5})
    ending = Progress(Moment(0, 3, Stage.END), {}, ((0, 0), (0, 0)), logs={"loss": 0.5, "added": 1})
    assert state.history_at(ending) == {"loss": [0.5], "added": [1.0]}
    assert state.history == {"loss": [0.5]}
