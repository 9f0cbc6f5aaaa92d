"""A model in a file: equal when read back, replaced whole or not at all, refused by name when it is none."""

import json
import os
import re
from pathlib import Path

import h5py
import numpy as np
import pytest

import distnet as keras
from distnet import errors, layers, models

pytestmark = pytest.mark.slow


def make(name=None, units=3, **compiled):
    stack = [layers.Input(shape=(2,)), layers.Dense(4, "relu"), layers.Dropout(0.2), layers.Dense(units, "softmax")]
    model = models.Sequential(stack, name=name)
    options = {"optimizer": "adam", "loss": "categorical_crossentropy", "metrics": ["acc"], **compiled}
    model.compile(**options)
    return model


@pytest.fixture
def model():
    return make()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.h5"


X = np.linspace(-1, 1, 20, dtype="float32").reshape(10, 2)
Y = np.eye(3, dtype="float32")[np.arange(10) % 3]


def same(a, b):
    return all(np.array_equal(x, y) for x, y in zip(a.get_weights(), b.get_weights(), strict=True))


def test_a_model_read_back_is_the_same_model(model, path):
    model.fit(X, Y, verbose=0)
    model.save(path)
    again = models.load_model(path)
    assert same(model, again)
    assert again.get_config() == model.get_config()
    assert again.evaluate(X, Y, verbose=0) == model.evaluate(X, Y, verbose=0)
    assert again.metrics_names == ["loss", "acc"]


def test_the_functions_of_the_package_save_and_load_too(model, tmp_path):
    models.save_model(model, tmp_path / "a.h5")
    keras.saving.save_model(model, str(tmp_path / "b.h5"))
    assert same(models.load_model(str(tmp_path / "a.h5")), keras.saving.load_model(tmp_path / "b.h5"))


@pytest.mark.parametrize("name", ["m.h5", "m.hdf5", "m.h7", "m.weights.h5", ".h5"])
def test_hdf5_files_are_called_so_and_folders_are_made(model, tmp_path, name):
    path = tmp_path / "new" / "folder" / name
    model.save(path)
    assert h5py.is_hdf5(path)
    assert same(models.load_model(path), model)
    assert same(models.load_model(path.rename(tmp_path / "m.any name")), model)


@pytest.mark.parametrize("name", ["m", "m.foo", "m.KERAS", "m.H5", "m.keras.bak", "m.h5/", "m.tf", "m.weights.json"])
def test_names_that_say_no_format_are_refused_as_in_keras_3(model, tmp_path, name):
    path = f"{tmp_path}/{name}"
    takes = {
        "save": model.save,
        "save_weights": model.save_weights,
        "save, in the background": model.save_checkpoint,
        "models.save_model": lambda path: models.save_model(model, path),
        "saving.save_weights": lambda path: keras.saving.save_weights(model, path),
        "ModelCheckpoint": keras.callbacks.ModelCheckpoint,
        "of weights": lambda path: keras.callbacks.ModelCheckpoint(path, save_weights_only=True),
        "fit": lambda path: model.fit(X, Y, verbose=0, resume=path),
    }
    for what, take in takes.items():
        with pytest.raises(errors.ArgumentError, match=rf"expected a name that ends in .*{re.escape(name)}'"):
            take(path)
        assert not list(tmp_path.iterdir()), what


def test_weights_are_not_saved_as_an_archive(model, tmp_path):
    with pytest.raises(errors.ArgumentError, match=r"ends in \.weights\.h5"):
        model.save_weights(tmp_path / "m.keras")
    with pytest.raises(errors.ArgumentError, match=r"ends in \.weights\.h5"):
        keras.callbacks.ModelCheckpoint(tmp_path / "m.keras", save_weights_only=True)


def test_the_name_decides_the_format(model, tmp_path):
    model.save(tmp_path / "m.keras", save_format="h5")
    assert not h5py.is_hdf5(tmp_path / "m.keras")
    for name, save_format in (("m.h5", "tf"), ("m", "h5"), ("m", "keras")):
        with pytest.raises(errors.ArgumentError, match="save_format|filepath"):
            model.save(tmp_path / name, save_format=save_format)
    assert [path.name for path in tmp_path.iterdir()] == ["m.keras"]


