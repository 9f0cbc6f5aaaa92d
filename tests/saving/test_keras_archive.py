"""A .keras archive and a .weights.h5 hold what an HDF5 file holds; no archive does harm."""

import io
import json
import resource
import zipfile

import h5py
import numpy as np
import pytest

import distnet as keras
from distnet import errors, layers, models

pytestmark = pytest.mark.slow

X = np.linspace(-1, 1, 24, dtype="float32").reshape(8, 3)
Y = np.stack([X.sum(1), X.prod(1)], axis=1)


def make(units=4, **compiled):
    keras.utils.set_random_seed(2)
    inner = keras.Sequential([layers.Input((units,)), layers.Dense(3, "tanh"), layers.BatchNormalization()])
    model = keras.Sequential([layers.Input((3,)), layers.Dense(units), layers.Dropout(0.2), inner, layers.Dense(2)])
    model.compile(**{"optimizer": "nadam", "loss": "mse", "metrics": ["mae"], **compiled})
    return model


@pytest.fixture
def model():
    model = make()
    model.fit(X, Y, batch_size=4, epochs=2, verbose=0)
    return model


def members(path):
    with zipfile.ZipFile(path) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def pack(path, contents, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in contents.items() if isinstance(contents, dict) else contents:
            archive.writestr(name, content)


def test_a_model_read_back_from_an_archive_goes_on_bit_for_bit(model, tmp_path):
    path = tmp_path / "new" / "model.keras"
    model.save(path)
    again = models.load_model(path)
    assert again.get_config() == model.get_config()
    assert again.compile_settings == model.compile_settings
    assert again.optimizer.get_config() == model.optimizer.get_config()
    expected = model.fit(X, Y, batch_size=4, epochs=2, verbose=0).history
    assert again.fit(X, Y, batch_size=4, epochs=2, verbose=0).history == expected


def test_fit_resumes_from_an_archive(model, tmp_path):
    model.save(tmp_path / "model.keras")
    again = make()
    history = again.fit(X, Y, batch_size=4, epochs=4, verbose=0, resume=tmp_path / "model.keras").history
    assert history == make().fit(X, Y, batch_size=4, epochs=4, verbose=0).history


def test_an_archive_has_what_keras_3_looks_for_and_nothing_else(model, tmp_path):
    model.save(tmp_path / "model.keras")
    found = members(tmp_path / "model.keras")
    assert sorted(found) == ["config.json", "metadata.json", "model.weights.h5"]
    assert json.loads(found["metadata.json"])["keras_version"].startswith("3.")
    config = json.loads(found["config.json"])
    assert (config["module"], config["class_name"]) == ("keras", "Sequential")
    assert config["compile_config"]["loss"] == "mean_squared_error"
    assert config["compile_config"]["optimizer"]["module"] == "keras.optimizers"
    with h5py.File(io.BytesIO(found["model.weights.h5"])) as file:
        assert sorted(file) == ["distnet", "layers", "optimizer", "vars"]
        assert list(file["layers"]) == ["dense", "dense_1", "dropout", "sequential"]
        np.testing.assert_array_equal(file["layers/dense/vars/0"], model.get_weights()[0])
        assert list(file["layers/sequential/layers/batch_normalization/vars"]) == ["0", "1", "2", "3"]


def test_an_archive_of_tf_keras_has_the_meanings_of_keras_2(tmp_path):
    make(loss=keras.losses.Huber(0.5)).save(tmp_path / "model.keras")
    contents = members(tmp_path / "model.keras")
    config = json.loads(contents["config.json"])
    config["config"]["layers"][1]["config"]["activation"] = "hard_sigmoid"
    config["compile_config"]["loss"]["config"]["fn"] = "huber"
    contents["config.json"] = json.dumps(config)
    contents["metadata.json"] = json.dumps({"keras_version": "2.21.0"})
    pack(tmp_path / "old.keras", contents)
    again = models.load_model(tmp_path / "old.keras")
    assert again.layers[0].activation == keras.activations.HardSigmoid(slope=0.2)
    assert again.loss["config"]["delta"] == 0.5
    again.evaluate(X, Y, verbose=0)


def test_an_archive_that_names_no_keras_is_read_as_one_of_keras_3(model, tmp_path):
    model.save(tmp_path / "model.keras")
    contents = members(tmp_path / "model.keras")
    del contents["metadata.json"]
    pack(tmp_path / "bare.keras", contents)
    assert models.load_model(tmp_path / "bare.keras").get_config() == model.get_config()


def test_without_the_optimizer_an_archive_is_read_uncompiled(model, tmp_path):
    model.save(tmp_path / "model.keras", include_optimizer=False)
    again = models.load_model(tmp_path / "model.keras")
    assert again.optimizer is None
    with h5py.File(io.BytesIO(members(tmp_path / "model.keras")["model.weights.h5"])) as file:
        assert sorted(file) == ["layers", "vars"]


def test_weights_of_keras_3_s_layout_come_with_the_optimizer_s_state(model, tmp_path):
    model.save_weights(tmp_path / "model.weights.h5")
    again = make()
    again.load_weights(tmp_path / "model.weights.h5")
    assert again.optimizer.iterations == 4
    for a, b in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    for name, slot in model.optimizer.slots.items():
        np.testing.assert_array_equal(again.optimizer.slots[name], slot)


def test_the_name_decides_the_layout_that_is_written(model, tmp_path):
    for name, is_keras_3 in (("w.weights.h5", True), ("w.h5", False), ("weights.h5", False), ("w.h7", False)):
        model.save_weights(tmp_path / name)
        with h5py.File(tmp_path / name) as file:
            assert ("layers" in file) == is_keras_3
    model.save(tmp_path / "model.h7")
    assert h5py.is_hdf5(tmp_path / "model.h7")


def test_weights_of_other_layers_are_refused_or_passed_over(model, tmp_path):
    model.save_weights(tmp_path / "model.weights.h5")
    other = make(units=5)
    before = other.get_weights()
    with pytest.raises(errors.CheckpointError, match=r"dense/vars/0: expected the weights .* \(3, 5\), found \(3, 4\)"):
        other.load_weights(tmp_path / "model.weights.h5")
    for a, b in zip(other.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(errors.CheckpointError, match="by_name needs a legacy HDF5 file"):
        model.load_weights(tmp_path / "model.weights.h5", by_name=True)
    with pytest.warns(UserWarning, match="Passed over|cannot be used"):
        other.load_weights(tmp_path / "model.weights.h5", skip_mismatch=True)
    np.testing.assert_array_equal(other.layers[-1].get_weights()[0], model.layers[-1].get_weights()[0])


def test_an_archive_that_was_packed_anew_is_examined_and_read(model, tmp_path):
    model.save(tmp_path / "model.keras")
    pack(tmp_path / "again.keras", members(tmp_path / "model.keras"), zipfile.ZIP_DEFLATED)
    again = models.load_model(tmp_path / "again.keras")
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))


