"""Files for Keras 2 alone have its forms, where no one form suits Keras 3 too, and come back all the same."""

import json

import h5py
import numpy as np
import pytest

import distnet as keras
from distnet import layers, models
from keras_cases import Case
from keras_models import GRAPHS, encoder_decoder, transformer


def entries(path):
    with h5py.File(path) as file:
        found = json.loads(file.attrs["model_config"])
    return {entry["name"]: entry for entry in found["config"]["layers"]}


def trained(make):
    """A case of a model that has made some steps."""
    model, x = make()
    model.compile("adam", "mse")
    case = Case("m", model, x)
    case.fit(2)
    return case


def gone_on(model, case):
    """Losses of further epochs."""
    return Case("again", model, case.x, case.y).fit(2)


def attentions():
    """One attention called twice, and one on a mask, within a model within the model."""
    x, mask = keras.Input((5, 4)), keras.Input((5, 5))
    shared = layers.MultiHeadAttention(2, 3, name="shared")
    y = shared(shared(x, x), x, key=x)
    inner = keras.Model(
        [x, mask], layers.MultiHeadAttention(1, 2, name="masked")(y, x, attention_mask=mask), name="inner"
    )
    a, b = keras.Input((5, 4)), keras.Input((5, 5))
    rng = np.random.default_rng(3)
    x = [rng.random((6, 5, 4)), (rng.random((6, 5, 5)) < 0.7).astype("float32")]
    return keras.Model([a, b], layers.Dense(2)(inner([a, b]))), x


def test_a_call_with_states_has_the_form_of_the_keras_that_it_is_for(tmp_path):
    model = trained(encoder_decoder).model
    model.save(tmp_path / "3.h5")
    model.save(tmp_path / "2.h5", keras_optimizer=True)
    first, second = (layer.name for layer in model.layers if isinstance(layer, layers.LSTM))
    (node,) = entries(tmp_path / "2.h5")[second]["inbound_nodes"]
    entry = model.inputs[1].name
    assert node == [[entry, 0, 0, {"initial_state": [[first, 0, 1], [first, 0, 2]]}]]
    (node,) = entries(tmp_path / "3.h5")[second]["inbound_nodes"]
    assert [state["config"]["keras_history"] for state in node["kwargs"]["initial_state"]] == [
        [first, 0, 1],
        [first, 0, 2],
    ]


def test_an_attention_has_its_shapes_in_the_file_for_keras_2_alone(tmp_path):
    x, y = keras.Input((None, 4)), keras.Input((5, 2))
    model = keras.Model([x, y], layers.MultiHeadAttention(2, 3, name="attention")(x, y))
    model.save(tmp_path / "3.h5")
    model.save(tmp_path / "2.h5", keras_optimizer=True)
    shapes = {"query_shape": [None, None, 4], "key_shape": [None, 5, 2], "value_shape": [None, 5, 2]}
    of_both = entries(tmp_path / "3.h5")["attention"]["config"]
    assert entries(tmp_path / "2.h5")["attention"]["config"] == {**of_both, **shapes}
    assert not shapes.keys() & of_both.keys()


