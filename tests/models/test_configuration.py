"""Models from configurations: clones, and JSON text written here or by Keras."""

import json
from dataclasses import dataclass

import numpy as np
import pytest

import distnet as keras
from distnet import errors, layers, models


@dataclass(eq=False)
class Twice(layers.Layer):
    """2 x: a layer of the user's own, registered nowhere."""

    factor: float = 2.0

    def forward(self, x, ctx):
        return x * self.factor, None

    def backward(self, dy, saved, ctx):
        return dy * self.factor


def chain():
    keras.utils.set_random_seed(3)
    return keras.Sequential([layers.Dense(4, "tanh", input_shape=(3,), name="hidden"), layers.Dense(2)], name="chain")


def graph():
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    shared = layers.Dense(2, name="shared")
    return keras.Model([a, b], layers.add([shared(a), chain()(b)]), name="graph")


@pytest.mark.parametrize("make", [chain, graph])
def test_a_clone_has_the_same_layers_and_weights_of_its_own(make):
    model = make()
    clone = models.clone_model(model)
    assert type(clone) is type(model)
    assert clone.get_config() == model.get_config()
    before = [w.copy() for w in model.get_weights()]
    clone.set_weights([w + 1 for w in before])
    for w, v in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(w, v)
    x = [np.ones((2, 3))] * len(model.inputs)
    assert not np.array_equal(clone.predict(x, verbose=0), model.predict(x, verbose=0))


def test_a_clone_function_makes_other_layers_in_their_place():
    def wider(layer):
        return layers.Dense(7, name="hidden") if layer.name == "hidden" else layer

    assert [w.shape for w in models.clone_model(chain(), clone_function=wider).get_weights()] == [
        (3, 7), (7,), (7, 2), (2,)
    ]  # fmt: skip


def test_layers_of_the_users_own_are_cloned():
    model = keras.Sequential([layers.Input(shape=(3,)), Twice(3.0)])
    clone = models.clone_model(model)
    assert clone.layers[0] is not model.layers[0]
    np.testing.assert_array_equal(clone.predict(np.ones((1, 3)), verbose=0), [[3, 3, 3]])


def test_a_clone_has_inputs_of_its_own():
    with pytest.raises(errors.ArgumentError, match="input_tensors is not supported"):
        models.clone_model(chain(), keras.Input((3,)))


@pytest.mark.parametrize("make", [chain, graph])
def test_a_model_comes_back_from_its_json(make):
    model = make()
    again = models.model_from_json(model.to_json())
    assert again.to_json() == model.to_json()
    again.set_weights(model.get_weights())
    x = [np.ones((2, 3))] * len(model.inputs)
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))


def test_classes_of_the_users_own_are_found_in_custom_objects():
    text = keras.Sequential([layers.Input(shape=(3,)), Twice()]).to_json()
    assert isinstance(models.model_from_json(text, {"Twice": Twice}).layers[0], Twice)
    with pytest.raises(errors.UnknownNameError, match="unknown layer 'Twice'"):
        models.model_from_json(text)


@pytest.mark.parametrize("text", ["no json", "3", json.dumps(layers.Dense(2).as_json()), None])
def test_text_that_is_no_model_is_refused(text):
    with pytest.raises(errors.ArgumentError, match="of a model"):
        models.model_from_json(text)