def test_the_layout_is_keras(model, path):
    model.fit(X, Y, verbose=0)
    model.save(path)
    with h5py.File(path) as file:
        assert sorted(file.attrs) == ["backend", "keras_version", "model_config", "training_config"]
        weights = file["model_weights"]
        assert list(weights.attrs["layer_names"]) == [layer.name for layer in model.layers]
        first = model.layers[0].name
        assert list(weights[first].attrs["weight_names"]) == [
            f"{first}/kernel:0",
            f"{first}/bias:0",
        ]
        np.testing.assert_array_equal(weights[f"{first}/{first}/kernel:0"], model.get_weights()[0])
        dropout = weights[model.layers[1].name].attrs["weight_names"]
        assert (dropout.shape, dropout.dtype) == ((0,), np.float64)
        assert "optimizer_weights" not in file
        training = json.loads(file.attrs["training_config"])
    assert training["loss"] == "categorical_crossentropy"
    assert training["metrics"] == ["acc"]
    assert training["optimizer_config"]["class_name"] == "Adam"


def test_a_short_name_of_a_loss_is_written_in_full(path):
    make(loss="kld").save(path)
    with h5py.File(path) as file:
        assert json.loads(file.attrs["training_config"])["loss"] == "kl_divergence"


def test_without_its_optimizer_a_model_is_read_uncompiled(model, path):
    model.fit(X, Y, verbose=0)
    model.save(path, include_optimizer=False)
    again = models.load_model(path)
    assert same(again, model)
    with pytest.raises(errors.NotCompiledError):
        again.evaluate(X, Y)


def test_compile_false_leaves_a_model_uncompiled(model, path):
    model.save(path)
    assert models.load_model(path, compile=False).optimizer is None


@pytest.mark.parametrize(
    "compiled",
    [
        {"loss": keras.losses.CategoricalCrossentropy(label_smoothing=0.1)},
        {"metrics": ["accuracy", "mse", keras.metrics.Precision(name="p"), keras.metrics.AUC(num_thresholds=11)]},
        {"weighted_metrics": ["accuracy"], "loss_weights": [0.5]},
        {"optimizer": keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True, clipnorm=1.0)},
        {"optimizer": keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.1, 20))},
    ],
    ids=lambda compiled: "-".join(compiled),
)
def test_the_training_configuration_comes_back(compiled, path):
    model = make(**compiled)
    model.save(path)
    again = models.load_model(path)
    assert again.compile_settings == model.compile_settings
    assert again.optimizer.get_config() == model.optimizer.get_config()
    assert again.test_on_batch(X, Y, return_dict=True) == model.test_on_batch(X, Y, return_dict=True)


def test_float64_models_are_read_where_floatx_is_float32(path):
    keras.config.set_floatx("float64")
    try:
        model = make()
    finally:
        keras.config.set_floatx("float32")
    model.save(path)
    again = models.load_model(path)
    assert again.get_weights()[0].dtype == np.float64
    assert same(model, again)


def test_functions_of_the_users_own_are_found_in_custom_objects(path):
    def squares(y_true, y_pred):
        return np.square(y_pred - y_true).sum(-1), 2 * (y_pred - y_true)

    make(loss=squares).save(path)
    again = models.load_model(path, custom_objects={"squares": squares})
    expected = np.square(again.predict(X, verbose=0) - Y).sum(-1).mean()
    assert again.evaluate(X, Y, verbose=0)[0] == pytest.approx(expected, rel=1e-5)
    with pytest.raises(errors.UnknownObjectError, match=r"model\.h5: unknown loss 'squares'"):
        models.load_model(path)


