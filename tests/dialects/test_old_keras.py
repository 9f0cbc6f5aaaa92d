"""How older versions of Keras laid files out, beside those in golden/saved_*.zip; see also ``test_old_formulas.py``."""

import io
import json
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from distnet import errors, layers, models
from distnet.dialects import weight_layouts
from distnet.dialects.reading import in_present_words

pytestmark = pytest.mark.slow

GOLDEN = Path(__file__).parents[1] / "golden"
X = np.sin(np.arange(24, dtype="float32")).reshape(6, 4)
Y = np.cos(np.arange(6, dtype="float32"))[:, None]


def renamed(archive, path):
    """An archive whose weights are named as Keras on Windows did."""
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(path, "w") as new:
        for name in ("metadata.json", "config.json"):
            new.writestr(name, old.read(name))
        weights = io.BytesIO()
        with h5py.File(io.BytesIO(old.read("model.weights.h5"))) as given, h5py.File(weights, "w") as file:

            def copy(name, item):
                if name.endswith("/vars"):
                    group = file.create_group(name.removesuffix("/vars").replace("/", "\\") + "/vars")
                    for key, dataset in item.items():
                        group[key] = dataset[()]

            given.visititems(copy)
        new.writestr("model.weights.h5", weights.getvalue())
    return path


def test_a_backslash_in_an_archive_is_a_slash(tmp_path):
    model = models.Sequential(
        [layers.Input((5, 3)), layers.Bidirectional(layers.LSTM(2)), layers.Dense(3), layers.Dense(1)]
    )
    model.compile("adam", "mse")
    x = np.sin(np.arange(90, dtype="float32")).reshape(6, 5, 3)
    model.fit(x, Y, verbose=0)
    model.save(tmp_path / "m.keras")
    again = models.load_model(renamed(tmp_path / "m.keras", tmp_path / "n.keras"))
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))
    np.testing.assert_array_equal(again.optimizer.slots["velocity"], model.optimizer.slots["velocity"])


def without_input(path):
    with h5py.File(path, "a") as file:
        config = json.loads(file.attrs["model_config"])
        del config["config"]["layers"][0]
        file.attrs["model_config"] = json.dumps(config)
    return path


@pytest.mark.parametrize(
    ("stack", "shape"),
    [
        ([layers.Dropout(0.2), layers.Dense(3)], (4,)),
        ([layers.Bidirectional(layers.LSTM(3)), layers.Dense(2)], (5, 4)),
        ([layers.Embedding(9, 3), layers.GRU(2)], (6,)),
        ([layers.Conv2D(2, 2), layers.GlobalAveragePooling2D()], (5, 5, 3)),
        ([layers.BatchNormalization(), layers.Dense(1)], (4,)),
    ],
    ids=["dense", "bidirectional", "embedding", "conv", "norm"],
)
def test_a_sequential_without_input_shape_takes_it_from_its_first_weights(stack, shape, tmp_path):
    model = models.Sequential([layers.Input(shape), *stack])
    model.save(tmp_path / "m.h5")
    again = models.load_model(without_input(tmp_path / "m.h5"))
    x = (np.arange(6 * np.prod(shape)) % 5).astype("int32").reshape(6, *shape)
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))


def test_a_sequential_whose_first_weights_do_not_tell_is_refused_by_name(tmp_path):
    model = models.Sequential([layers.Input((2, 4)), layers.Flatten(), layers.Dense(3)])
    model.save(tmp_path / "m.h5")
    with pytest.raises(errors.CheckpointError, match=r"m\.h5: .*does not say the shape of its input"):
        models.load_model(without_input(tmp_path / "m.h5"))


