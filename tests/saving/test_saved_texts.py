"""Models of strings in files: those of Keras, and there and back."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

import distnet as keras
from distnet import layers

GOLDEN = Path(__file__).parents[1] / "golden" / "saved_texts.zip"
TEXTS = ["The cat sat.", "a dog", "", "É cat, cat", "unknown words"]
KINDS = ["x", "y", "z", "x", "?"]
INPUTS = [
    np.array(TEXTS)[:, None],
    np.array(KINDS)[:, None],
    np.array([[3], [9], [4], [5], [3]]),
    np.ones((5, 1)) * 9,
    np.array(TEXTS),
]


@pytest.fixture(scope="module")
def of_keras(tmp_path_factory):
    """Keras's model, and what it predicts."""
    folder = tmp_path_factory.mktemp("texts")
    with zipfile.ZipFile(GOLDEN) as archive:
        archive.extractall(folder)
    expected = json.loads((folder / "predicted.json").read_text())["predicted"]
    return keras.models.load_model(folder / "model.keras"), np.array(expected)


def test_a_model_of_keras_predicts_what_it_did_there(of_keras):
    model, expected = of_keras
    np.testing.assert_allclose(model.predict(INPUTS, verbose=0), expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", ["model.keras", "model.h5"])
def test_a_model_is_read_as_it_was_written(of_keras, tmp_path, name):
    model, expected = of_keras
    model.save(tmp_path / name)
    again = keras.models.load_model(tmp_path / name)
    np.testing.assert_allclose(again.predict(INPUTS, verbose=0), expected, rtol=1e-6, atol=1e-6)


def test_the_archive_has_keras_s_files(of_keras, tmp_path):
    of_keras[0].save(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as archive:
        names = set(archive.namelist())
        text = archive.read("assets/layers/text_vectorization/_lookup_layer/vocabulary.txt").decode()
    assert text.splitlines()[:3] == ["", "[UNK]", "cat"]
    assert "assets/layers/string_lookup/vocabulary.txt" in names
    assert "assets/layers/integer_lookup/vocabulary.txt" in names


def test_a_file_of_weights_has_the_vocabulary(tmp_path):
    def made():
        return keras.Sequential([keras.Input((1,), dtype="string"), layers.StringLookup(), layers.Embedding(9, 2)])

    first, second = made(), made()
    first.layers[0].adapt(["b\nc", "é", "é", "\u2028"])
    first.predict(np.array([["é"]], object), verbose=0)
    first.save_weights(tmp_path / "model.weights.h5")
    second.layers[0].adapt(["other"])
    second.predict(np.array([["é"]], object), verbose=0)
    second.load_weights(tmp_path / "model.weights.h5")
    assert second.layers[0].get_vocabulary() == first.layers[0].get_vocabulary()


def test_tokens_with_line_ends_are_kept_in_the_configuration(tmp_path):
    lookup = layers.StringLookup()
    lookup.adapt(["b\nc", "é", "é", "\u2028"])
    again = layers.StringLookup.from_config(json.loads(json.dumps(lookup.get_config())))
    assert again.get_vocabulary() == lookup.get_vocabulary()


def test_strings_go_where_strings_are_taken():
    numbers = keras.Sequential([keras.Input((1,)), layers.Dense(1)])
    with pytest.raises(ValueError, match="expected an array of numbers, received strings"):
        numbers.predict(np.array([["a"]]), verbose=0)
    strings = keras.Sequential([layers.StringLookup(vocabulary=["a"]), layers.Embedding(3, 2)])
    assert strings.predict(np.array([["a"]]), verbose=0).shape == (1, 1, 2)
    with pytest.raises(ValueError, match="expected an array of strings"):
        strings.predict(np.array([[1.0]]), verbose=0)
    with pytest.raises(ValueError, match=r"x: expected strings, received None at \[1, 0\]"):
        strings.predict(np.array([["a"], [None]]), verbose=0)


def test_a_model_of_ones_own_takes_strings():
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.lookup, self.embed = layers.StringLookup(vocabulary=["a", "b"]), layers.Embedding(4, 2)

        def call(self, x):
            return self.embed(self.lookup(x))[:, 0]

    model = Own()
    model.compile("sgd", "mse")
    model.fit(np.array([["a"], ["b"], ["c"]]), np.zeros((3, 2)), verbose=0)
    assert model.predict(np.array([["a"], ["b"], ["c"]]), verbose=0).shape == (3, 2)
