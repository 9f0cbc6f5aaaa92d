"""Structured data encoded as Keras's FeatureSpace encodes it, by itself and as the front of a model."""

import json
from pathlib import Path

import numpy as np
import pytest

import distnet as keras
import structured_cases
from distnet import layers
from distnet.utils import FeatureSpace

GOLDEN = Path(__file__).parents[1] / "golden" / "feature_spaces.json"
EXPECTED = json.loads(GOLDEN.read_text(encoding="utf-8"))["results"]
COLUMNS = {key: np.array(column) for key, column in structured_cases.DATA.items()}


@pytest.fixture(scope="module")
def made():
    return structured_cases.results(keras)


@pytest.mark.parametrize("name", EXPECTED)
def test_it_encodes_as_keras_does(made, name):
    parts = EXPECTED[name] if isinstance(EXPECTED[name], dict) else {"whole": EXPECTED[name]}
    encoded = made[name] if isinstance(made[name], dict) else {"whole": made[name]}
    assert encoded.keys() == parts.keys()
    for key, expected in parts.items():
        np.testing.assert_allclose(encoded[key], expected, rtol=1e-5, atol=1e-6, err_msg=key)
        assert np.shape(encoded[key]) == np.shape(expected)


def test_it_is_the_front_of_a_model_that_files_keep(tmp_path):
    space = FeatureSpace(
        {"amount": "float_normalized", "kind": "string_categorical", "number": "integer_categorical"},
        crosses=[("kind", "number")],
    )
    space.adapt(COLUMNS)
    model = keras.Model(space.get_inputs(), layers.Dense(1)(space.get_encoded_features()))
    model.compile("sgd", "mse")
    model.fit(COLUMNS, np.arange(6.0), epochs=2, verbose=0)
    predicted = model.predict(COLUMNS, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again.predict(COLUMNS, verbose=0), predicted)
    head = keras.Sequential([keras.Input((space(COLUMNS).shape[1],)), layers.Dense(1)])
    head.set_weights(model.get_weights()[-2:])
    np.testing.assert_allclose(head.predict(np.asarray(space(COLUMNS)), verbose=0), predicted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: FeatureSpace({}), "features: expected some"),
        (lambda: FeatureSpace({"a": "text"}), "a: expected one of"),
        (lambda: FeatureSpace({"a": "float"}, output_mode="list"), "output_mode"),
        (lambda: FeatureSpace({"a": "float"}, crosses=[("a", "b")]), r"received \['b'\]"),
        (lambda: FeatureSpace({"a": "float"})({"b": [1.0]}), "expected a dict with"),
        (lambda: FeatureSpace({"a": "string_categorical"}).adapt({"b": ["x"]}), "expected a column 'a'"),
        (lambda: FeatureSpace({"a": FeatureSpace.string_hashed(3, "int")})({"a": ["x"]}), "one vector cannot hold"),
    ],
)
def test_what_cannot_be_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_it_must_have_seen_data():
    with pytest.raises(RuntimeError, match="Call adapt"):
        FeatureSpace({"a": "string_categorical"}).get_inputs()
