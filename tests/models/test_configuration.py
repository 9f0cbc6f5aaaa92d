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
        is_hidden = layer.name == "hidden"
        return layers.Dense(7, name="hidden") if is_hidden else type(layer).from_config(layer.get_config())

    assert [w.shape for w in models.clone_model(chain(), clone_function=wider).get_weights()] == [
        (3, 7), (7,), (7, 2), (2,)
    ]  # fmt: skip


def test_layers_of_the_users_own_are_cloned():
    model = keras.Sequential([layers.Input(shape=(3,)), Twice(3.0)])
    clone = models.clone_model(model)
    assert clone.layers[0] is not model.layers[0]
    np.testing.assert_array_equal(clone.predict(np.ones((1, 3)), verbose=0), [[3, 3, 3]])


def test_a_clone_begins_at_other_inputs():
    x = keras.Input((3,), name="other")
    assert models.clone_model(chain(), x).input is x
    clone = models.clone_model(graph(), input_tensors=[keras.Input(t.shape[1:]) for t in graph().inputs])
    assert clone.output_shape == graph().output_shape
    with pytest.raises(errors.ArgumentError, match=r"expected placeholders of Input"):
        models.clone_model(chain(), np.ones((1, 3)))


def test_a_call_function_adds_layers_to_a_clone():
    def with_dropout(layer, *args, **kwargs):
        y = layer(*args, **kwargs)
        return layers.Dropout(0.5)(y) if isinstance(layer, layers.Dense) else y

    x = keras.Input((3,))
    model = keras.Model(x, layers.Dense(2)(layers.Dense(4)(x)))
    clone = models.clone_model(model, clone_function=lambda layer: layer, call_function=with_dropout)
    assert [type(layer).__name__ for layer in clone.layers] == ["InputLayer", *["Dense", "Dropout"] * 2]
    assert clone.layers[1] is model.layers[1]
    with pytest.raises(errors.ArgumentError, match="call_function is for functional models"):
        models.clone_model(chain(), call_function=with_dropout)


def test_models_within_are_cloned_by_the_same_function_on_request():
    def doubled(layer):
        config = layer.get_config()
        return type(layer).from_config({**config, "units": 2 * config["units"]} if "units" in config else config)

    inner = keras.Sequential([keras.Input((3,)), layers.Dense(2)], name="inner")
    x = keras.Input((3,))
    model = keras.Model(x, inner(x))
    assert models.clone_model(model, clone_function=doubled).output_shape == (None, 2)
    assert models.clone_model(model, clone_function=doubled, recursive=True).output_shape == (None, 4)


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
