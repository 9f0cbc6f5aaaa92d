"""Structured data encoded as Keras's FeatureSpace encodes it, by itself and as the front of a model."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas
import pytest

import distnet as keras
import feature_space_cases
import structured_cases
from distnet import errors, layers
from distnet.utils import FeatureSpace

GOLDEN = Path(__file__).parents[1] / "golden" / "feature_spaces.json"
OF_KERAS = json.loads(GOLDEN.read_text(encoding="utf-8"))
EXPECTED = OF_KERAS["results"]
COLUMNS = {key: np.array(column) for key, column in structured_cases.DATA.items()}


@pytest.fixture(scope="module")
def made():
    return structured_cases.results(keras)


@pytest.mark.parametrize("name", EXPECTED)
def test_it_encodes_as_keras_does(made, name):
    assert_alike(made[name], EXPECTED[name])


def assert_alike(made, expected):
    wanted = expected if isinstance(expected, dict) else {"whole": expected}
    parts = made if isinstance(made, dict) else {"whole": made}
    assert parts.keys() == wanted.keys()
    for key, value in wanted.items():
        np.testing.assert_allclose(parts[key], value, rtol=1e-5, atol=1e-6, err_msg=key)
        assert np.shape(parts[key]) == np.shape(value)


@pytest.mark.parametrize("seed", OF_KERAS["drawn"])
def test_spaces_drawn_at_random_encode_as_keras_does(seed):
    made = feature_space_cases.made(keras, int(seed))
    for what, expected in OF_KERAS["drawn"][seed].items():
        in_one = "values" in expected
        for key, part in ({"": expected} if in_one else expected).items():
            own = made[what] if in_one else made[what][key]
            assert own["dtype"] == part["dtype"], key
            assert_alike(own["values"], part["values"])


@pytest.mark.parametrize("name", OF_KERAS["loaded"])
def test_keras_files_load(name, tmp_path):
    with np.load(GOLDEN.with_suffix(".npz")) as files:
        (tmp_path / "space.keras").write_bytes(files[name].tobytes())
    loaded = keras.models.load_model(tmp_path / "space.keras")
    assert_alike(structured_cases.encoded(loaded, name), OF_KERAS["loaded"][name])


@pytest.mark.parametrize("name", OF_KERAS["loaded"])
def test_what_is_loaded_encodes_as_what_was_saved(name, tmp_path):
    space = structured_cases.spaces(keras)[name]
    space.save(tmp_path / "space.keras")
    loaded = keras.saving.load_model(tmp_path / "space.keras")
    assert type(loaded) is FeatureSpace
    assert structured_cases.encoded(loaded, name) == structured_cases.encoded(space, name)
    loaded.save(tmp_path / "again.keras")
    with zipfile.ZipFile(tmp_path / "again.keras") as written:  # Keras's own class makes integers real
        of_numbers = json.loads(written.read("config.json"))["config"]["features"]["number"]["config"]["preprocessor"]
    assert name != "rescaled" or of_numbers["class_name"] == "TFDIdentity"
    again = keras.models.load_model(tmp_path / "again.keras")
    assert structured_cases.encoded(again, name) == structured_cases.encoded(space, name)
    assert again.get_config() == loaded.get_config() == space.get_config()


def test_it_is_made_anew_of_its_configuration():
    space = structured_cases.spaces(keras)["plain"]
    fresh = FeatureSpace.from_config(json.loads(json.dumps(space.get_config())))
    fresh.adapt(COLUMNS)
    np.testing.assert_array_equal(fresh(COLUMNS), space(COLUMNS))


def test_files_need_no_import_of_utils(tmp_path):
    structured_cases.spaces(keras)["plain"].save(tmp_path / "space.keras")
    program = "import sys; from distnet.models import load_model; print(load_model(sys.argv[1]).features.keys())"
    arguments = [sys.executable, "-c", program, str(tmp_path / "space.keras")]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    assert "dict_keys(['amount', 'kind', 'number'])" in done.stdout


@pytest.mark.parametrize("name", ["space.h5", "space"])
def test_its_files_are_archives(name, tmp_path):
    with pytest.raises(errors.ArgumentError, match=r"ends in \.keras"):
        structured_cases.spaces(keras)["plain"].save(tmp_path / name)
    with pytest.raises(OSError, match="Call adapt"):
        FeatureSpace({"a": "string_categorical"}).save(tmp_path / "space.keras")


@pytest.mark.parametrize(
    "change",
    [
        lambda config: config.pop("build_config"),
        lambda config: config.update(build_config=[1]),
        lambda config: config["build_config"].update(amount=3),
        lambda config: config["config"].pop("features"),
        lambda config: config["config"].update(features=[1]),
        lambda config: config["config"].update(crosses=[3]),
        lambda config: config["config"].update(more=3),
        lambda config: config["config"]["features"]["amount"]["config"].update(preprocessor=3),
    ],
)
def test_damaged_files_are_told_as_such(change, tmp_path):
    structured_cases.spaces(keras)["plain"].save(tmp_path / "space.keras")
    with zipfile.ZipFile(tmp_path / "space.keras") as whole, zipfile.ZipFile(tmp_path / "bad.keras", "w") as bad:
        for name in whole.namelist():
            content = whole.read(name)
            if name == "config.json":
                config = json.loads(content)
                change(config)
                content = json.dumps(config).encode()
            bad.writestr(name, content)
    with pytest.raises(errors.CheckpointError, match="bad.keras"):
        keras.models.load_model(tmp_path / "bad.keras")


MANY = {"amount": np.sin(np.arange(150.0)), "kind": np.array(["x", "é", "z"] * 50), "number": np.arange(150) % 7}
"""More rows than Keras adapts to at a time."""


def in_batches(size):
    return [{key: column[i : i + size] for key, column in MANY.items()} for i in range(0, 150, size)]


class Batches(keras.utils.PyDataset):
    """Batches with targets."""

    def __len__(self):
        return 5

    def __getitem__(self, index):
        return in_batches(32)[index], np.ones(32)


def rows_and_targets():
    frames = np.arange(150)
    rows = keras.utils.timeseries_dataset_from_array(frames, frames * 2.0, 1, batch_size=None)
    return rows.map(lambda i, y: ({key: column[i[0]] for key, column in MANY.items()}, y))


FORMS = {
    "dict": lambda: MANY,
    "lists": lambda: {key: column.tolist() for key, column in MANY.items()},
    "data frame": lambda: pandas.DataFrame(MANY),
    "its columns": lambda: dict(pandas.DataFrame(MANY)),
    "list of batches": lambda: in_batches(32),
    "generator of batches": lambda: iter(in_batches(32)),
    "generator of rows": lambda: ({key: column[i] for key, column in MANY.items()} for i in range(150)),
    "PyDataset": Batches,
    "dataset of rows": lambda: rows_and_targets().map(lambda x, _: x),
    "dataset of batches": lambda: rows_and_targets().batch(32).map(lambda x, _: x),
}


def of_quantiles():
    kinds = {"amount": FeatureSpace.float_discretized(6), "kind": "string_categorical", "number": "integer_categorical"}
    return FeatureSpace(kinds, crosses=[("kind", "number")])


@pytest.mark.parametrize("form", FORMS)
def test_it_adapts_to_data_of_many_forms(form):
    space = of_quantiles()
    space.adapt(FORMS[form]())
    expected = [-0.8694270849227905, -0.5025404691696167, 0.0, 0.4926597774028778, 0.8628712892532349]
    np.testing.assert_allclose(space.preprocessors["amount"].bin_boundaries, expected, atol=1e-6)
    assert space.preprocessors["kind"].get_vocabulary() == ["[UNK]", "é", "z", "x"]


def test_it_is_mapped_over_a_dataset():
    space = of_quantiles()
    space.adapt(rows_and_targets().map(lambda x, _: x))
    encoded = rows_and_targets().batch(32).map(lambda x, y: (space(x), y)).prefetch(2)
    np.testing.assert_array_equal(np.concatenate([np.asarray(x) for x, _ in encoded]), space(MANY))
    output = layers.Dense(1)(space.get_encoded_features())
    trained = keras.Model(space.get_encoded_features(), output)
    trained.compile("sgd", "mse")
    trained.fit(encoded, epochs=2, verbose=0)
    whole = keras.Model(space.get_inputs(), output)
    np.testing.assert_allclose(whole.predict(MANY, verbose=0), trained.predict(np.asarray(space(MANY)), verbose=0))


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
        (lambda: FeatureSpace(["a"]), "features: expected some in a dict"),
        (lambda: FeatureSpace({"a": "float"}, crosses=["a"]), "crosses: expected tuples"),
        (lambda: FeatureSpace({"a": "float"}, crosses=[3]), "crosses: expected tuples"),
        (lambda: FeatureSpace.from_config({"output_mode": "dict"}), "a configuration with features"),
        (lambda: FeatureSpace.from_config({"features": {"a": "float"}, "bins": 3}), "unknown configuration keys"),
        (lambda: FeatureSpace({"a": "text"}), "a: expected one of"),
        (lambda: FeatureSpace({"a": "float"}, output_mode="list"), "output_mode"),
        (lambda: FeatureSpace({"a": "float"}, crosses=[("a", "b")]), r"received \['b'\]"),
        (lambda: FeatureSpace({"a": "float"})({"b": [1.0]}), "expected a dict with"),
        (lambda: FeatureSpace({"a": "string_categorical"}).adapt({"b": ["x"]}), "expected a column 'a'"),
        (lambda: FeatureSpace({"a": "string_categorical"}).adapt(np.ones(3)), "a dataset of dicts"),
        (lambda: FeatureSpace({"a": "string_categorical"}).adapt([np.ones(3)]), r"dataset\.map"),
        (lambda: FeatureSpace({"a": "string_categorical"}).adapt(iter([{"b": ["x"]}])), "expected a column 'a'"),
        (lambda: FeatureSpace({"a": {"class_name": "Feature", "config": {}}}), "what describes a Feature"),
        (lambda: FeatureSpace({"a": FeatureSpace.string_hashed(3, "int")})({"a": ["x"]}), "one vector cannot hold"),
    ],
)
def test_what_cannot_be_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_it_must_have_seen_data():
    with pytest.raises(RuntimeError, match="Call adapt"):
        FeatureSpace({"a": "string_categorical"}).get_inputs()
