"""Files in the dialects of Kerases that no longer run: made by hand, as they were found."""

import json
from dataclasses import dataclass

import h5py
import numpy as np
import pytest

from distnet import activations, errors, layers, metrics, models, optimizers
from distnet.dialects import optimizer_state
from distnet.dialects.reading import in_present_words
from distnet.dialects.versions import KERAS_2_VERSION
from distnet.dialects.writing import of_sparse_targets

X = np.sin(np.arange(40, dtype="float32")).reshape(10, 4)
Y = np.cos(np.arange(10, dtype="float32"))[:, None]
GLOROT = {"class_name": "VarianceScaling",
          "config": {"scale": 1.0, "mode": "fan_avg", "distribution": "uniform", "seed": None}}  # fmt: skip
ZEROS = {"class_name": "Zeros", "config": {}}


def dense(name, units, activation="linear", **first):
    config = {
        "name": name, "trainable": True, **first, "units": units, "activation": activation, "use_bias": True,
        "kernel_initializer": GLOROT, "bias_initializer": ZEROS, "kernel_regularizer": None, "bias_regularizer": None,
        "activity_regularizer": None, "kernel_constraint": None, "bias_constraint": None,
    }  # fmt: skip
    return {"class_name": "Dense", "config": config}


def bare_list():
    """A Sequential as Keras up to 2.2.2 wrote it."""
    first = {"batch_input_shape": [None, 4], "dtype": "float32"}
    return {"class_name": "Sequential", "config": [dense("dense_1", 3, "tanh", **first), dense("dense_2", 1)]}


def training(optimizer, config, **others):
    compiled = {"loss": "mean_squared_error", "metrics": ["mae"], "sample_weight_mode": None, "loss_weights": None}
    return {"optimizer_config": {"class_name": optimizer, "config": config}, **compiled, **others}


ADAM = training("Adam", {"lr": 0.01, "beta_1": 0.9, "beta_2": 0.999, "decay": 0.1, "epsilon": None, "amsgrad": False})


def fixed(names):
    """Names as older h5py wrote them: padded to one length."""
    return np.array([name.encode() for name in names]) if names else np.empty(0)


def write(path, config, training_config, weights, optimizer=((), ()), version="2.2.4", encoded=fixed):
    """A whole-model file; ``weights`` are arrays by layer, ``optimizer`` names and arrays."""
    with h5py.File(path, "w") as file:
        file.attrs.update({"keras_version": version, "backend": "tensorflow", "model_config": json.dumps(config)})
        if training_config:
            file.attrs["training_config"] = json.dumps(training_config).encode()
        group = file.create_group("model_weights")
        group.attrs.update({"layer_names": encoded(list(weights)), "keras_version": version, "backend": "tensorflow"})
        for layer, arrays in weights.items():
            part = group.create_group(layer)
            names = [f"{layer}/weight_{i}:0" for i in range(len(arrays))]
            part.attrs["weight_names"] = encoded(names)
            for name, array in zip(names, arrays, strict=True):
                part[name] = array
        if optimizer[0]:
            part = file.create_group("optimizer_weights")
            part.attrs["weight_names"] = encoded(list(optimizer[0]))
            for name, array in zip(*optimizer, strict=True):
                part[name] = array
    return path


def trained(optimizer):
    stack = [layers.Input((4,)), layers.Dense(3, "tanh"), layers.Dense(1)]
    model = models.Sequential(stack)
    model.compile(optimizer, "mse", metrics=["mae"])
    model.fit(X, Y, batch_size=4, epochs=2, shuffle=False, verbose=0)
    return model


def weights_of(model):
    return {f"dense_{i + 1}": layer.get_weights() for i, layer in enumerate(model.layers)}


def in_standalone_keras(optimizer, store):
    listed = optimizer_state.arrays(optimizer_state.STANDALONE, optimizer, store)
    return [entry.name for entry, _ in listed], [value for _, value in listed]


def test_a_bare_list_with_everything_of_keras_2_2_goes_on(tmp_path):
    model = trained(optimizers.Adam(lr=0.01, decay=0.1))
    state = in_standalone_keras(model.optimizer, model.store)
    assert len(state[0]) == 1 + 3 * 4
    again = models.load_model(write(tmp_path / "m.h5", bare_list(), ADAM, weights_of(model), state))
    assert [layer.name for layer in again.layers] == ["dense_1", "dense_2"]
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))
    assert again.evaluate(X, Y, verbose=0) == model.evaluate(X, Y, verbose=0)
    histories = [m.fit(X, Y, batch_size=4, epochs=3, shuffle=False, verbose=0).history for m in (again, model)]
    assert histories[0] == histories[1]


