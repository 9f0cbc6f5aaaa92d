"""What users' layers keep in files by methods of their own, as Keras's guide to saving writes them."""

import os
import zipfile

import numpy as np
import pytest

import distnet as keras
from distnet import ops
from distnet.errors import ArgumentError, CheckpointError

X = np.random.default_rng(0).random((5, 4))


@keras.saving.register_keras_serializable(package="users_state")
class WithArray(keras.layers.Dense):
    """Keeps an array that is no weight."""

    def __init__(self, units, **kwargs):
        super().__init__(units, **kwargs)
        self.factors = np.random.default_rng().random(units)

    def save_own_variables(self, store):
        super().save_own_variables(store)
        store["factors"] = self.factors

    def load_own_variables(self, store):
        self.factors = np.array(store["factors"])
        self.kernel.assign(store["0"])
        self.bias.assign(store["1"])

    def call(self, inputs):
        return super().call(inputs) * self.factors


@keras.saving.register_keras_serializable(package="users_state")
class WithWords(keras.layers.Layer):
    """Keeps files, one of them in a folder."""

    def __init__(self, words=(), **kwargs):
        super().__init__(**kwargs)
        self.words = list(words)

    def call(self, inputs):
        return inputs * len(self.words)

    def get_config(self):
        return super().get_config()  # the words are in files

    def save_assets(self, inner_path):
        os.mkdir(os.path.join(inner_path, "words"))
        for i, word in enumerate(self.words):
            with open(os.path.join(inner_path, "words", str(i)), "w", encoding="utf-8") as file:
                file.write(word)

    def load_assets(self, inner_path):
        folder = os.path.join(inner_path, "words")
        for name in sorted(os.listdir(folder)):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                self.words.append(file.read())


@keras.saving.register_keras_serializable(package="users_state")
class BuiltWithRule(keras.layers.Layer):
    """Its ``build`` takes more than a shape."""

    def __init__(self, units=3, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape, rule):
        self.rule = rule
        self.w = self.add_weight(shape=(input_shape[-1], self.units), initializer=rule)

    def call(self, inputs):
        return ops.matmul(inputs, self.w)

    def get_build_config(self):
        return {"input_shape": (None, 4), "rule": self.rule}

    def build_from_config(self, config):
        self.build(config["input_shape"], config["rule"])


@keras.saving.register_keras_serializable(package="users_state")
class OfLayers(keras.Model):
    """Its arguments are layers."""

    def __init__(self, first, second=None, **kwargs):
        super().__init__(**kwargs)
        self.first = first
        self.second = keras.layers.Dense(4) if second is None else second

    def call(self, inputs):
        return self.first(self.second(inputs))

    def get_config(self):
        return {**super().get_config(), "first": self.first, "second": self.second}

    @classmethod
    def from_config(cls, config):
        for key in ("first", "second"):
            config[key] = keras.saving.deserialize_keras_object(config[key])
        return cls(**config)


def with_array():
    inner = keras.Sequential([keras.Input((4,)), WithArray(3)])
    return keras.Sequential([keras.Input((4,)), inner, keras.layers.Dense(2)])


@pytest.mark.parametrize("name", ["a.keras", "a.h5"])
def test_arrays_that_are_no_weights_are_kept(tmp_path, name):
    model = with_array()
    model.save(tmp_path / name)
    loaded = keras.models.load_model(tmp_path / name)
    np.testing.assert_array_equal(loaded.layers[0].layers[0].factors, model.layers[0].layers[0].factors)
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), model.predict(X, verbose=0))


@pytest.mark.parametrize("name", ["a.weights.h5", "a.h5"])
def test_they_are_kept_among_weights(tmp_path, name):
    model, other = with_array(), with_array()
    model.save_weights(tmp_path / name)
    other.load_weights(tmp_path / name)
    np.testing.assert_array_equal(other.predict(X, verbose=0), model.predict(X, verbose=0))


def test_a_training_that_is_resumed_has_them(tmp_path):
    def trained(epochs, path=None, resume=None):
        keras.utils.set_random_seed(1)
        model = with_array()
        model.layers[0].layers[0].factors = np.full(3, 0.5 if resume is None else 7.0)
        model.compile("adam", "mse")
        model.fit(X, X[:, :2], epochs=epochs, verbose=0, resume=resume)
        if path is not None:
            model.save(path)
        return model

    trained(2, tmp_path / "half.h5")
    resumed, whole = trained(4, resume=tmp_path / "half.h5"), trained(4)
    for one, other in zip(resumed.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_files_are_kept_in_archives(tmp_path):
    model = keras.Sequential([keras.Input((4,)), WithWords(["a", "zwölf"]), keras.layers.Dense(2), WithWords(["b"])])
    model.save(tmp_path / "a.keras")
    with zipfile.ZipFile(tmp_path / "a.keras") as archive:
        names = {name for name in archive.namelist() if name.startswith("assets/")}
    assert names == {f"assets/layers/{n}" for n in ("with_words/words/0", "with_words/words/1", "with_words_1/words/0")}
    loaded = keras.models.load_model(tmp_path / "a.keras")
    assert [layer.words for layer in (loaded.layers[0], loaded.layers[2])] == [["a", "zwölf"], ["b"]]
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), model.predict(X, verbose=0))


def test_names_that_lead_out_of_the_archive_are_refused(tmp_path):
    model = keras.Sequential([keras.Input((4,)), WithWords(["a"])])
    model.save(tmp_path / "a.keras")
    with zipfile.ZipFile(tmp_path / "a.keras") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(tmp_path / "b.keras", "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("words/0", "../../../out"), content)
    with pytest.raises(CheckpointError, match="expected the name of a file within the archive"):
        keras.models.load_model(tmp_path / "b.keras")


def test_texts_are_no_arrays(tmp_path):
    class OfText(WithArray):
        def save_own_variables(self, store):
            store["text"] = "abc"

    with pytest.raises(ArgumentError, match="save_own_variables: expected arrays of numbers.*'text'"):
        keras.Sequential([keras.Input((4,)), OfText(2)]).save_weights(tmp_path / "a.weights.h5")


def test_a_build_of_more_arguments_is_said_in_the_file(tmp_path):
    layer = BuiltWithRule()
    layer.build((None, 4), rule="ones")
    assert layer.built
    model = keras.Sequential([keras.Input((4,)), layer, keras.layers.Dense(1)])
    model.save(tmp_path / "a.keras")
    loaded = keras.models.load_model(tmp_path / "a.keras")
    assert loaded.layers[0].rule == "ones"
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), model.predict(X, verbose=0))


def test_layers_may_be_arguments_of_a_model(tmp_path):
    model = OfLayers(keras.layers.Dense(3), second=BuiltInside(2))
    expected = model.predict(X, verbose=0)
    model.save(tmp_path / "a.keras")
    loaded = keras.models.load_model(tmp_path / "a.keras")
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), expected)


@keras.saving.register_keras_serializable(package="users_state")
class BuiltInside(keras.layers.Layer):
    """A registered layer, as an argument of another."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(units)

    def call(self, inputs):
        return self.dense(inputs)
