"""Layers for strings and categories: Keras's own numbers, what they refuse, and how they adapt."""

import json
from pathlib import Path

import numpy as np
import pytest

import distnet as keras
import text_layer_cases
from distnet import layers
from distnet.errors import ArgumentError, DataError, NotBuiltError, ShapeError

EXPECTED = json.loads((Path(__file__).parents[2] / "golden" / "text_layers.json").read_text(encoding="utf-8"))[
    "results"
]


@pytest.fixture(scope="module")
def made():
    return text_layer_cases.results(layers)


def test_they_compute_kerass_numbers(made):
    assert made.keys() == EXPECTED.keys()
    for name, expected in EXPECTED.items():
        if expected is None:
            continue
        assert made[name] is not None, name
        assert made[name][0] == expected[0], name
        if any(isinstance(value, float) for value in expected[1]):
            np.testing.assert_allclose(made[name][1], expected[1], rtol=2e-6, err_msg=name)
        else:
            assert made[name][1] == expected[1], name


def test_what_keras_refuses_for_its_shape_is_refused(made):
    refused = [name for name, expected in EXPECTED.items() if expected is None]
    assert len(refused) > 20
    assert [name for name in refused if made[name] is not None] == []


@pytest.mark.parametrize("kind", [layers.StringLookup, layers.TextVectorization])
def test_strings_come_in_any_form(kind):
    layer = kind(vocabulary=["a", "b"])
    forms = [["b", "z"], ("b", "z"), np.array(["b", "z"]), np.array([b"b", b"z"]), np.array(["b", "z"], object)]
    forms.append(np.array(["b", "z"], np.dtypes.StringDType()))
    assert len({str(layer(form).tolist()) for form in forms}) == 1


def test_indices_become_strings_again():
    layer = layers.StringLookup(vocabulary=["a", "é"], invert=True)
    assert layer([[0, 1], [2, 9]]).tolist() == [["[UNK]", "a"], ["é", "[UNK]"]]
    masked = layers.StringLookup(vocabulary=["a"], invert=True, mask_token="")
    assert masked([0, 1, 2]).tolist() == ["", "[UNK]", "a"]


def test_functions_of_ones_own_standardize_and_split():
    layer = layers.TextVectorization(
        standardize=lambda texts: np.char.replace(texts, "-", " "), split=lambda texts: [text.split() for text in texts]
    )
    layer.adapt(["a-b a", "é"])
    assert layer.get_vocabulary() == ["", "[UNK]", "a", "é", "b"]
    assert layer([["b-é"]]).tolist() == [[4, 3]]