def test_attributes_in_pieces_are_read(tmp_path):
    long = "x" * 30_000
    model = trained("sgd")
    weights = {f"{long}_{i}": layer.get_weights() for i, layer in enumerate(model.layers)}
    path = write(tmp_path / "m.h5", bare_list(), None, {})
    with h5py.File(path, "a") as file:
        group = file["model_weights"]
        del group.attrs["layer_names"]
        for number, (name, arrays) in enumerate(weights.items()):
            group.attrs[f"layer_names{number}"] = fixed([name])
            part = group.create_group(name)
            for i, array in enumerate(arrays):
                part.attrs[f"weight_names{i}"] = fixed([f"{i}{long}"])
                part[f"{i}{long}"] = array
    np.testing.assert_array_equal(models.load_model(path).predict(X, verbose=0), model.predict(X, verbose=0))


def test_names_of_any_string_type_and_short_ones_are_read(tmp_path):
    model = trained("sgd")
    path = write(tmp_path / "m.h5", bare_list(), None, weights_of(model), encoded=lambda names: names or np.empty(0))
    np.testing.assert_array_equal(models.load_model(path).predict(X, verbose=0), model.predict(X, verbose=0))
    with h5py.File(path, "a") as file:
        for layer in ("dense_1", "dense_2"):
            part = file["model_weights"][layer]
            for new, old in (("kernel", f"{layer}/weight_0:0"), ("bias", f"{layer}/weight_1:0")):
                part.move(old, new)
            part.attrs["weight_names"] = ["kernel", "bias"]
    np.testing.assert_array_equal(models.load_model(path).predict(X, verbose=0), model.predict(X, verbose=0))


def two_embeddings():
    """The graph of a recommender that Keras 2.2.4 wrote."""

    def entry(kind, name, node, **config):
        nodes = [node] if node else []
        return {"name": name, "class_name": kind, "config": {"name": name, **config}, "inbound_nodes": nodes}

    def embedding(name, size, source):
        uniform = {"class_name": "RandomUniform", "config": {"minval": -0.05, "maxval": 0.05, "seed": None}}
        options = {"trainable": True, "batch_input_shape": [None, None], "dtype": "float32", "input_dim": size}
        options |= {"output_dim": 5, "embeddings_initializer": uniform, "embeddings_regularizer": None}
        options |= {"activity_regularizer": None, "embeddings_constraint": None, "mask_zero": False}
        return entry("Embedding", name, [[source, 0, 0, {}]], **options, input_length=None)

    shape = {"batch_input_shape": [None, 1], "dtype": "float32", "sparse": False}
    flat = {"trainable": True, "data_format": "channels_last"}
    both = [["Flatten-Books", 0, 0, {}], ["Flatten-Users", 0, 0, {}]]
    calls = [
        entry("InputLayer", "Book-Input", None, **shape),
        entry("InputLayer", "User-Input", None, **shape),
        embedding("Book-Embedding", 7, "Book-Input"),
        embedding("User-Embedding", 9, "User-Input"),
        entry("Flatten", "Flatten-Books", [["Book-Embedding", 0, 0, {}]], **flat),
        entry("Flatten", "Flatten-Users", [["User-Embedding", 0, 0, {}]], **flat),
        entry("Dot", "Dot-Product", both, trainable=True, axes=1, normalize=False),
    ]
    inputs = [["User-Input", 0, 0], ["Book-Input", 0, 0]]
    config = {"name": "model_1", "layers": calls, "input_layers": inputs, "output_layers": [["Dot-Product", 0, 0]]}
    return {"class_name": "Model", "config": config}


