"""Learning rate schedules against Keras's, and what they refuse."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from distnet.errors import ArgumentError, UnknownNameError
from distnet.optimizers import SGD, deserialize, schedules, serialize
from distnet.registry import custom_object_scope

RECORD = json.loads((Path(__file__).parents[1] / "golden" / "schedules.json").read_text())
CASES = [(case["schedule"], case["rates"]) for case in RECORD["cases"]]
IDS = [schedule["class_name"] for schedule, _ in CASES]


@pytest.mark.parametrize(("written_by_keras", "rates"), CASES, ids=IDS)
def test_rates_are_keras_s(written_by_keras, rates):
    schedule = schedules.deserialize(written_by_keras)
    # Keras's cosine is float32, also where all else is float64.
    tolerance = 1e-6 if "Cosine" in written_by_keras["class_name"] else 1e-12
    assert [schedule(step) for step in RECORD["steps"]] == pytest.approx(rates, rel=tolerance, abs=tolerance)


@pytest.mark.parametrize(("written_by_keras", "rates"), CASES, ids=IDS)
def test_configs_have_keras_s_keys_order_and_values(written_by_keras, rates):
    written = schedules.serialize(schedules.deserialize(written_by_keras))
    assert written["class_name"] == written_by_keras["class_name"]
    assert list(written["config"].items()) == list(written_by_keras["config"].items())
    assert json.loads(json.dumps(written)) == written


def test_every_schedule_is_compared_with_keras_s():
    assert {schedule["class_name"] for schedule, _ in CASES} == set(schedules.SCHEDULES.classes())


def test_restarts_come_where_the_lengths_say():
    schedule = schedules.CosineDecayRestarts(1.0, 10, t_mul=3.0)
    peaks = [step for step in range(131) if schedule(step) == pytest.approx(1.0)]
    assert peaks == [0, 10, 40, 130]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: schedules.ExponentialDecay(0.1, 0, 0.5), "decay_steps"),
        (lambda: schedules.ExponentialDecay(-0.1, 10, 0.5), "initial_learning_rate"),
        (lambda: schedules.ExponentialDecay(0.1, 10, float("nan")), "decay_rate"),
        (lambda: schedules.InverseTimeDecay(0.1, -3, 0.5), "decay_steps"),
        (lambda: schedules.PolynomialDecay(0.1, "ten"), "decay_steps"),
        (lambda: schedules.CosineDecay(0.1, 0), "decay_steps"),
        (lambda: schedules.CosineDecay(0.1, 5, warmup_target=-1.0), "warmup_target"),
        (lambda: schedules.CosineDecayRestarts(0.1, 0), "first_decay_steps"),
        (lambda: schedules.CosineDecayRestarts(0.1, 5, t_mul=0.5), "t_mul"),
        (lambda: schedules.PiecewiseConstantDecay([1, 2], [0.1, 0.2]), "2 boundaries and 2 values"),
        (lambda: schedules.PiecewiseConstantDecay([2, 1], [0.1, 0.2, 0.3]), "increasing"),
        (lambda: schedules.PiecewiseConstantDecay([2], [0.1, None]), "values"),
    ],
)
def test_unusable_arguments_are_named(make, message):
    with pytest.raises(ArgumentError, match=message):
        make()


class Halved(schedules.LearningRateSchedule):
    def __init__(self, start):
        self.start = start

    def __call__(self, step):
        return self.start / 2**step

    def get_config(self):
        return {"start": self.start}


@dataclass
class Tenth(schedules.LearningRateSchedule):
    start: float = 1.0

    def __call__(self, step):
        return self.start / 10**step


class Unsaved(schedules.LearningRateSchedule):
    def __init__(self, start):
        self.start = start


@pytest.mark.parametrize("kind", [Halved, Tenth])
def test_a_schedule_of_the_user_s_own_decides_and_travels_by_custom_objects(kind):
    optimizer = SGD(kind(0.4))
    assert optimizer.learning_rate == 0.4
    again = deserialize(serialize(optimizer), custom_objects={kind.__name__: kind})
    assert again.schedule(1) == kind(0.4)(1)
    with pytest.raises(UnknownNameError, match=kind.__name__):
        deserialize(serialize(optimizer))


def test_an_unfinished_schedule_says_what_it_lacks():
    with pytest.raises(NotImplementedError, match="__call__"):
        Unsaved(1)(0)
    with pytest.raises(ArgumentError, match="get_config"):
        serialize(SGD(Halved(1))) and Unsaved(1).get_config()


def present_rate():
    return 0.25


def test_a_function_is_asked_at_every_step_and_travels_by_its_name():
    optimizer = SGD(present_rate)
    assert optimizer.learning_rate == 0.25
    assert serialize(optimizer)["config"]["learning_rate"] == "present_rate"
    with custom_object_scope({"present_rate": present_rate}):
        assert deserialize(serialize(optimizer)).learning_rate == 0.25
        as_keras_does = {"class_name": "function", "config": "present_rate", "registered_name": "function"}
        assert SGD(as_keras_does).learning_rate == 0.25