def test_a_vocabulary_comes_from_a_file(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("a\nb\n\nc d\n", encoding="utf-8")
    assert layers.StringLookup(vocabulary=str(path)).get_vocabulary() == ["[UNK]", "a", "b", "", "c d"]
    (tmp_path / "numbers.txt").write_text("7\n-3")
    assert layers.IntegerLookup(vocabulary=str(tmp_path / "numbers.txt"))([-3, 7]).tolist() == [2, 1]
    config = layers.StringLookup(vocabulary=str(path)).get_config()
    assert config["vocabulary"] is None
    with pytest.raises(ArgumentError, match="safe_mode"):
        layers.StringLookup.from_config({**config, "vocabulary": str(path)})


def test_batches_count_like_the_whole():
    rng = np.random.default_rng(3)
    rows = rng.integers(0, 40, (200, 4)).astype(str)
    for mode in ("int", "tf_idf"):
        whole, parts = (layers.StringLookup(output_mode=mode) for _ in range(2))
        whole.adapt(rows)
        parts.adapt(rows[start : start + 7] for start in range(0, 200, 7))
        assert whole.get_vocabulary() == parts.get_vocabulary()
        np.testing.assert_array_equal(whole(rows), parts(rows))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: layers.StringLookup()(["a"]), NotBuiltError, "no vocabulary yet"),
        (lambda: layers.StringLookup(vocabulary=["a", "a"]), ArgumentError, "each token once"),
        (lambda: layers.StringLookup(vocabulary=["a", "m"], mask_token="m"), ArgumentError, "mask_token 'm' nowhere"),
        (lambda: layers.StringLookup(vocabulary=[]), ArgumentError, "expected tokens"),
        (lambda: layers.StringLookup(vocabulary=["a", "b"], max_tokens=2), ArgumentError, "at most max_tokens=2"),
        (lambda: layers.StringLookup(max_tokens=1), ArgumentError, "max_tokens"),
        (lambda: layers.StringLookup(num_oov_indices=-1), ArgumentError, "num_oov_indices"),
        (lambda: layers.StringLookup(output_mode="float"), ArgumentError, "output_mode"),
        (lambda: layers.StringLookup(output_mode="count", invert=True), ArgumentError, "invert"),
        (lambda: layers.StringLookup(output_mode="count", sparse=True), ArgumentError, "dense"),
        (lambda: layers.StringLookup(pad_to_max_tokens=True), ArgumentError, "max_tokens"),
        (lambda: layers.StringLookup(vocabulary=["a"], output_mode="tf_idf"), ArgumentError, "idf_weights"),
        (lambda: layers.StringLookup(vocabulary="no/such/file"), ArgumentError, "expected a file of tokens"),
        (lambda: layers.StringLookup(vocabulary=["a"]).adapt(["b"]), ArgumentError, "without a vocabulary"),
        (lambda: layers.StringLookup(vocabulary=["a"])([1, 2]), DataError, "expected strings"),
        (lambda: layers.StringLookup(vocabulary=["a"])(["a", None]), DataError, r"received None at \[1\]"),
        (lambda: layers.StringLookup(vocabulary=["a"])([["a"], ["b", "c"]]), DataError, "different lengths"),
        (lambda: layers.StringLookup(vocabulary=["a"], num_oov_indices=0)(["b"]), ArgumentError, "received .'b'."),
        (lambda: layers.IntegerLookup(salt=3), ArgumentError, "farmhash"),
        (lambda: layers.IntegerLookup(vocabulary_dtype="int32"), ArgumentError, "vocabulary_dtype"),
        (lambda: layers.TextVectorization(ngrams="2"), ArgumentError, "ngrams"),
        (lambda: layers.TextVectorization(ragged=True), ArgumentError, "dense"),
        (lambda: layers.TextVectorization(standardize="upper"), ArgumentError, "standardize"),
        (
            lambda: layers.TextVectorization(output_mode="count", output_sequence_length=3),
            ArgumentError,
            "output_sequence_length",
        ),
        (lambda: layers.TextVectorization(vocabulary=["a"])([["a", "b"]]), ShapeError, "split=None"),
        (lambda: layers.TextVectorization().adapt([]), ArgumentError, "received"),
        (lambda: layers.CategoryEncoding(), ArgumentError, "num_tokens"),
        (lambda: layers.CategoryEncoding(3)([1], count_weights=[2.0]), ArgumentError, "count_weights"),
        (lambda: layers.CategoryEncoding(3)([[0, -1]]), ArgumentError, "0 and above, received -1"),
        (lambda: layers.CategoryEncoding(3, "count")([-2]), ArgumentError, "0 and above, received -2"),
        (lambda: layers.Hashing(num_bins=0), ArgumentError, "num_bins"),
        (lambda: layers.Hashing(3, salt="a"), ArgumentError, "salt"),
        (lambda: layers.Hashing(3, dtype="float32"), ArgumentError, "dtype"),
        (lambda: layers.HashedCrossing(3)(np.array(["a"])), ArgumentError, "two or more"),
        (lambda: layers.Discretization(), ArgumentError, "num_bins or bin_boundaries"),
        (lambda: layers.Discretization(num_bins=3)([1.0]), NotBuiltError, "no ranges yet"),
        (lambda: layers.Discretization(bin_boundaries=[1.0]).adapt([1.0]), ArgumentError, "num_bins"),
        (lambda: layers.Discretization(bin_boundaries=[2.0, 1.0]), ArgumentError, "in order"),
    ],
)
def test_what_cannot_be_is_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize(
    "layer",
    [
        layers.StringLookup(vocabulary=["a"], num_oov_indices=2, salt=[1, 2], name="x"),
        layers.StringLookup(vocabulary=["a"], output_mode="tf_idf", idf_weights=[0.5], mask_token="m", name="x"),
        layers.IntegerLookup(vocabulary=[3, 1], oov_method="farmhash", num_oov_indices=2, name="x"),
        layers.TextVectorization(vocabulary=["a"], ngrams=(1, 2), output_sequence_length=3, name="x"),
        layers.CategoryEncoding(3, "count", name="x"),
        layers.Hashing(3, mask_value="", salt=5, name="x"),
        layers.Hashing(3, output_mode="count", name="x"),
        layers.HashedCrossing(3, name="x"),
        layers.Discretization([1.0, 2.0], name="x"),
        layers.Discretization(num_bins=3, name="x"),
    ],
)
def test_a_configuration_makes_an_equal_layer(layer):
    text = json.dumps(layers.serialize(layer))
    again = layers.deserialize(json.loads(text))
    assert json.dumps(layers.serialize(again)) == text
    assert again.name == "x"


