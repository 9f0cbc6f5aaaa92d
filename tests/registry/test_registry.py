import enum
import importlib
import json
import sys
import threading
from dataclasses import dataclass, field

import numpy as np
import pytest

import distnet as keras
from distnet import errors
from distnet.registry import (
    Configurable,
    Registry,
    Resolved,
    custom_object_scope,
    register_keras_serializable,
    registered_name,
    to_json,
)


class Shape(Configurable):
    """The base of a family."""


@dataclass(eq=False)
class Wrapped(Shape):
    function: object


SHAPES: Registry[Shape] = Registry("shape", Shape)
WITH_FUNCTIONS: Registry[Shape] = Registry("shape", Shape, adapt=Wrapped)


@SHAPES.register("ball", "round_thing")
@dataclass(eq=False)
class Sphere(Shape):
    radius: float = 1.0
    _hidden: int = field(default=0, init=False, metadata={"config": False})


@SHAPES.register()
@dataclass(eq=False)
class Pair(Shape):
    first: Resolved[Shape] = SHAPES.field("sphere")
    second: Resolved[Shape | None] = SHAPES.optional_field()
    sizes: tuple[int, ...] = ()


@dataclass(eq=False)
class Custom(Shape):
    n: int = 3


SHAPES.add("unit", Sphere(1.0))


@pytest.mark.parametrize("name", ["Sphere", "sphere", "SPHERE", "ball", "round_thing", "roundThing"])
def test_a_member_is_found_by_name_alias_and_any_spelling(name):
    assert isinstance(SHAPES.get(name), Sphere)


def test_every_spec_of_a_member_is_understood():
    made = Sphere(2.0)
    assert SHAPES.get(made) is made
    assert SHAPES.get(Sphere).radius == 1.0
    assert SHAPES.get({"class_name": "Sphere", "config": {"radius": 3}}).radius == 3
    assert SHAPES.get({"class_name": "Sphere"}).radius == 1.0
    assert SHAPES.get({"module": "keras", "class_name": "Sphere", "config": {}, "registered_name": None}).radius == 1.0
    assert SHAPES.get({"class_name": "Custom>Sphere", "config": {"radius": 4}}).radius == 4
    assert SHAPES.get("unit") is SHAPES.get("unit")
    assert SHAPES.optional(None) is None


def test_an_unknown_name_suggests_the_nearest():
    with pytest.raises(
        errors.UnknownNameError, match=r"unknown shape 'spher'. Did you mean 'Sphere'\?.*custom_objects"
    ):
        SHAPES.get("spher")


@pytest.mark.parametrize(("name", "lists"), [("triangle", True), ("spher", False)])
def test_an_unknown_name_is_told_shortly_with_what_to_do_about_a_class_of_ones_own(name, lists):
    with pytest.raises(errors.UnknownNameError) as caught:
        SHAPES.get(name)
    assert ("Expected one of" in str(caught.value)) == lists
    with pytest.raises(errors.UnknownNameError) as caught:
        keras.layers.deserialize({"class_name": "Hexagon", "config": {}})
    assert str(caught.value) == (
        "unknown layer 'Hexagon'. If it is your own, decorate it with @register_keras_serializable() where it is "
        "defined, or pass custom_objects={'Hexagon': ...}."
    )


@pytest.mark.parametrize("spec", [3, None, 1.5, object(), len, int, Shape])
def test_what_is_no_spec_is_refused(spec):
    with pytest.raises((errors.ArgumentError, TypeError)):
        SHAPES.get(spec if spec is not Shape else [])


@pytest.mark.parametrize("spec", [{"config": {}}, {"class_name": 3}, {"class_name": "Sphere", "config": [1]}])
def test_a_dict_that_is_no_config_is_refused(spec):
    with pytest.raises(errors.ArgumentError, match='expected {"class_name": str, "config": dict}'):
        SHAPES.get(spec)


def test_a_name_is_taken_once():
    with pytest.raises(errors.ArgumentError, match="the shape name 'BALL' is taken"):
        SHAPES.add("BALL", Pair)
    SHAPES.add("ball", Sphere)


def test_a_family_may_adapt_functions():
    assert WITH_FUNCTIONS.get(len).function is len
    with pytest.raises(errors.ArgumentError, match="expected a shape"):
        WITH_FUNCTIONS.get(int)


def test_classes_are_listed_without_instances():
    assert "unit" not in SHAPES.classes()
    assert SHAPES.classes()["Sphere"] is Sphere


def test_a_config_round_trips_through_json():
    pair = Pair(first=Sphere(2.5), second="unit", sizes=(1, 2))
    text = json.dumps(pair.as_json())
    again = SHAPES.get(json.loads(text))
    assert json.dumps(again.as_json()) == text
    assert (again.first.radius, again.second.radius, again.sizes) == (2.5, 1.0, [1, 2])
    assert list(pair.get_config()) == ["first", "second", "sizes"]


def test_fields_resolve_what_is_assigned_now_and_later():
    pair = Pair("ball")
    assert isinstance(pair.first, Sphere)
    assert pair.second is None
    pair.second = {"class_name": "Sphere", "config": {"radius": 9}}
    assert pair.second.radius == 9
    with pytest.raises(errors.UnknownNameError):
        pair.first = "cube"


