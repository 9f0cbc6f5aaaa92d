"""``serialize_keras_object`` and what belongs to it."""

import json

import numpy as np
import pytest

import distnet as keras
from distnet import saving
from distnet.errors import AbsentError, ArgumentError

OBJECTS = [
    *(None, 3, 0.5, "text", True, [1, "a"], {"k": [1]}, [(1, 2)], np.arange(6).reshape(2, 3)),
    *(slice(1, None), slice(3), b"ab", ..., keras.random.SeedGenerator(3)),
    keras.losses.Huber(0.5),
    keras.metrics.AUC(name="area"),
    keras.optimizers.Adam(keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5)),
    keras.initializers.HeNormal(seed=1),
    keras.regularizers.L2(0.1),
    keras.constraints.MaxNorm(2),
    keras.layers.Dense(3, kernel_regularizer="l1", name="d"),
    {"layers": [keras.layers.Dropout(0.5, name="o"), keras.losses.MeanSquaredError()]},
]


@pytest.mark.parametrize("given", OBJECTS, ids=lambda given: type(given).__name__)
def test_an_object_comes_back_from_its_description(given):
    described = saving.serialize_keras_object(given)
    again = saving.deserialize_keras_object(described)
    assert type(again) is type(given)
    assert saving.serialize_keras_object(again) == json.loads(json.dumps(described))


def test_descriptions_are_keras_s():
    """Keras 3.15's own, but for what it writes of a dtype."""
    found = saving.serialize_keras_object(keras.losses.MeanSquaredError())
    assert {key: found[key] for key in ("module", "class_name", "registered_name")} == {
        "module": "keras.losses", "class_name": "MeanSquaredError", "registered_name": None,
    }  # fmt: skip
    assert saving.serialize_keras_object((1, 2)) == (1, 2)
    assert saving.deserialize_keras_object((1, 2)) == [1, 2]
    ends = {"start": 1, "stop": None, "step": None}
    assert saving.serialize_keras_object(slice(1, None)) == {"class_name": "__slice__", "config": ends}
    assert saving.serialize_keras_object("ü".encode()) == {"class_name": "__bytes__", "config": {"value": "ü"}}
    assert saving.serialize_keras_object(np.array(3.0)) == 3.0
    with pytest.raises(ArgumentError, match="code of a lambda, not run"):
        saving.deserialize_keras_object({"class_name": "__lambda__", "config": {"value": "4wEA"}})
    assert saving.serialize_keras_object(keras.initializers.Zeros())["module"] == "keras.initializers"
    written = {"module": "keras.layers", "class_name": "Dense", "registered_name": None,
               "config": {"name": "d", "units": 4, "activation": "relu"}}  # fmt: skip
    layer = saving.deserialize_keras_object(written)
    assert (type(layer).__name__, layer.units, layer.name) == ("Dense", 4, "d")


def test_objects_of_the_user_s_are_found_by_name():
    @saving.register_keras_serializable("pack")
    class Own(keras.layers.Dense):
        pass

    def plain(x):
        return x

    described = saving.serialize_keras_object(Own(2, name="o"))
    assert (described["registered_name"], saving.get_registered_name(Own)) == ("pack>Own", "pack>Own")
    assert isinstance(saving.deserialize_keras_object(described), Own)
    assert saving.get_registered_object("pack>Own") is Own
    assert saving.get_registered_object("plain") is None
    assert saving.get_registered_object("plain", {"plain": plain}) is plain
    assert saving.get_registered_object("plain", None, {"plain": plain}) is plain
    with saving.CustomObjectScope({"plain": plain}):
        assert saving.get_registered_object("plain") is plain
    function = saving.serialize_keras_object(plain)
    assert saving.deserialize_keras_object(function, {"plain": plain}) is plain
    with pytest.raises(ArgumentError, match="no function is called 'plain'"):
        saving.deserialize_keras_object(function)
    with pytest.raises(ArgumentError, match="nothing is called 'Nope'"):
        keras.utils.deserialize_keras_object({"class_name": "Nope", "config": {}})


def test_what_is_not_there_says_so():
    with pytest.raises(AbsentError, match="KerasFileEditor is not in distnet"):
        saving.KerasFileEditor("model.keras")


def test_get_of_nothing_is_nothing_as_in_keras():
    for room in (keras.optimizers, keras.losses, keras.metrics, keras.initializers, keras.regularizers):
        assert room.get(None) is None
    assert keras.activations.get(None)(2.0) == 2.0
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(None, "mse")
    assert model.evaluate(np.ones((2, 2)), model.predict(np.ones((2, 2)), verbose=0), verbose=0) < 1e-12
    with pytest.raises(keras.errors.NotCompiledError, match="optimizer"):
        model.fit(np.ones((2, 2)), np.ones((2, 1)), verbose=0)


class Holder:
    """An object of a user's own, with an object and a function in its configuration."""

    def __init__(self, inner=None, function=None, count=3, name="own"):
        self.inner, self.function, self.count, self.name = inner, function, count, name

    def get_config(self):
        return {"inner": self.inner, "function": self.function, "count": self.count, "name": self.name}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


def own(x):
    return 2 * x


def test_objects_are_described_as_keras_2_did():
    """What Keras 3.15 gives for the same."""
    known = {"Holder": Holder, "own": own}
    described = keras.legacy.saving.serialize_keras_object(Holder(keras.layers.Dropout(0.5, name="d"), own))
    within = {"class_name": "Dropout", "config": {"rate": 0.25}, "__passive_serialization__": True}
    assert described["config"]["inner"]["config"]["rate"] == 0.5
    described["config"]["inner"]["config"] = {"rate": 0.25}
    assert described["config"] == {"inner": within, "function": "own", "count": 3, "name": "own"}
    revive = keras.utils.legacy.deserialize_keras_object
    again = revive(described, vars(keras.layers), custom_objects=known)
    assert (again.inner.rate, again.function, again.count, again.name) == (0.25, own, 3, "own")
    assert isinstance(revive("Holder", known), Holder)
    assert revive("own", custom_objects=known) is own is revive(own)
    assert revive(None) is keras.legacy.saving.serialize_keras_object(None) is None
    for wrong in ("Dropout", described, {"class_name": "Holder"}, 3):
        with pytest.raises(ValueError, match="deserialize_keras_object: .*(unknown object|expected a name)"):
            revive(wrong, {})
    with pytest.raises(ValueError, match=r"expected an object with get_config\(\)"):
        keras.legacy.saving.serialize_keras_object(3)