def test_a_sequential_that_says_what_it_was_built_for_is_built_for_that(tmp_path):
    model = models.Sequential([layers.Input((2, 4)), layers.Flatten(), layers.Dense(3)])
    path = tmp_path / "m.h5"
    model.save(path)
    without_input(path)
    with h5py.File(path, "a") as file:
        config = json.loads(file.attrs["model_config"])
        config["config"]["build_input_shape"] = [None, 2, 4]
        file.attrs["model_config"] = json.dumps(config)
    assert models.load_model(path).input_shape == (None, 2, 4)


def cudnn(weights, gates):
    """The weights of LSTM as CuDNN's layer has them; Source: ``_convert_rnn_weights`` of tf_keras."""
    kernel, recurrent, bias = weights
    turned = [part.T.reshape(part.shape) for part in np.hsplit(kernel, gates)]
    return [np.hstack(turned), np.hstack([p.T for p in np.hsplit(recurrent, gates)]), np.tile(0.5 * bias, 2)]


def test_weights_of_cudnns_layer_fill_an_lstm_by_name_too(tmp_path):
    def made():
        return models.Sequential([layers.Input((5, 4)), layers.LSTM(3, name="a"), layers.Dense(2, name="b")])

    model, again = made(), made()
    model.save_weights(tmp_path / "w.h5")
    with h5py.File(tmp_path / "w.h5", "a") as file:
        for name, array in zip(file["a"].attrs["weight_names"], cudnn(model.layers[0].get_weights(), 4), strict=True):
            del file["a"][name]
            file["a"][name] = array
    again.load_weights(tmp_path / "w.h5", by_name=True)
    for ours, expected in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-6)
    assert layers.deserialize({"class_name": "CuDNNLSTM", "config": {"units": 3}}).recurrent_activation is not None
    assert isinstance(layers.CuDNNGRU(2), layers.GRU)


def test_options_of_keras_1_that_no_keras_has_had_since_are_refused():
    def read(name, **config):
        spec = {"class_name": name, "config": {"name": "a", **config}}
        return layers.deserialize(in_present_words(spec, "1.2.2"))

    with pytest.raises(errors.ArgumentError, match="modes 1 and 2"):
        read("BatchNormalization", mode=2, axis=-1)
    with pytest.raises(errors.ArgumentError, match=r"Merge: expected a mode of .*, received 'cos'"):
        read("Merge", mode="cos")
    dense = read("Dense", output_dim=3, W_regularizer={"name": "WeightRegularizer", "l1": 0.1, "l2": 0.2})
    assert (dense.units, dense.kernel_regularizer.l1, dense.kernel_regularizer.l2) == (3, 0.1, 0.2)


def test_padding_of_keras_1_may_name_the_sides_or_count_them():
    def read(name, padding):
        spec = {"class_name": name, "config": {"name": "a", "padding": padding}}
        return layers.deserialize(in_present_words(spec, "1.2.2")).padding

    assert read("ZeroPadding2D", [1, 2, 3, 4]) == ((1, 2), (3, 4))
    assert read("ZeroPadding2D", {"top_pad": 1, "right_pad": 2}) == ((1, 0), (0, 2))
    assert read("ZeroPadding1D", {"left_pad": 3}) == (3, 0)


def test_weights_alone_of_keras_1_are_known_by_their_names(tmp_path):
    with zipfile.ZipFile(GOLDEN / "saved_standalone_1_2_2.zip") as files:
        path = files.extract("sequences_1.h5", tmp_path)
    model = models.load_model(path)
    with h5py.File(path) as whole, h5py.File(tmp_path / "w.h5", "w") as file:
        for name, group in whole["model_weights"].items():
            whole.copy(group, file, name)
        file.attrs["layer_names"] = whole["model_weights"].attrs["layer_names"]
    expected = model.get_weights()
    model.set_weights([w * 0 for w in expected])
    model.load_weights(tmp_path / "w.h5")
    for found, known in zip(model.get_weights(), expected, strict=True):
        np.testing.assert_array_equal(found, known)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_kernels_of_keras_1_are_laid_out_anew_and_those_of_theano_turned_round(data_format):
    layer = layers.Conv2D(5, (2, 3), input_shape=(6, 7, 4))
    layer.build_once((None, 6, 7, 4))
    kernel = np.arange(120.0).reshape(2, 3, 4, 5)
    layer.data_format = data_format
    held = kernel if data_format == "channels_last" else kernel.transpose(3, 2, 0, 1)
    origin = weight_layouts.Origin(is_keras_1=True, is_theano=True)
    found, _ = weight_layouts.in_present_layout(layer, [held, np.zeros(5)], origin)
    np.testing.assert_array_equal(found, kernel[::-1, ::-1])