def test_names_that_lead_out_of_the_archive_reach_no_disk(model, tmp_path):
    (tmp_path / "folder").mkdir()
    model.save(tmp_path / "model.keras")
    pack(tmp_path / "folder" / "evil.keras", {**members(tmp_path / "model.keras"), "../evil.txt": b"here"})
    models.load_model(tmp_path / "folder" / "evil.keras")
    assert not (tmp_path / "evil.txt").exists()


def without(name):
    return lambda contents: {key: value for key, value in contents.items() if key != name}


def instead(name, content):
    return lambda contents: {**contents, name: content}


LAMBDA = {"class_name": "Lambda", "config": {"name": "code", "function": {"class_name": "__lambda__", "config": {}}}}
WITH_CODE = {"module": "keras", "class_name": "Sequential", "config": {"name": "m", "layers": [LAMBDA]}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without("config.json"), "expected one config.json in the archive, found 0"),
        (without("model.weights.h5"), "expected one model.weights.h5 in the archive, found 0"),
        (
            lambda contents: [*contents.items(), ("config.json", b"{}")],
            "expected one config.json in the archive, found 2",
        ),
        (instead("config.json", b"{"), "config.json is not JSON"),
        (instead("config.json", b"[]"), "config.json is not a JSON object"),
        (instead("config.json", json.dumps(WITH_CODE)), "code is a Lambda, which holds code"),
        (instead("model.weights.h5", b"no HDF5"), "model.weights.h5.*damaged, or no HDF5"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_archive_with_something_else_in_it_is_refused_by_name(model, tmp_path, change, message):
    model.save(tmp_path / "model.keras")
    pack(tmp_path / "other.keras", change(members(tmp_path / "model.keras")))
    with pytest.raises(errors.CheckpointError, match=message) as caught:
        models.load_model(tmp_path / "other.keras")
    assert "other.keras" in str(caught.value)


@pytest.mark.slow
def test_a_bomb_is_refused_before_it_is_unpacked(model, tmp_path):
    model.save(tmp_path / "model.keras")
    contents = {**members(tmp_path / "model.keras"), "model.weights.h5": bytes(1 << 27)}
    pack(tmp_path / "bomb.keras", contents, zipfile.ZIP_DEFLATED)
    with pytest.raises(errors.CheckpointError, match=r"model\.weights\.h5 claims to hold 134217728 bytes, of which"):
        models.load_model(tmp_path / "bomb.keras")


def lying(content, size):
    """The archive, whose list of members calls the last one so large."""
    place = content.rindex(b"PK\x01\x02") + 24
    return content[:place] + size.to_bytes(4, "little") + content[place + 4 :]


@pytest.mark.slow
def test_what_is_unpacked_is_no_more_than_the_archive_declares(model, tmp_path):
    model.save(tmp_path / "model.keras")
    contents = {**members(tmp_path / "model.keras"), "model.weights.h5": bytes(1 << 28)}
    pack(tmp_path / "bomb.keras", contents, zipfile.ZIP_DEFLATED)
    (tmp_path / "bomb.keras").write_bytes(lying((tmp_path / "bomb.keras").read_bytes(), 1000))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(errors.CheckpointError, match=r"bomb\.keras: damaged"):
        models.load_model(tmp_path / "bomb.keras")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2**16  # KiB


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_an_archive_of_another_compression_is_refused(model, tmp_path, method):
    model.save(tmp_path / "model.keras")
    pack(tmp_path / "other.keras", members(tmp_path / "model.keras"), method)
    with pytest.raises(
        errors.CheckpointError, match=rf"config\.json is compressed by method {method}; expected deflate"
    ):
        models.load_model(tmp_path / "other.keras")


def test_a_damaged_archive_is_refused(model, tmp_path):
    model.save(tmp_path / "model.keras")
    content = (tmp_path / "model.keras").read_bytes()
    for name, damaged in (("torn", content[: len(content) // 2]), ("flipped", content[:99] + b"!" + content[100:])):
        (tmp_path / f"{name}.keras").write_bytes(damaged)
        with pytest.raises(errors.CheckpointError, match=rf"{name}\.keras: damaged"):
            models.load_model(tmp_path / f"{name}.keras")