@pytest.mark.slow
def test_many_layers_are_more_than_one_attribute_can_hold(path):
    names = [f"{'long' * 100}_{i:03d}" for i in range(200)]
    stack = [layers.Dense(1, use_bias=False, name=name) for name in names]
    model = models.Sequential([layers.Input(shape=(1,)), *stack])
    model.save(path)
    with h5py.File(path) as file:
        assert "layer_names" not in file["model_weights"].attrs
        assert {"layer_names0", "layer_names1"} <= set(file["model_weights"].attrs)
    again = models.load_model(path)
    assert [layer.name for layer in again.layers] == names
    assert same(model, again)


def test_weights_alone_are_written_and_read_by_position(model, tmp_path):
    model.save_weights(tmp_path / "w.h5")
    model.save(tmp_path / "m.h5")
    for file in ("w.h5", "m.h5"):
        other = make()
        assert not same(other, model)
        other.load_weights(tmp_path / file)
        assert same(other, model)


def test_weights_of_another_model_are_refused(model, tmp_path):
    make(units=5, loss="mse").save_weights(tmp_path / "w.h5")
    with pytest.raises(errors.CheckpointError, match=r"w\.h5: layer dense.*expected weights of shapes.*found"):
        model.load_weights(tmp_path / "w.h5")
    models.Sequential([layers.Input(shape=(2,)), layers.Dense(3)]).save_weights(tmp_path / "v.h5")
    with pytest.raises(errors.CheckpointError, match=r"v\.h5: holds weights of 1 layers .* but the model has 2"):
        model.load_weights(tmp_path / "v.h5")


def test_an_error_while_writing_leaves_nothing_behind(model, path, monkeypatch):
    monkeypatch.setattr(model.optimizer, "get_config", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        model.save(path)
    assert os.listdir(path.parent) == []


def test_overwriting_can_be_forbidden(model, path):
    model.save(path)
    with pytest.raises(errors.CheckpointError, match="exists already"):
        model.save(path, overwrite=False)


def test_a_model_without_weights_cannot_be_saved(path):
    with pytest.raises(errors.CheckpointError, match="before its input shape is known"):
        models.Sequential([layers.Dense(1)]).save(path)


def test_a_missing_file_is_named(path):
    with pytest.raises(errors.CheckpointError, match=r"model\.h5: there is no such file"):
        models.load_model(path)


def empty(path):
    path.write_bytes(b"")


def text(path):
    path.write_text("no HDF5")


def folder(path):
    path.unlink()
    path.mkdir()


def cut_in_half(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def cut_at_the_end(path):
    path.write_bytes(path.read_bytes()[:-100])


@pytest.mark.parametrize("damage", [empty, text, folder, cut_in_half, cut_at_the_end])
@pytest.mark.parametrize("read", [models.load_model, lambda p: make().load_weights(p), lambda p: resumed(p)])
def test_a_damaged_file_is_named(model, path, damage, read):
    model.save(path)
    damage(path)
    with pytest.raises(errors.CheckpointError, match=r"model\.h5"):
        read(path)


def resumed(path):
    make().fit(X, Y, verbose=0, resume=path)


def edited(path, change):
    with h5py.File(path, "r+") as file:
        change(file)


def without(name):
    return lambda file: file.attrs.__delitem__(name) if name in file.attrs else file.__delitem__(name)


def attribute(name, value):
    return lambda file: file.attrs.__setitem__(name, value)


def replace_dataset(file):
    group = next(g for g in file["model_weights"].values() if len(g))
    inner = next(iter(group.values()))
    del inner["kernel:0"]
    inner["kernel:0"] = np.zeros((7, 7))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without("model_config"), "holds no model"),
        (without("model_weights"), "model_weights"),
        (attribute("model_config", "{"), "model_config is not JSON"),
        (attribute("model_config", "[]"), "not a JSON object"),
        (attribute("training_config", "no"), "training_config is not JSON"),
        (replace_dataset, "expected weights of shapes"),
        (lambda f: f["distnet"].attrs.__setitem__("format", 99), "has format 99"),
        (lambda f: f["distnet"].attrs.__delitem__("seed"), "attribute seed: expected a whole number, found nothing"),
        (lambda f: f["distnet/optimizer"].attrs.__setitem__("class_name", "SGD"), "holds the state of SGD"),
        (lambda f: f["distnet/optimizer"].__delitem__("3"), "state for 3 trained weights, but the model trains 4"),
        (lambda f: f["distnet/optimizer/0"].__delitem__("momentum"), "0/momentum should hold an array"),
    ],
)
def test_a_file_with_something_else_in_it_is_refused_by_name(model, path, change, message):
    model.fit(X, Y, verbose=0)
    model.save(path)
    edited(path, change)
    with pytest.raises(errors.CheckpointError, match=message) as caught:
        models.load_model(path)
    assert Path(path).name in str(caught.value)


