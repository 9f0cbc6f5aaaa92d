"""Operations on placeholders against Keras's numbers, in values, gradients and files."""

import json
from pathlib import Path

import numpy as np
import pytest

import distnet as keras
import operation_cases
from distnet import ops
from distnet.errors import ArgumentError, DistnetError
from distnet.layers.engine.context import BackwardContext, ForwardContext, Workspaces
from operation_cases import CASES, data

GOLDEN = Path(__file__).parents[2] / "golden" / "operations.npz"


@pytest.fixture(scope="module", autouse=True)
def in_float64():
    keras.config.set_floatx("float64")
    yield
    keras.config.set_floatx("float32")


@pytest.fixture(scope="module")
def golden():
    with np.load(GOLDEN) as held:
        return dict(held)


def assert_is_golden(found, golden):
    """To 1e-6: Keras 3.15 computes some functions in single precision, whatever the dtype."""
    for name, y in zip(CASES, found["y"], strict=True):
        np.testing.assert_allclose(y, golden[f"y {name}"], rtol=1e-6, atol=1e-6, err_msg=name)
    for number, name in enumerate(CASES):
        for layer in (f"d{number}_{i}" for i in range(3)):
            for i, weight in enumerate(found["weights"].get(layer, ())):
                np.testing.assert_allclose(weight, golden[f"w {layer} {i}"], rtol=1e-6, atol=1e-6, err_msg=name)
    np.testing.assert_allclose(found["losses"], golden["losses"], rtol=1e-6)


def test_values_steps_and_masks_are_those_of_keras(golden):
    assert_is_golden(operation_cases.trained(keras, operation_cases.model(keras, with_mask=True)), golden)


def test_keras_texts_are_read_and_trained_on(golden):
    model = keras.models.model_from_json(golden["text"].tobytes().decode())
    assert_is_golden(operation_cases.trained(keras, model), golden)


@pytest.mark.slow
@pytest.mark.parametrize("ending", [".keras", ".h5"])
@pytest.mark.parametrize("with_mask", [False, True])
def test_files_hold_them(tmp_path, ending, with_mask):
    model = operation_cases.model(keras, with_mask)
    model.save(tmp_path / f"model{ending}")
    again = keras.models.load_model(tmp_path / f"model{ending}")
    for name, y, expected in zip(CASES, again(data()), model(data()), strict=True):
        np.testing.assert_array_equal(y, expected, err_msg=name)


def test_a_sum_behind_no_mask_is_a_layer_that_every_keras_knows_in_files():
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    config = json.loads(keras.Model([a, b], 1 - a * b + a / 2).to_json())["config"]
    assert {layer["class_name"] for layer in config["layers"]} == {"InputLayer", "Multiply", "Rescaling", "Add"}


def test_a_sum_behind_a_mask_is_an_operation_in_files_for_layers_keep_masks():
    x = keras.Input((4, 3))
    masked = keras.layers.Masking()(x)
    config = json.loads(keras.Model(x, masked + masked).to_json())["config"]
    assert [layer.get("module") for layer in config["layers"]][-1] == "keras.src.ops.numpy"


def test_operations_are_no_layers_of_the_model():
    x = keras.Input((4, 3), name="x")
    model = keras.Model(x, keras.layers.Dense(2, name="dense")(x[:, 0] * 2))
    assert [layer.name for layer in model.layers] == ["x", "dense"]
    model.summary(print_fn=lambda line: None)


@pytest.mark.parametrize(
    ("mixing", "shape"),
    [
        (lambda x: x[0], (4, 3)),
        (lambda x: x[::-1], (None, 4, 3)),
        (lambda x: ops.mean(x), ()),
        (lambda x: ops.sum(x, axis=0), (4, 3)),
        (lambda x: ops.mean(x, axis=0, keepdims=True), (1, 4, 3)),
        (lambda x: ops.cumsum(x, axis=0), (None, 4, 3)),
        (lambda x: ops.softmax(x, axis=0), (None, 4, 3)),
        (lambda x: ops.reshape(x, (3, -1)), (3, None)),
        (lambda x: ops.transpose(x), (3, 4, None)),
        (lambda x: ops.concatenate([x, x], axis=0), (None, 4, 3)),
        (lambda x: x - ops.mean(x, axis=0), (None, 4, 3)),
    ],
)
def test_what_mixes_the_rows_of_the_batch_has_its_shape_and_value(mixing, shape):
    x, rows = keras.Input((4, 3), name="rows"), np.random.default_rng(0).normal(size=(5, 4, 3))
    made = mixing(x)
    assert made.shape == shape
    model = keras.Model(x, made)
    assert model.depends_on_batch
    np.testing.assert_allclose(model(rows), mixing(rows))


def test_a_layer_of_what_is_no_batch_is_refused_on_several_ranks():
    x = keras.Input((4, 3), name="rows")
    model = keras.Model(x, x + keras.layers.Dense(3)(ops.mean(x, axis=0)))
    assert model(np.ones((2, 4, 3))).shape == (2, 4, 3)
    ctx = ForwardContext(True, 0, 0, 0, 5, Workspaces(), is_spread=True)
    with pytest.raises(ArgumentError, match="first axis is the batch"):
        model.forward_batch([np.ones((2, 4, 3))], ctx)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda x: x + "a",
        lambda x: x + np.ones(5),
        lambda x: x @ x,
        lambda x: x[:, 9],
        lambda x: list(x),
        lambda x: 1 if x > 0 else 2,
        lambda x: ops.mean(x, axis=1, of=2),
    ],
)
def test_what_cannot_be_computed_is_refused(wrong):
    with pytest.raises(DistnetError):
        wrong(keras.Input((4, 3), name="rows"))


def test_unknown_extents_stay_unknown():
    x = keras.Input((None, 3))
    assert (x[:, 1:]).shape == (None, None, 3)
    assert ops.mean(x, axis=1).shape == (None, 3)
    assert ops.reshape(x, (-1, 3)).shape == (None, 3)


def test_a_rank_without_rows_takes_part():
    model = operation_cases.model(keras)
    model.compile("sgd", "mse")
    x = [part[:0] for part in data()]
    y, tape = model.forward_batch(x, ForwardContext(True, 0, 0, 0, 5, Workspaces()))
    model.backward_batch(tape, y, BackwardContext(Workspaces()))
    assert not any(v.grad.any() for v in model.trainable_weights)


@pytest.mark.parametrize("function", [None, lambda layer: type(layer).from_config(layer.get_config())])
def test_models_of_them_are_cloned(function):
    model = operation_cases.model(keras)
    copied = keras.models.clone_model(model, clone_function=function)
    copied.set_weights(model.get_weights())
    for name, y, expected in zip(CASES, copied(data()), model(data()), strict=True):
        np.testing.assert_array_equal(y, expected, err_msg=name)