def test_options_of_other_keras_versions_are_passed_over_while_unused():
    assert Sphere.from_config({"radius": 2, "new_option": None, "other": False}).radius == 2
    with pytest.raises(errors.ArgumentError, match=r"Sphere: unknown configuration keys \['new_option'\]"):
        Sphere.from_config({"radius": 2, "new_option": 0.5})


def test_custom_objects_come_first_within_their_scope():
    with pytest.raises(errors.UnknownNameError):
        SHAPES.get("Custom")
    with custom_object_scope({"Custom": Custom, "Sphere": Custom}):
        assert SHAPES.get("Custom").n == 3
        assert isinstance(SHAPES.get({"class_name": "Sphere", "config": {"n": 5}}), Custom)
        with custom_object_scope({"Other": Custom}):
            assert isinstance(SHAPES.get("Custom"), Custom)
    assert isinstance(SHAPES.get("Sphere"), Sphere)
    with pytest.raises(errors.UnknownNameError):
        SHAPES.get("Custom")


def test_a_scope_ends_with_an_error_too():
    with pytest.raises(KeyError), custom_object_scope({"Custom": Custom}):
        raise KeyError
    with pytest.raises(errors.UnknownNameError):
        SHAPES.get("Custom")


def test_registered_objects_are_written_and_found_by_package():
    @register_keras_serializable("tests_of_registry")
    @dataclass(eq=False)
    class Mine(Shape):
        n: int = 1

    assert registered_name(Mine) == "tests_of_registry>Mine"
    text = json.dumps(Mine(7).as_json())
    assert json.loads(text) == {"class_name": "tests_of_registry>Mine", "config": {"n": 7}}
    assert SHAPES.get(json.loads(text)).n == 7
    spec = {"class_name": "Mine", "registered_name": "tests_of_registry>Mine", "config": {"n": 8}}
    assert SHAPES.get(spec).n == 8


def test_values_become_plain_json():
    value = {"a": np.float32(0.5), 1: (np.int64(2), [None, True]), "x": np.arange(3), "s": Sphere(), "f": len}
    expected = {
        "a": 0.5,
        "1": [2, [None, True]],
        "x": [0, 1, 2],
        "s": {"class_name": "Sphere", "config": {"radius": 1.0}},
        "f": "len",
    }
    assert json.loads(json.dumps(to_json(value))) == expected


def test_an_object_with_get_config_becomes_its_class_and_config():
    class Foreign:
        def get_config(self):
            return {"n": np.int64(1)}

    assert to_json(Foreign()) == {"class_name": "Foreign", "config": {"n": 1}}


@pytest.mark.parametrize("value", [object(), {1, 2}, enum.Enum("E", "A").A, b"bytes", 1j])
def test_what_has_no_json_is_refused(value):
    with pytest.raises(errors.ArgumentError, match="cannot be written as JSON"):
        to_json(value)


@pytest.mark.parametrize(
    ("room", "name"),
    [
        *(("losses", "mse"), ("metrics", "mse"), ("initializers", "zeros"), ("regularizers", "l2")),
        *(("constraints", "non_neg"), ("activations", "relu"), ("optimizers", "sgd")),
    ],
)
def test_a_name_is_serialized_as_itself_if_something_has_it(room, name):
    serialize = getattr(keras, room).serialize
    assert serialize(name) == name
    with pytest.raises(errors.UnknownNameError):
        serialize("nothing")


def test_optimizers_serialize_schedules_too():
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 1, 0.5)
    assert keras.optimizers.serialize(schedule) == keras.optimizers.schedules.serialize(schedule)


ROOM = """
import room_signals
from room_signals import FAMILY, Slow
FAMILY.add("Slow", Slow)
room_signals.REGISTERED.set()
assert room_signals.GO_ON.wait(60)
Slow.is_whole = True
"""
SIGNALS = """
import threading
from distnet.registry import Registry
REGISTERED, GO_ON = threading.Event(), threading.Event()
class Slow:
    is_whole = False
Slow.__module__ = "slow_room"
FAMILY = Registry("slow thing", Slow)
FAMILY.expect({"Slow": "slow_room"})
"""


@pytest.mark.parametrize("ask", ["find", "named"])
def test_a_member_that_another_thread_imports_is_waited_for(tmp_path, monkeypatch, ask):
    """Its module may do more to it after registering it."""
    (tmp_path / "slow_room.py").write_text(ROOM)
    (tmp_path / "room_signals.py").write_text(SIGNALS)
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("slow_room", "room_signals"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    signals = importlib.import_module("room_signals")
    seen = []
    threads = [threading.Thread(target=lambda: seen.append(getattr(signals.FAMILY, ask)("Slow").is_whole))]
    threads[0].start()
    assert signals.REGISTERED.wait(60)
    threads.append(threading.Thread(target=lambda: seen.append(getattr(signals.FAMILY, ask)("Slow").is_whole)))
    threads[1].start()
    threads[1].join(0.1)
    signals.GO_ON.set()
    for thread in threads:
        thread.join(60)
    assert seen == [True, True]