def test_channels_come_first_in_layers_of_keras_1_that_do_not_say_it_as_in_those_that_do():
    padding = {"class_name": "ZeroPadding2D", "config": {"name": "a", "padding": [1, 1], "trainable": True}}
    kernels = {"nb_filter": 2, "nb_row": 3, "nb_col": 3, "dim_ordering": "th"}
    convolution = {"class_name": "Convolution2D", "config": {"name": "b", **kernels}}
    other = {"class_name": "MaxPooling2D", "config": {"name": "c", "dim_ordering": "tf"}}

    def formats(*specs):
        return [spec["config"].get("data_format") for spec in in_present_words(list(specs), "1.2.2")]

    assert formats(padding, convolution) == ["channels_first"] * 2
    assert formats(padding, other) == [None, "channels_last"]
    assert formats(padding, convolution, other)[0] is None


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_gates_of_keras_1s_conv_lstm_are_put_together(data_format):
    spec = {"nb_filter": 2, "nb_row": 3, "nb_col": 2, "forget_bias_init": "zero", "inner_activation": "sigmoid"}
    config = {"name": "a", **spec, "dim_ordering": "tf" if data_format == "channels_last" else "th"}
    layer = layers.deserialize(in_present_words({"class_name": "ConvLSTM2D", "config": config}, "1.2.2"))
    assert not layer.unit_forget_bias
    layer.build_once((None, 4, 6, 6, 5) if data_format == "channels_last" else (None, 4, 5, 6, 6))
    present = [np.random.default_rng(1).normal(size=w.shape) for w in layer.weights]
    parts = [np.split(array, 4, axis=-1) for array in present]
    held = [parts[k][gate] for gate in (0, 2, 1, 3) for k in range(3)]
    if data_format == "channels_first":
        held = [a.transpose(3, 2, 0, 1) if a.ndim > 1 else a for a in held]
    arranged = weight_layouts.in_present_layout(layer, held, weight_layouts.Origin(is_keras_1=True))
    for ours, expected in zip(arranged, present, strict=True):
        np.testing.assert_array_equal(ours, expected)


def test_both_kernels_of_a_conv_lstm_of_theano_are_turned_round():
    layer = layers.ConvLSTM2D(2, 3)
    layer.build_once((None, 4, 6, 6, 5))
    held = [np.random.default_rng(1).normal(size=w.shape) for w in layer.weights]
    kernel, recurrent, _ = weight_layouts.in_present_layout(layer, held, weight_layouts.Origin(is_theano=True))
    np.testing.assert_array_equal(kernel, held[0][::-1, ::-1])
    np.testing.assert_array_equal(recurrent, held[1][::-1, ::-1])


def test_a_sequential_that_begins_with_another_is_built_for_the_shape_that_the_innermost_layer_says():
    def dense(name, **shape):
        return {"class_name": "Dense", "config": {"name": name, "units": 3, **shape}}

    inner = {"class_name": "Sequential", "config": [dense("a", batch_input_shape=[None, 4])]}
    middle = {"class_name": "Sequential", "config": [inner, dense("b")]}
    text = json.dumps({"class_name": "Sequential", "config": [middle, dense("c")], "keras_version": "2.0.9"})
    model = models.model_from_json(text)
    assert model.built
    assert model.predict(X, verbose=0).shape == (6, 3)
