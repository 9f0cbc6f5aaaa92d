"""Callbacks made with wrong arguments, and callbacks that do what one rank cannot do alone."""

import numpy as np
import pytest

from distnet import Input, Sequential, callbacks, layers
from distnet.errors import ArgumentError

X, Y = np.ones((8, 4), "float32"), np.ones((8, 1), "float32")


def model():
    made = Sequential([Input((4,)), layers.Dense(1)])
    made.compile("sgd", "mse")
    return made


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: callbacks.EarlyStopping(patience=-1), "patience: expected an integer of at least 0, received -1"),
        (lambda: callbacks.EarlyStopping(min_delta="a"), "min_delta: expected a number, received 'a'"),
        (lambda: callbacks.EarlyStopping(monitor=3), "monitor: expected a key of the logs, received 3"),
        (lambda: callbacks.ReduceLROnPlateau(factor="a"), "factor: expected a number, received 'a'"),
        (lambda: callbacks.ModelCheckpoint(3), "expected the name of a file, received 3"),
        (lambda: callbacks.ModelCheckpoint(""), "expected the name of a file, received ''"),
        (lambda: callbacks.TensorBoard(histogram_freq="a"), "histogram_freq: expected an integer"),
        (lambda: callbacks.LambdaCallback(on_epoch_end=3), "on_epoch_end: expected a function, received 3"),
    ],
)
def test_wrong_arguments_are_refused_before_training(make, message):
    with pytest.raises(ArgumentError, match=message):
        make()


@pytest.mark.parametrize("pattern", ["{epoch", "{}", "{0}", "{epoch:foo}", "{epoch!z}", "epoch}", "{loss.x}"])
def test_a_pattern_that_cannot_be_filled_in_is_refused_before_training(pattern):
    with pytest.raises(ArgumentError, match="cannot be filled in: .* Write {epoch}"):
        callbacks.ModelCheckpoint(f"{pattern}.h5")


@pytest.mark.parametrize("pattern", ["{epoch:02d}-{val_loss:.2f}.h5", "{batch}.h5", "{{plain}}.h5", "plain.h5"])
def test_keras_patterns_are_taken(pattern):
    assert callbacks.ModelCheckpoint(pattern).filepath == pattern


@pytest.mark.parametrize(
    ("call", "act"),
    [
        ("fit", lambda m: m.fit(X, Y, verbose=0)),
        ("train_on_batch", lambda m: m.train_on_batch(X, Y)),
        ("compile", lambda m: m.compile("adam", "mse")),
    ],
)
def test_a_model_is_not_trained_by_its_own_callback(call, act):
    watched = model()
    with pytest.raises(ArgumentError, match=f"{call}: a model cannot be trained, compiled or given another optimizer"):
        watched.fit(X, Y, callbacks=[callbacks.LambdaCallback(on_epoch_end=lambda e, logs: act(watched))], verbose=0)
    act(watched)


def test_a_callback_may_train_another_model():
    other = model()
    act = callbacks.LambdaCallback(on_epoch_end=lambda e, logs: other.fit(X, Y, verbose=0))
    model().fit(X, Y, callbacks=[act], verbose=0)
    assert other.training_state.step == 1


def test_what_a_callback_adds_to_the_logs_is_kept_and_printed(capsys):
    added = {"note": "text", "parts": np.array([1.0, 2.0]), "none": None}
    act = callbacks.LambdaCallback(on_epoch_end=lambda e, logs: logs.update(added))
    history = model().fit(X, Y, epochs=2, callbacks=[act], verbose=2).history
    assert (history["note"], history["parts"], history["none"]) == (["text"] * 2, [[1.0, 2.0]] * 2, [None] * 2)
    assert "note: text - parts: [1. 2.] - none: None" in capsys.readouterr().out