def test_numbers_that_are_no_categories_have_no_place_in_vectors():
    given = [[1, 7]]
    assert layers.CategoryEncoding(3)(given).tolist() == [[0, 1, 0]]
    assert layers.CategoryEncoding(3, "one_hot")([[-1, 7, 2]]).tolist() == [[[0, 0, 0], [0, 0, 0], [0, 0, 1]]]


def test_ranges_that_were_learned_are_in_the_configuration():
    layer = layers.Discretization(num_bins=3)
    layer.adapt(np.arange(30.0))
    again = layers.Discretization.from_config(json.loads(json.dumps(layer.get_config())))
    assert again.bin_boundaries == layer.bin_boundaries
    assert (again.num_bins, len(again.bin_boundaries)) == (3, 2)


STRINGS, NUMBERS = np.array([["a"], ["b"]], object), np.array([[1], [2]])
VECTORS = ("one_hot", "multi_hot", "count")
OF_CATEGORIES = {
    "StringLookup": ({"vocabulary": ["a"]}, STRINGS, ("int", *VECTORS)),
    "IntegerLookup": ({"vocabulary": [1]}, NUMBERS, ("int", *VECTORS)),
    "Hashing": ({"num_bins": 3}, STRINGS, ("int", *VECTORS)),
    "HashedCrossing": ({"num_bins": 3}, [STRINGS, NUMBERS], ("int", "one_hot")),
    "Discretization": ({"bin_boundaries": [1.5]}, NUMBERS, ("int", *VECTORS)),
    "CategoryEncoding": ({"num_tokens": 3}, NUMBERS, VECTORS),
    "TextVectorization": ({"vocabulary": ["a"]}, STRINGS, ("multi_hot", "count")),
}
"""Their arguments, two rows for them, their modes."""


@pytest.mark.parametrize("name", OF_CATEGORIES)
def test_a_rank_without_rows_has_vectors_of_the_same_width(name):
    options, x, modes = OF_CATEGORIES[name]
    for mode in modes:
        layer = getattr(layers, name)(**options, output_mode=mode)
        rows = np.asarray(layer(x))
        none = np.asarray(layer([part[:0] for part in x] if isinstance(x, list) else x[:0]))
        assert none.shape == (0, *rows.shape[1:]), mode
        assert none.dtype == rows.dtype


def test_strings_are_no_indices_to_be_inverted():
    with pytest.raises(ArgumentError, match=r"here: expected indices, for it inverts them, received \['a'\]"):
        layers.StringLookup(vocabulary=["a"], invert=True, name="here")(["a"])


def test_an_empty_string_at_the_end_of_a_file_of_keras_is_no_token_as_in_keras(tmp_path):
    (tmp_path / "vocabulary.txt").write_text("[UNK]\na\nb\n", encoding="utf-8")
    layer = layers.StringLookup(output_mode="count")
    layer.expect_size(4)
    layer.load_assets(str(tmp_path))
    assert layer.get_vocabulary() == ["[UNK]", "a", "b"]


def test_a_configuration_has_no_token_for_what_has_none():
    layer = layers.IntegerLookup(
        vocabulary=[3, 1], idf_weights=[0.5, 1.5], output_mode="tf_idf", oov_token=None, num_oov_indices=2
    )
    config = layer.get_config()
    assert (config["vocabulary"], config["idf_weights"]) == ([3, 1], [0.5, 1.5])
    np.testing.assert_array_equal(layers.IntegerLookup.from_config(config)([[1, 3, 8]]), layer([[1, 3, 8]]))


def test_a_model_of_strings_is_called_by_hand():
    """As Keras on TensorFlow calls it."""
    layer = keras.layers.TextVectorization(vocabulary=["cat", "the"], output_sequence_length=3)
    model = keras.Sequential([keras.Input((1,), dtype="string"), layer, keras.layers.Rescaling(2.0)])
    given = np.array([["the cat"], ["x"]])
    for strings in (given, given.astype(object), given.tolist()):
        np.testing.assert_array_equal(model(strings), [[6, 4, 0], [2, 0, 0]])
    np.testing.assert_array_equal(model.predict(given, verbose=0), model(given))
    with pytest.raises(ValueError, match="string"):
        model(np.ones((2, 1)))
