"""The progress line: Keras 2's layout, redrawn on a terminal, written once elsewhere."""

import re
from types import SimpleNamespace

import numpy as np
import pytest

import distnet as keras
from distnet.callbacks import progbar_logger
from distnet.callbacks.console import announce_compiling
from distnet.callbacks.progbar_logger import ProgressLine
from distnet.kernels import compiling_notice

X, Y = np.zeros((10, 2), "float32"), np.zeros((10, 1), "float32")
TIME = r"\d+s \d+[mu]?s/step"


@pytest.fixture
def model():
    model = keras.Sequential([keras.Input(shape=(2,)), keras.layers.Dense(1, kernel_initializer="zeros")])
    model.compile("sgd", "mse", ["mae"])
    return model


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setattr(progbar_logger, "sys", SimpleNamespace(stdout=SimpleNamespace(isatty=lambda: True)))


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass only when told to."""
    now = [100.0]
    monkeypatch.setattr(progbar_logger.time, "perf_counter", lambda: now[0])
    return now


def test_off_a_terminal_each_epoch_is_one_finished_bar(model, capsys):
    model.fit(X, Y, batch_size=4, epochs=2, validation_split=0.2, verbose=1)
    lines = capsys.readouterr().out.splitlines()
    bar = re.escape(f"2/2 [{'=' * 30}] - ")
    logs = re.escape("loss: 0.0000e+00 - mae: 0.0000e+00 - val_loss: 0.0000e+00 - val_mae: 0.0000e+00")
    assert [lines[0], lines[2]] == ["Epoch 1/2", "Epoch 2/2"]
    assert all(re.fullmatch(f"{bar}{TIME} - {logs}", line) for line in lines[1::2])
    assert len(lines) == 4


def test_verbose_2_writes_one_line_without_a_bar(model, capsys):
    model.fit(X, Y, batch_size=4, epochs=2, verbose=2)
    lines = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"3/3 - \d+s - \d+[mu]?s/step - loss: 0\.0000e\+00 - mae: 0\.0000e\+00", lines[1])
    assert len(lines) == 4


@pytest.mark.parametrize("ask", ["fit", "evaluate", "predict"])
def test_verbose_0_is_silent(model, capsys, ask):
    getattr(model, ask)(*((X,) if ask == "predict" else (X, Y)), verbose=0)
    assert capsys.readouterr().out == ""


def test_a_single_epoch_has_no_headline(model, capsys):
    model.fit(X, Y, verbose=2)
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_evaluate_and_predict_have_a_line_of_their_own(model, capsys):
    model.evaluate(X, Y, batch_size=5)
    model.predict(X, batch_size=5)
    evaluated, predicted = capsys.readouterr().out.splitlines()
    assert re.fullmatch(rf"2/2 \[={{30}}\] - {TIME} - loss: 0\.0000e\+00 - mae: 0\.0000e\+00", evaluated)
    assert re.fullmatch(rf"2/2 \[={{30}}\] - {TIME}", predicted)


def test_evaluating_in_a_callback_writes_its_line_apart(model, capsys):
    look = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: model.evaluate(X, Y, verbose=2))
    model.fit(X, Y, verbose=2, callbacks=[look])
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_on_a_terminal_the_bar_is_redrawn_over_itself(terminal, clock, capsys):
    line = ProgressLine(10, 1)
    for step in range(1, 11):
        clock[0] += 0.1
        line.update(step, {"loss": 1 / step})
    line.finish({"loss": 0.1, "val_loss": 0.2})
    out = capsys.readouterr().out
    drawings = out.removesuffix("\n").split("\r")[1:]
    assert len(drawings) == 11
    assert drawings[0] == f" 1/10 [==>{'.' * 27}] - ETA: 1s - loss: 1.0000"
    assert drawings[4] == f" 5/10 [{'=' * 14}>{'.' * 15}] - ETA: 0s - loss: 0.2000"
    assert drawings[-1] == f"10/10 [{'=' * 30}] - 1s 100ms/step - loss: 0.1000 - val_loss: 0.2000"
    assert out.endswith("\n")


def test_on_a_terminal_it_says_that_kernels_are_compiled_until_the_first_step_is_done(terminal, clock, capsys):
    bar = progbar_logger.ProgbarLogger(1)
    bar.set_params({"steps": 4, "epochs": 1})
    bar.on_epoch_begin(0)
    compiling_notice.tell()
    compiling_notice.tell()
    bar.on_train_batch_end(0, {"loss": 1.0})
    compiling_notice.tell()
    notice, first = capsys.readouterr().out.split("\r")[1:]
    assert notice == "compiling kernels ..."
    assert first.startswith("1/4 [")


def test_elsewhere_it_says_once_on_standard_error_that_compiling_takes_long(clock, capsys):
    announce_compiling.cache_clear()
    for verbose, expected in ((0, ""), (2, "distnet: compiling kernels, once for this machine ...\n"), (1, "")):
        bar = progbar_logger.ProgbarLogger(verbose)
        bar.set_params({"steps": 4, "epochs": 1})
        bar.on_epoch_begin(0)
        compiling_notice.tell()
        clock[0] += 0.9
        compiling_notice.tell()
        assert capsys.readouterr().err == ""
        clock[0] += 0.2
        compiling_notice.tell()
        compiling_notice.tell()
        bar.on_train_batch_end(0, {"loss": 1.0})
        assert capsys.readouterr() == ("", expected)


def test_it_is_not_drawn_more_often_than_a_reader_can_follow(terminal, clock, capsys):
    line = ProgressLine(1000, 1)
    for step in range(1, 1001):
        clock[0] += 0.001
        line.update(step, {})
    assert capsys.readouterr().out.count("\r") <= 21


def test_a_shorter_line_covers_the_longer_one(terminal, clock, capsys):
    line = ProgressLine(2, 1)
    clock[0] += 1
    line.update(1, {"a_long_key": 1.0})
    line.finish({})
    first, last = capsys.readouterr().out.removesuffix("\n").split("\r")[1:]
    assert len(last) >= len(first)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.5, "0.5000"), (1e-3, "1.0000e-03"), (-5e-4, "-5.0000e-04"), (1234.5, "1234.5000"), (float("nan"), "nan")],
)
def test_numbers_are_written_as_keras_writes_them(clock, capsys, value, text):
    ProgressLine(1, 2).finish({"loss": value})
    assert capsys.readouterr().out.endswith(f"loss: {text}\n")


@pytest.mark.parametrize(
    ("seconds", "steps", "text"),
    [(0.00005, 1, "0s - 50us"), (0.25, 1, "0s - 250ms"), (30, 2, "30s - 15s"), (100, 100_000, "100s - 1ms")],
)
def test_durations_have_a_fitting_unit(clock, capsys, seconds, steps, text):
    line = ProgressLine(steps, 2)
    clock[0] += seconds
    line.update(steps, {})
    line.finish({})
    assert f" - {text}/step" in capsys.readouterr().out


@pytest.mark.parametrize(("left_s", "text"), [(59, "59s"), (61, "1:01"), (3661, "1:01:01")])
def test_the_time_left_is_a_clock(terminal, clock, capsys, left_s, text):
    line = ProgressLine(2, 1)
    clock[0] += left_s
    line.update(1, {})
    assert f"ETA: {text}" in capsys.readouterr().out


@pytest.mark.parametrize("verbose", [1, 2])
def test_without_a_standard_output_nothing_is_written(model, monkeypatch, verbose):
    monkeypatch.setattr("sys.stdout", None)
    history = model.fit(X, Y, epochs=2, verbose=verbose)
    model.evaluate(X, Y, verbose=verbose)
    model.summary()
    assert len(history.epoch) == 2