ZEROS = {"zero_output_for_mask": True}
GIVING_ZEROS = {
    "GRU": lambda: layers.GRU(2, **ZEROS),
    "LSTM": lambda: layers.LSTM(2, **ZEROS),
    "SimpleRNN": lambda: layers.SimpleRNN(2, **ZEROS),
    "Bidirectional": lambda: layers.Bidirectional(layers.GRU(2, return_sequences=True)),
}


@pytest.mark.parametrize("layer", GIVING_ZEROS)
@pytest.mark.parametrize("suffix", ["h5", "keras"])
def test_zeros_for_masked_steps_come_back_from_a_file(layer, suffix, tmp_path):
    model = keras.Sequential([keras.Input((3,)), layers.Embedding(6, 3, mask_zero=True), GIVING_ZEROS[layer]()])
    words = np.array([[1, 2, 0], [3, 4, 5]])
    model.save(tmp_path / f"m.{suffix}")
    loaded = models.load_model(tmp_path / f"m.{suffix}")
    np.testing.assert_array_equal(loaded.predict(words, verbose=0), model.predict(words, verbose=0))
    assert not model.predict(words, verbose=0)[0, -1].any()


def test_zeros_for_masked_images_stand_in_the_configuration():
    config = layers.ConvLSTM1D(2, 3, **ZEROS).get_config()
    assert config["zero_output_for_mask"] is layers.ConvLSTM1D.from_config(config).zero_output_for_mask is True


def test_a_bug_is_not_called_a_damaged_file(model, path, monkeypatch):
    def build(self, shape, ctx):
        raise TypeError("a bug")

    model.save(path)
    monkeypatch.setattr(layers.Dense, "build", build)
    with pytest.raises(TypeError, match="a bug") as caught:
        models.load_model(path)
    assert str(path) in caught.value.__notes__[0]
    with pytest.raises(TypeError, match="a bug"):
        models.model_from_json(model.to_json())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"units": "many"}, "units: expected a positive integer"),
        ({"units": [3]}, "units: expected a positive integer"),
        ({"unit": 3}, r"Dense: unknown configuration keys \['unit'\]"),
        ({"kernel_initializer": {"class_name": "Zeros", "config": {"scale": 2}}}, "unknown configuration keys"),
    ],
)
def test_a_configuration_with_a_wrong_argument_is_refused_by_name(model, path, change, message):
    model.save(path)
    edited(path, lambda file: file.attrs.__setitem__("model_config", _with(file.attrs["model_config"], change)))
    with pytest.raises(errors.CheckpointError, match=message) as caught:
        models.load_model(path)
    assert str(path) in str(caught.value)


def _with(text, change):
    config = json.loads(text)
    dense = next(entry for entry in config["config"]["layers"] if entry["class_name"] == "Dense")
    dense["config"].update(change)
    return json.dumps(config)


def test_what_a_class_of_the_users_own_cannot_use_is_told_with_its_name(path):
    class Scaled(layers.Dense):
        def __init__(self, units, factor, **others):
            super().__init__(units, **others)
            self.factor = factor + 1

        def get_config(self):
            return {**super().get_config(), "factor": "two"}

    model = models.Sequential([layers.Input((2,)), Scaled(3, factor=2)])
    model.save(path)
    with pytest.raises(errors.CheckpointError, match="Scaled cannot be made from") as caught:
        models.load_model(path, custom_objects={"Scaled": Scaled})
    assert isinstance(caught.value.__cause__.__cause__, TypeError)