def test_a_graph_of_keras_2_2_is_read(tmp_path):
    books, users = np.arange(35.0).reshape(7, 5), -np.arange(45.0).reshape(9, 5)
    weights = {"Book-Input": [], "User-Input": [], "Book-Embedding": [books], "User-Embedding": [users]}
    weights |= {"Flatten-Books": [], "Flatten-Users": [], "Dot-Product": []}
    model = models.load_model(write(tmp_path / "m.h5", two_embeddings(), training("Adam", {"lr": 0.1}), weights))
    user, book = np.array([[8], [0]]), np.array([[3], [6]])
    expected = [[books[3] @ users[8]], [books[6] @ users[0]]]
    np.testing.assert_allclose(model.predict([user, book], verbose=0), expected, rtol=1e-6)
    assert model.optimizer.learning_rate == 0.1


def recurrent(kind, **config):
    first = {"batch_input_shape": [None, 3, 4], "dtype": "float32", "implementation": 1, "time_major": False}
    options = {"name": "rnn", "trainable": True, "units": 2, "activation": "tanh", **first, **config}
    return {"class_name": "Sequential", "config": {"name": "s", "layers": [{"class_name": kind, "config": options}]}}


@pytest.mark.parametrize("version", ["2.2.4", "2.12.0", "2.21.0", "2.2.4-tf"])
def test_hard_sigmoid_is_that_of_the_keras_that_wrote_it(version, tmp_path):
    config = recurrent("LSTM", recurrent_activation="hard_sigmoid")
    arrays = [np.ones((4, 8)), np.ones((2, 8)), np.ones(8)]
    model = models.load_model(write(tmp_path / "m.h5", config, None, {"rnn": arrays}, version=version))
    assert model.layers[0].recurrent_activation == activations.HardSigmoid(slope=0.2)
    model.save(tmp_path / "n.h5")
    assert models.load_model(tmp_path / "n.h5").layers[0].recurrent_activation == activations.HardSigmoid(slope=0.2)


def test_hard_sigmoid_of_keras_3_and_of_distnet_keeps_its_slope(tmp_path):
    config = recurrent("LSTM", recurrent_activation="hard_sigmoid")
    arrays = [np.ones((4, 8)), np.ones((2, 8)), np.ones(8)]
    model = models.load_model(write(tmp_path / "m.h5", config, None, {"rnn": arrays}, version="3.15.1"))
    assert model.layers[0].recurrent_activation == activations.HardSigmoid()
    model.save(tmp_path / "n.h5")
    assert models.load_model(tmp_path / "n.h5").layers[0].recurrent_activation == activations.HardSigmoid()
    assert models.model_from_json(model.to_json()).layers[0].recurrent_activation == activations.HardSigmoid()


def test_a_gru_that_does_not_say_resets_as_its_keras_did(tmp_path):
    old = models.load_model(
        write(tmp_path / "m.h5", recurrent("GRU"), None, {"rnn": [np.ones((4, 6)), np.ones((2, 6)), np.ones(6)]})
    )
    assert not old.layers[0].reset_after
    arrays = [np.ones((4, 6)), np.ones((2, 6)), np.ones((2, 6))]
    new = models.load_model(write(tmp_path / "n.h5", recurrent("GRU"), None, {"rnn": arrays}, version="3.0.0"))
    assert new.layers[0].reset_after


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (recurrent("LSTM", time_major=True), "time_major"),
        (recurrent("LSTM", dtype={"class_name": "Policy", "config": {"name": "mixed_float16"}}), "mixed_float16"),
        (
            recurrent("LSTM", dtype={"class_name": "QuantizedDTypePolicy", "config": {"mode": "int8"}}),
            "QuantizedDTypePolicy",
        ),
        (recurrent("Highway"), "unknown layer 'Highway'"),
    ],
    ids=["time_major", "mixed", "quantized", "unknown"],
)
def test_what_cannot_be_computed_is_refused_by_name(config, message, tmp_path):
    with pytest.raises(errors.DistnetError, match=message):
        models.load_model(write(tmp_path / "m.h5", config, None, {}))


