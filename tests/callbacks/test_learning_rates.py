"""Callbacks that change the learning rate do it when and as real Keras's do."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

import distnet as keras
from distnet.callbacks import LearningRateScheduler, ReduceLROnPlateau
from distnet.errors import ArgumentError

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "learning_rate_callbacks.json").read_text())
PROGRAMS = Path(__file__).parent / "programs"


@pytest.mark.parametrize("case", GOLDEN["reduce_lr_on_plateau"], ids=lambda case: str(case["options"]))
def test_the_rate_is_reduced_when_keras_reduces_it(case):
    optimizer = keras.optimizers.SGD(0.1)
    callback = ReduceLROnPlateau(**case["options"])
    callback.set_model(SimpleNamespace(optimizer=optimizer))
    callback.on_train_begin()
    found = []
    for epoch, value in enumerate(case["values"]):
        logs = {"val_loss": value}
        callback.on_epoch_end(epoch, logs)
        found.append(logs["learning_rate"])
    assert [*found, optimizer.learning_rate] == pytest.approx(case["rates"], rel=1e-6)


@pytest.mark.parametrize("at", range(1, 25))
def test_an_interrupted_plateau_is_as_long_as_a_whole_one(at):
    for case in GOLDEN["reduce_lr_on_plateau"]:
        model = SimpleNamespace(optimizer=keras.optimizers.SGD(case["rates"][0]))
        before, callback = ReduceLROnPlateau(**case["options"]), ReduceLROnPlateau(**case["options"])
        for each in (before, callback):
            each.set_model(model)
            each.on_train_begin()
        for epoch, value in enumerate(case["values"][:at]):
            before.on_epoch_end(epoch, {"val_loss": value})
        callback.set_state(json.loads(json.dumps(before.get_state())))
        for epoch, value in enumerate(case["values"][at:], at):
            callback.on_epoch_end(epoch, {"val_loss": value})
            assert model.optimizer.learning_rate == pytest.approx(case["rates"][epoch + 1], rel=1e-6)


def test_every_epochs_rate_enters_the_history(make_model, data):
    model = make_model(keras.optimizers.SGD(0.1))
    history = model.fit(
        *data, epochs=4, verbose=0, callbacks=[ReduceLROnPlateau("loss", 0.5, patience=1, min_delta=10)]
    )
    assert history.history["learning_rate"] == pytest.approx([0.1, 0.1, 0.05, 0.025])
    assert {len(values) for values in history.history.values()} == {4}


def test_a_reduction_is_told(make_model, data, capsys):
    plateau = ReduceLROnPlateau("loss", 0.5, patience=1, min_delta=10, verbose=1)
    make_model(keras.optimizers.SGD(0.1)).fit(*data, epochs=2, verbose=0, callbacks=[plateau])
    assert capsys.readouterr().out == "\nEpoch 2: ReduceLROnPlateau reducing learning rate to 0.05.\n"


def test_a_value_that_is_not_there_is_only_warned_of(make_model, data):
    with pytest.warns(UserWarning, match="'val_loss' is not in the logs"):
        make_model().fit(*data, verbose=0, callbacks=ReduceLROnPlateau())


def test_a_factor_of_one_is_refused():
    with pytest.raises(ArgumentError, match="factor below 1, received 1"):
        ReduceLROnPlateau(factor=1)


@pytest.mark.parametrize(
    ("schedule", "rates"),
    [
        (lambda epoch, rate: rate * 0.5 if epoch else rate, [0.1, 0.05, 0.025]),
        (lambda epoch: 0.2 / (1 + epoch), [0.2, 0.1, 0.2 / 3]),
        (keras.optimizers.schedules.ExponentialDecay(0.3, 1, 0.5), [0.3, 0.15, 0.075]),
    ],
)
def test_a_schedule_of_epochs_sets_the_rate_before_each(make_model, data, schedule, rates, capsys):
    model = make_model(keras.optimizers.SGD(0.1))
    history = model.fit(*data, epochs=3, verbose=0, callbacks=[LearningRateScheduler(schedule, verbose=1)])
    assert history.history["learning_rate"] == pytest.approx(rates)
    assert capsys.readouterr().out.startswith(
        f"\nEpoch 1: LearningRateScheduler setting learning rate to {float(rates[0])}.\n"
    )


@pytest.mark.parametrize("returned", [None, "0.1", float("nan"), -1.0, True])
def test_a_schedule_that_returns_no_rate_is_refused(make_model, data, returned):
    with pytest.raises(ArgumentError, match="at epoch 0 it returned"):
        make_model().fit(*data, verbose=0, callbacks=LearningRateScheduler(lambda epoch: returned))


def test_an_error_of_the_schedule_is_the_users(make_model, data):
    def schedule(epoch, rate):
        return rate + None

    with pytest.raises(TypeError, match="unsupported operand"):
        make_model().fit(*data, verbose=0, callbacks=LearningRateScheduler(schedule))


def test_all_ranks_follow_what_callbacks_change(ranks):
    alone, together = (ranks(n).run(PROGRAMS / "changing.py").succeeded().stdout for n in (1, 2))
    assert json.loads(together) == pytest.approx(json.loads(alone), rel=1e-9)