@pytest.mark.slow
@pytest.mark.parametrize("keras_optimizer", [False, True])
@pytest.mark.parametrize("make", [*GRAPHS, attentions])
def test_a_model_comes_back_from_either_form_and_trains_on_alike(make, keras_optimizer, tmp_path):
    case = trained(make)
    case.model.save(tmp_path / "m.h5", keras_optimizer=keras_optimizer)
    again = models.load_model(tmp_path / "m.h5")
    assert again.get_config() == case.model.get_config()
    assert gone_on(again, case) == case.fit(2)
    for a, b in zip(again.get_weights(), case.model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("make", [encoder_decoder, transformer, attentions])
def test_training_goes_on_from_the_state_for_keras_2_by_itself(make, tmp_path):
    case = trained(make)
    case.model.save(tmp_path / "m.h5", keras_optimizer=True)
    with h5py.File(tmp_path / "m.h5", "r+") as file:
        del file["distnet"]
    np.testing.assert_allclose(gone_on(models.load_model(tmp_path / "m.h5"), case), case.fit(2), rtol=0, atol=1e-6)


@pytest.mark.parametrize("slope", [0.2, 1 / 6, 0.3])
def test_the_name_hard_sigmoid_is_that_of_the_function_of_the_keras_that_reads(slope, tmp_path):
    activation = {"class_name": "HardSigmoid", "config": {"slope": slope}}
    entry = layers.Input((3, 2))
    model = keras.Sequential([entry, layers.LSTM(2, recurrent_activation=activation, name="a")], name="m")
    for name, keras_optimizer, its_own in (("3.h5", False, 1 / 6), ("2.h5", True, 0.2)):
        model.save(tmp_path / name, keras_optimizer=keras_optimizer)
        with h5py.File(tmp_path / name) as file:
            found = json.loads(file.attrs["model_config"])["config"]["layers"][1]["config"]
        assert found["recurrent_activation"] == ("hard_sigmoid" if slope == its_own else activation)
        again = models.load_model(tmp_path / name)
        assert again.get_config() == model.get_config()
        assert again.layers[0].recurrent_activation == model.layers[0].recurrent_activation


def test_a_call_on_a_list_of_input_and_states_is_written_with_the_states_apart():
    x, state = keras.Input((5, 4)), keras.Input((3,))
    of_list = keras.Model([x, state], layers.GRU(3, name="gru")([x, state]))
    apart = keras.Model([x, state], layers.GRU(3, name="gru")(x, initial_state=[state]))
    (one,), (other,) = (model.get_config()["layers"][-1]["inbound_nodes"] for model in (of_list, apart))
    assert one == other


def test_the_one_input_and_output_of_a_model_are_in_no_list():
    x, y = keras.Input((3,), name="x"), keras.Input((3,), name="y")
    one = keras.Model([x], [layers.Dense(2, name="z")(x)]).get_config()
    assert (one["input_layers"], one["output_layers"]) == (["x", 0, 0], ["z", 0, 0])
    two = keras.Model([x, y], layers.add([x, y], name="z")).get_config()
    assert (two["input_layers"], two["output_layers"]) == ([["x", 0, 0], ["y", 0, 0]], ["z", 0, 0])
    named = keras.Model({"x": x}, {"z": layers.Dense(2, name="z")(x)}).get_config()
    assert (named["input_layers"], named["output_layers"]) == ({"x": ["x", 0, 0]}, {"z": ["z", 0, 0]})


@pytest.mark.parametrize(
    ("given", "loss", "weights"),
    [
        (("mse", None), "mean_squared_error", None),
        (("mse", [1, 0.5]), ["mean_squared_error"] * 2, [1, 0.5]),
        ((["mse", "mae"], [1, 0.5]), ["mean_squared_error", "mean_absolute_error"], [1, 0.5]),
        (
            ("mse", {"second": 0.5}),
            {"first": "mean_squared_error", "second": "mean_squared_error"},
            {"first": 1.0, "second": 0.5},
        ),
        (
            (["mse", "mae"], {"first": 2.0, "second": 0.5}),
            {"first": "mean_squared_error", "second": "mean_absolute_error"},
            {"first": 2.0, "second": 0.5},
        ),
        (({"second": "mse"}, {"second": 0.5}), {"second": "mean_squared_error"}, {"second": 0.5}),
    ],
)
def test_a_file_has_losses_and_their_weights_in_one_structure(given, loss, weights, tmp_path):
    model, _ = GRAPHS[0]()
    model.compile("sgd", given[0], loss_weights=given[1])
    model.save(tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5") as file:
        found = json.loads(file.attrs["training_config"])
    assert (found["loss"], found["loss_weights"]) == (loss, weights)
    assert models.load_model(tmp_path / "m.h5").compiled


def without_name(entry):
    """What Keras 2 reads of an operation's entry: function and call."""
    return entry["class_name"], entry["config"]["function"], entry["inbound_nodes"]


def test_operations_are_tensorflows(tmp_path):
    x = keras.Input((5, 4), name="x")
    item, ratio = keras.ops.mean(x, axis=1)[..., -1:], 1 / x
    keras.Model(x, [item, ratio]).save(tmp_path / "m.h5", keras_optimizer=True)
    kept = {"start": None, "stop": None, "step": None}
    key = [kept, {"start": -1, "stop": None, "step": None}]
    written = entries(tmp_path / "m.h5")
    (mean,) = (name for name in written if name.startswith("mean"))
    assert [without_name(entry) for name, entry in sorted(written.items()) if name != "x"] == [
        ("SlicingOpLambda", "__operators__.getitem", [[mean, 0, 0, {"slice_spec": key}]]),
        ("TFOpLambda", "math.reduce_mean", [["x", 0, 0, {"axis": 1, "keepdims": False}]]),
        ("TFOpLambda", "math.truediv", [["_CONSTANT_VALUE", -1, 1.0, {"y": ["x", 0, 0]}]]),
    ]
    rows = np.random.default_rng(0).random((3, 5, 4))
    y, z = models.load_model(tmp_path / "m.h5").predict(rows, verbose=0)
    np.testing.assert_allclose(y, rows.mean(axis=1)[:, -1:], rtol=1e-6)
    np.testing.assert_allclose(z, 1 / rows, rtol=1e-6)


@pytest.mark.parametrize(
    ("operation", "reason"),
    [
        (lambda x: keras.ops.flip(x, axis=1), "Flip: TensorFlow has no function"),
        (
            lambda x: keras.ops.mean(keras.ops.cast(x, "int32"), axis=1),
            r"Mean: TensorFlow computes otherwise of \['int32'\]",
        ),
        (lambda x: x[:, [1, 0]], "GetItem: TensorFlow takes only slices and whole numbers"),
    ],
)
def test_operations_that_tensorflow_computes_otherwise_are_refused(operation, reason, tmp_path):
    x = keras.Input((5, 4))
    with pytest.raises(keras.errors.ArgumentError, match=reason):
        keras.Model(x, operation(x)).save(tmp_path / "m.h5", keras_optimizer=True)
    assert not (tmp_path / "m.h5").exists()