def test_optimizers_of_tf_keras_keep_their_settings(tmp_path):
    settings = {"name": "Adam", "weight_decay": None, "clipnorm": None, "global_clipnorm": None, "clipvalue": None}
    settings |= {"use_ema": False, "ema_momentum": 0.99, "ema_overwrite_frequency": None, "jit_compile": True}
    settings |= {"is_legacy_optimizer": False, "learning_rate": 0.05, "beta_1": 0.8, "beta_2": 0.999, "epsilon": 1e-07}
    wrapped = {"class_name": "MeanMetricWrapper", "config": {"name": "mae", "dtype": "float32",
                                                             "fn": "mean_absolute_error"}}  # fmt: skip
    config = training("Custom>Adam", {**settings, "amsgrad": False}, metrics=[[wrapped]])
    model = trained("sgd")
    again = models.load_model(write(tmp_path / "m.h5", bare_list(), config, weights_of(model), version="2.12.0"))
    assert (again.optimizer.learning_rate, again.optimizer.beta_1) == (0.05, 0.8)
    assert again.metrics_names == ["loss", "mae"]
    assert again.evaluate(X, Y, verbose=0)[1] == pytest.approx(model.evaluate(X, Y, verbose=0)[1])


def test_a_state_of_other_weights_is_named_and_training_starts_afresh(tmp_path):
    model = trained("adam")
    names, values = in_standalone_keras(model.optimizer, model.store)
    path = write(tmp_path / "m.h5", bare_list(), ADAM, weights_of(model), (names, [*values[:-1], np.ones(7)]))
    models.load_model(path)  # the last array is a placeholder that nobody needs
    path = write(tmp_path / "m.h5", bare_list(), ADAM, weights_of(model), (names, [values[0], np.ones(7), *values[2:]]))
    with pytest.warns(UserWarning, match=r"m\.h5: .*momentum of dense_1/kernel .*\(4, 3\), found \(7,\).* afresh"):
        again = models.load_model(path)
    assert again.optimizer.iterations == 0
    again.fit(X, Y, verbose=0)


@dataclass(eq=False)
class Doubled(layers.Layer):
    """Twice its input."""

    times: float = 2.0

    def forward(self, x, ctx):
        return x * np.float32(self.times), None

    def backward(self, dy, saved, ctx):
        return dy * np.float32(self.times)


def first_row_error(y_true, y_pred):
    return np.abs(y_true - y_pred).max(-1)


@pytest.mark.parametrize("form", [{}, {"module": "mine", "registered_name": "mine>Doubled", "build_config": {}}])
def test_layers_and_metrics_of_the_users_own_are_found_by_their_registered_names(form, tmp_path):
    own = {"class_name": "mine>Doubled", "config": {"name": "own", "trainable": True, "times": 3.0}, **form}
    config = {"class_name": "Sequential", "config": {"name": "s", "layers": [*bare_list()["config"], own]}}
    wrapped = {"class_name": "MeanMetricWrapper", "config": {"name": "worst", "fn": "first_row_error"}}
    model = trained("sgd")
    path = write(tmp_path / "m.h5", config, training("SGD", {"lr": 0.1}, metrics=[[wrapped]]), weights_of(model))
    own_objects = {"Doubled": Doubled, "first_row_error": first_row_error}
    again = models.load_model(path, custom_objects=own_objects)
    expected = 3 * model.predict(X, verbose=0)
    np.testing.assert_array_equal(again.predict(X, verbose=0), expected)
    assert again.evaluate(X, Y, verbose=0)[1] == pytest.approx(np.abs(expected - Y).mean(), rel=1e-6)
    assert models.load_model(path, custom_objects=own_objects, compile=False).optimizer is None
    with pytest.raises(errors.UnknownNameError, match=r"m\.h5: unknown layer 'Doubled'"):
        models.load_model(path)


def test_the_cosine_of_keras_2_s_function_is_1_where_they_agree(tmp_path):
    wrapped = {"class_name": "MeanMetricWrapper", "config": {"name": "cosine", "fn": "cosine_similarity"}}
    model = trained("sgd")
    settings = training("SGD", {"lr": 0.1}, metrics=[[wrapped]])
    again = models.load_model(write(tmp_path / "m.h5", bare_list(), settings, weights_of(model), version="2.21.0"))
    alike = np.sign(again.predict(X, verbose=0))
    assert again.evaluate(X, alike, verbose=0, return_dict=True)["cosine"] == pytest.approx(1, rel=1e-6)


