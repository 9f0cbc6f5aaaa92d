"""Graphs as Keras 2 and Keras 3 write them: masks and arithmetic as operations, calls of models within models."""

import json

import numpy as np
import pytest

from distnet import errors, layers, models


def tensor(name, call=0, index=0):
    history = [name, call, index]
    return {"class_name": "__keras_tensor__", "config": {"shape": [None], "dtype": "float32", "keras_history": history}}


def entry(kind, name, *args, config=None, **kwargs):
    nodes = [{"args": list(args), "kwargs": kwargs}] if args else []
    return {"class_name": kind, "name": name, "config": {"name": name, **(config or {})}, "inbound_nodes": nodes}


def graph(*entries, shape=(6,), dtype="float32"):
    source = entry("InputLayer", "x", config={"batch_shape": [None, *shape], "dtype": dtype})
    config = {"name": "m", "layers": [source, *entries], "input_layers": ["x", 0, 0]}
    config["output_layers"] = [entries[-1]["name"], 0, 0]
    return json.dumps({"class_name": "Functional", "config": config})


def masked(operation="NotEqual", value=0, mask_zero=True):
    embedding = {"trainable": True, "input_dim": 5, "output_dim": 2, "mask_zero": mask_zero}
    return graph(
        entry("Embedding", "e", tensor("x"), config=embedding),
        entry(operation, "calculated", tensor("x"), value),
        entry("GRU", "g", tensor("e"), mask=tensor("calculated"), config={"trainable": True, "units": 2}),
    )


def test_the_calculation_of_a_layers_mask_is_left_out():
    model = models.model_from_json(masked())
    assert [layer.name for layer in model.layers] == ["x", "e", "g"]
    x = np.array([[1, 2, 0, 0, 0, 0], [1, 2, 0, 0, 0, 0]])
    y = model.predict(x, verbose=0)
    np.testing.assert_allclose(y, model.layers[2](model.layers[1](x[:, :2])), rtol=1e-6)


@pytest.mark.parametrize("text", [masked(mask_zero=False), masked(value=3), masked("Greater")])
def test_other_masks_are_computed_as_the_file_says(text):
    model = models.model_from_json(text)
    assert [call.layer.name for call in model.trace.calls if "mask" in call.options] == ["g"]


def test_arithmetic_takes_the_names_of_its_operations():
    text = graph(entry("Add", "add", tensor("x"), tensor("x")), entry("Multiply", "multiply", tensor("add"), 3.0))
    model = models.model_from_json(text)
    assert [layer.name for layer in model.trace.layers] == ["x", "add", "multiply"]
    np.testing.assert_array_equal(model.predict(np.ones((2, 6)), verbose=0), np.full((2, 6), 6.0))
    again = models.model_from_json(model.to_json())
    np.testing.assert_array_equal(again.predict(np.ones((2, 6)), verbose=0), np.full((2, 6), 6.0))


def tensorflow(function, *node):
    config = {"name": "op", "trainable": True, "dtype": "float32", "function": function}
    operation = {"class_name": "TFOpLambda", "name": "op", "config": config, "inbound_nodes": [list(node)]}
    found = json.loads(graph(entry("InputLayer", "unused")))
    found["config"]["layers"][1:] = [operation]
    return json.dumps(
        {**found, "config": {**found["config"], "output_layers": [["op", 0, 0]]}, "keras_version": "2.12"}
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (tensorflow("__operators__.add", "x", 0, 0, {"y": 2.0, "name": None}), 3.0),
        (tensorflow("math.subtract", "_CONSTANT_VALUE", -1, 5.0, {"y": ["x", 0, 0], "name": None}), 4.0),
        (tensorflow("math.multiply", "x", 0, 0, {"y": ["x", 0, 0], "name": None}), 1.0),
    ],
)
def test_arithmetic_of_tensorflows_keras_is_read(text, expected):
    model = models.model_from_json(text)
    np.testing.assert_array_equal(model.predict(np.ones((2, 6)), verbose=0), np.full((2, 6), expected))


def test_other_operations_of_tensorflow_are_refused_by_name():
    with pytest.raises(errors.ArgumentError, match=r"op: TensorFlow's operation 'math\.bessel_i0' is no layer"):
        models.model_from_json(tensorflow("math.bessel_i0", "x", 0, 0, {"axis": 1}))


def test_a_reference_to_an_output_that_is_not_there_is_refused():
    with pytest.raises(errors.ArgumentError, match=r"no call of a layer 'x' makes output 4 of call 0"):
        models.model_from_json(graph(entry("Flatten", "f", tensor("x", 0, 4), config={"trainable": True})))


def test_masks_come_out_of_models_within_models():
    inner = models.Sequential([layers.Input((6,)), layers.Embedding(5, 2, mask_zero=True)])
    entry_point, gru = layers.Input((6,)), layers.GRU(2)
    model = models.Model(entry_point, gru(inner(entry_point)))
    x = np.array([[1, 2, 0, 0, 0, 0], [3, 0, 0, 0, 0, 0]])
    shorter = [gru(inner.layers[0](row[row > 0][None])) for row in x]
    np.testing.assert_allclose(model.predict(x, verbose=0), np.concatenate(shorter), rtol=1e-6)


@pytest.mark.parametrize("kind", ["RandomFlip", "RandomContrast", "RandomTranslation"])
def test_a_model_of_keras_3_that_augments_images_predicts_from_the_images_as_they_are(kind):
    """Keras 3 writes ``training: true`` into every call of such a layer, and predicts without it all the same."""
    factors = {"RandomContrast": {"factor": 0.5}, "RandomTranslation": {"height_factor": 0.5, "width_factor": 0.5}}
    layer = entry(kind, "augmenting", tensor("x"), config=factors.get(kind), training=True)
    x = np.random.default_rng(0).random((8, 4, 4, 3)).astype("float32")
    model = models.model_from_json(graph(layer, shape=(4, 4, 3)))
    np.testing.assert_array_equal(model.predict(x, verbose=0), x)
    assert np.abs(model(x, training=True).numpy() - x).max() > 0.01
