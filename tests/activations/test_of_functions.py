"""Activations that users write as plain functions of tensors."""

import json

import numpy as np
import pytest

from distnet import GradientTape, Input, Sequential, activations, layers, ops
from distnet.errors import ArgumentError, ShapeError
from distnet.models import load_model
from distnet.registry import custom_object_scope, get_custom_objects, register_keras_serializable
from ranks_of_threads import as_ranks


def gated(x):
    return x * ops.sigmoid(x)


def centered(x):
    return x - ops.mean(x, axis=0)


def model(activation, of_gates="tanh"):
    parts = [Input((6,)), layers.Dense(4, activation=activation, kernel_initializer="ones"), layers.Reshape((4, 1))]
    parts += [layers.Conv1D(2, 2, activation=activation, kernel_initializer="ones"), layers.Activation(activation)]
    gates = {"kernel_initializer": "ones", "recurrent_initializer": "ones"}
    return Sequential([*parts, layers.GRU(2, activation=of_gates, **gates)])


def losses(activation, of_gates="tanh"):
    x = np.linspace(-1, 1, 48).reshape(8, 6).astype("float32")
    made = model(activation, of_gates)
    made.compile("sgd", "mse")
    return made.fit(x, x[:, :2], epochs=3, batch_size=4, verbose=0, shuffle=False).history["loss"]


def test_layers_train_with_it_as_with_the_built_in_one():
    assert losses(gated) == pytest.approx(losses("silu"), rel=1e-6)
    assert losses("relu", lambda x: ops.tanh(x)) == pytest.approx(losses("relu"), rel=1e-6)


def test_functions_of_ops_are_the_built_in_activations():
    assert activations.get(ops.relu) == activations.relu
    assert activations.get(ops.exp) == activations.exponential
    assert activations.get(ops.gelu) == activations.GELU(approximate=True)
    assert activations.get(ops.square)(3.0) == 9.0


def test_tensors_have_gradients_through_activations():
    x = ops.convert_to_tensor([0.5, -2.0])
    with GradientTape() as tape:
        tape.watch(x)
        y = activations.get(gated)(x) + activations.silu(x) + activations.softmax(x) + activations.ReLU(0.5)(x)
    assert tape.gradient(y, x).shape == (2,)


def test_an_activation_with_a_gradient_written_by_hand_has_no_second_one():
    class Cube(activations.Activation):
        saves_input = True

        def forward(self, z, out):
            np.multiply(z * z, z, out=out)

        def backward(self, dy, saved, out):
            np.multiply(dy, 3 * saved * saved, out=out)

    x = ops.convert_to_tensor(2.0)
    with GradientTape() as outer:
        outer.watch(x)
        with GradientTape() as tape:
            y = Cube()(x)
        slope = tape.gradient(y, x)
    assert float(slope) == 12.0
    with pytest.raises(ArgumentError, match=r"Cube.*no second derivative.*distnet\.ops"):
        outer.gradient(slope, x)


def test_it_is_saved_by_name(tmp_path):
    made = model(gated)
    x = np.ones((2, 6), "float32")
    for name in ("m.keras", "m.h5"):
        made.save(tmp_path / name)
        read = load_model(tmp_path / name, custom_objects={"gated": gated})
        np.testing.assert_array_equal(read.predict(x, verbose=0), made.predict(x, verbose=0))
        with pytest.raises(ArgumentError, match="gated"):
            load_model(tmp_path / name)


def test_it_is_written_as_keras_writes_it(monkeypatch):
    monkeypatch.setitem(get_custom_objects(), "Mine>gated", gated)
    written = json.loads(json.dumps(activations.serialize(activations.get(gated))))
    assert written == {
        "module": "builtins", "class_name": "function", "config": "Mine>gated", "registered_name": "function",
    }  # fmt: skip
    assert activations.deserialize(written) == activations.get(gated)
    with custom_object_scope({"gated": gated}):
        assert activations.get("gated") == activations.get(gated)
    assert callable(register_keras_serializable)


def test_a_lambda_cannot_be_saved(tmp_path):
    with pytest.raises(ArgumentError, match="lambda has no name"):
        model(lambda x: x * 2).save(tmp_path / "m.keras")


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        (lambda x: np.tanh(x), ArgumentError, r"<lambda>.*numpy\.tanh.*ops\.tanh"),
        (lambda x: x[:, :1], ShapeError, r"<lambda>.*\(2, 4\).*\(2, 1\)"),
        (lambda x: 3.0, ArgumentError, r"<lambda>.*float.*distnet\.ops"),
    ],
)
def test_a_wrong_function_is_named(wrong, error, message):
    with pytest.raises(error, match=message):
        model(wrong).predict(np.ones((2, 6), "float32"), verbose=0)


def test_one_that_mixes_rows_is_refused_on_several_ranks(monkeypatch):
    activation = activations.get(centered)
    z = np.arange(8.0).reshape(4, 2)
    activation.forward(z, np.empty_like(z))

    def program(ranks):
        with pytest.raises(ArgumentError, match="centered: mixes the rows"):
            activation.forward(z, np.empty_like(z))

    as_ranks(2, program, monkeypatch)