def test_the_text_of_keras_3_is_compiled_as_it_says():
    model = trained(optimizers.Adam(0.05))
    text = json.loads(model.to_json())
    config = {"name": "adam", "learning_rate": 0.05, "beta_1": 0.9, "weight_decay": None}
    compiled = {"optimizer": {"module": "keras.optimizers", "class_name": "Adam", "config": config,
                              "registered_name": None},
                "loss": {"module": "keras.losses", "class_name": "Huber", "config": {"delta": 0.5},
                         "registered_name": None},
                "loss_weights": None, "metrics": ["mae"], "weighted_metrics": None, "run_eagerly": False,
                "steps_per_execution": 1, "jit_compile": True}  # fmt: skip
    again = models.model_from_json(json.dumps({**text, "compile_config": compiled}))
    assert again.optimizer.learning_rate == 0.05
    assert again.metrics_names == ["loss", "mae"]
    again.set_weights(model.get_weights())
    error = np.abs(model.predict(X, verbose=0) - Y)
    huber = np.where(error <= 0.5, error**2 / 2, 0.5 * error - 0.125).mean()
    np.testing.assert_allclose(again.evaluate(X, Y, verbose=0), [huber, error.mean()], rtol=1e-6)
    assert models.model_from_json(json.dumps({**text, "compile_config": {}})).optimizer is None


@pytest.mark.parametrize(("version", "is_marked"), [("2.15.0", True), ("3.15.1", False), ("2.12.0+distnet", False)])
def test_a_merge_is_told_whose_masks_it_joins(version, is_marked):
    config = {"class_name": "Add", "config": {"name": "add"}}
    read = layers.deserialize(in_present_words(config, version))
    assert read.as_in_keras_2 is is_marked


@pytest.mark.parametrize(("version", "trained"), [("2.15.0", 2), ("3.15.1", 5), ("2.12.0+distnet", 5)])
def test_a_frozen_layer_of_keras_2_freezes_the_layers_within(version, trained):
    cell = {"class_name": "GRUCell", "config": {"name": "c", "trainable": True, "units": 2}}
    config = {"class_name": "RNN", "config": {"name": "rnn", "trainable": False, "cell": cell}}
    rnn = layers.deserialize(in_present_words(config, version))
    model = models.Sequential([layers.Input((4, 3)), rnn, layers.Dense(1)])
    assert len(model.trainable_weights) == trained


def test_what_was_written_here_for_keras_2_means_what_it_meant_here():
    own = {"class_name": "Add", "config": {"name": "add"}}
    of_keras_2 = {**own, "distnet": {"as_in_keras_2": True}}
    read = [layers.deserialize(in_present_words(c, KERAS_2_VERSION)) for c in (own, of_keras_2)]
    assert [layer.as_in_keras_2 for layer in read] == [False, True]


def test_metrics_in_keras_2_s_wrapper_become_those_of_their_functions():
    wrapped = {"class_name": "MeanMetricWrapper", "config": {"name": "top", "fn": "top_k_categorical_accuracy", "k": 2}}
    read = metrics.deserialize(in_present_words(wrapped, "2.15.0"))
    assert (type(read), read.name, read.k) == (metrics.TopKCategoricalAccuracy, "top", 2)
    own = {"class_name": "MeanMetricWrapper", "config": {"name": "mine", "fn": "mine"}}
    assert in_present_words(own, "2.15.0") == own


SPARSE = {"class_name": "SparseCategoricalAccuracy", "config": {"name": "acc", "dtype": "float32"}}


@pytest.mark.parametrize(
    ("names", "loss", "given", "expected"),
    [
        (["a"], "sparse_categorical_crossentropy", ["acc", "mae"], [SPARSE, "mae"]),
        (["a"], {"class_name": "SparseCategoricalCrossentropy", "config": {}}, [["acc"]], [[SPARSE]]),
        (["a"], "categorical_crossentropy", ["acc"], ["acc"]),
        (["a", "b"], ["mse", "sparse_categorical_crossentropy"], [["acc"], ["acc"]], [["acc"], [SPARSE]]),
        (["a", "b"], {"b": "sparse_categorical_crossentropy"}, {"a": "acc", "b": "acc"}, {"a": "acc", "b": SPARSE}),
        (["a"], "sparse_categorical_crossentropy", [SPARSE], [SPARSE]),
        (["a"], "sparse_categorical_crossentropy", None, None),
    ],
)
def test_accuracy_of_class_numbers_is_said_by_its_class(names, loss, given, expected):
    spread = of_sparse_targets({"loss": loss, "metrics": given, "weighted_metrics": None}, names)
    assert spread == {"loss": loss, "metrics": expected, "weighted_metrics": None}
