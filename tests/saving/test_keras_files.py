"""Models that real Kerases saved: read, evaluated and trained on as if they had never stopped.

The files, and what Keras computed, are in golden/saved_*.zip; golden/make_saved.py makes them.
"""

import io
import json
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from distnet import models

GOLDEN = Path(__file__).parents[1] / "golden"
FILES = [
    pytest.param(path, name, id=f"{path.stem[6:]}-{name}")
    for path in sorted(GOLDEN.glob("saved_*.zip"))
    if path.name != "saved_texts.zip"  # test_saved_texts.py has it
    for name in zipfile.ZipFile(path).namelist()
    if not name.endswith(".npz")
]
LASTING = (
    "tf_keras_formats", "2_10-rmsprop", "2_10-adagrad", "2_2_4-sgd_clipnorm", "standalone_2_0_8", "2_10-masked",
    "2_2_4-both_clips", "2_1_2-both_clips", "2_3_1-masked_steps", "2_3_1-many_bits", "1_2_2-penalties", "1_2_2-masked",
)  # fmt: skip
MEANINGS = [pytest.param(*file.values, id=file.id) for file in FILES if any(part in file.id for part in LASTING)]


def arrays_of(numbers, what):
    found = [numbers[f"{what}{i}"] for i in range(3) if f"{what}{i}" in numbers]
    if f"{what}keys" in numbers:
        return dict(zip(map(str, numbers[f"{what}keys"]), found, strict=True))
    return found if len(found) > 1 else found[0]


def as_list(values):
    if isinstance(values, dict):
        return [values[key] for key in sorted(values)]
    return values if isinstance(values, list) else [values]


def unpacked(archive, name, folder):
    """The model of a file, weights alone being put into an emptied one, and Keras's numbers."""
    case, is_weights = name.partition(".")[0], name.endswith(".weights.h5")
    with zipfile.ZipFile(archive) as files:
        model = models.load_model(files.extract(f"{case}.h5" if is_weights else name, folder))
        if is_weights:
            model.set_weights([np.zeros_like(w) for w in model.get_weights()])
            model.compile_from_config(model.get_compile_config())
            model.load_weights(files.extract(name, folder))
        with np.load(io.BytesIO(files.read(f"{case}.npz"))) as saved:
            return model, dict(saved)


def check(model, numbers):
    x, y = arrays_of(numbers, "x"), arrays_of(numbers, "y")

    def differences(what):
        made = as_list(model.predict(x, verbose=0))
        return max(np.abs(ours - numbers[f"{what}{i}"]).max() for i, ours in enumerate(made))

    def check_evaluation(what, tolerance):
        values = model.evaluate(x, y, batch_size=8, verbose=0)
        np.testing.assert_allclose(values, numbers[what], rtol=0, atol=tolerance)

    assert differences("pred") <= 1e-6
    check_evaluation("evaluate", 1e-6)
    losses = model.fit(x, y, batch_size=8, epochs=len(numbers["next_losses"]), shuffle=False, verbose=0).history["loss"]
    np.testing.assert_allclose(losses, numbers["next_losses"], rtol=0, atol=1e-5)
    assert differences("after") <= 1e-5
    if "evaluate_after" in numbers:
        check_evaluation("evaluate_after", 1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(("archive", "name"), FILES)
def test_training_goes_on_as_in_keras(archive, name, tmp_path):
    check(*unpacked(archive, name, tmp_path))


@pytest.mark.slow
@pytest.mark.parametrize("ending", [".h5", ".keras"])
@pytest.mark.parametrize(("archive", "name"), MEANINGS)
def test_what_keras_2_meant_lasts_through_files_of_ones_own(archive, name, ending, tmp_path):
    model, numbers = unpacked(archive, name, tmp_path)
    path = tmp_path / f"again{ending}"
    model.save(path)
    check(models.load_model(path), numbers)


def test_what_keras_2_meant_is_said_where_no_keras_looks(tmp_path):
    model, _ = unpacked(GOLDEN / "saved_tf_keras_formats.zip", "different_masks.h5", tmp_path)
    model.save(tmp_path / "again.h5")
    with h5py.File(tmp_path / "again.h5") as file:
        layers = json.loads(file.attrs["model_config"])["config"]["layers"]
    merges = [layer for layer in layers if layer["class_name"] in ("Add", "Concatenate")]
    assert [layer["distnet"] for layer in merges] == [{"as_in_keras_2": True}] * 4
    assert not any("as_in_keras_2" in layer["config"] for layer in layers)
    kept = models.clone_model(model).get_layer(merges[0]["name"])
    assert kept.as_in_keras_2
    assert type(kept).from_config(kept.get_config()).as_in_keras_2
