"""Whole models that real Kerases saved: read, evaluated and trained on as if they had never stopped.

The files, and what Keras computed, are in golden/saved_*.zip; golden/make_saved.py makes them.
"""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from distnet import models

GOLDEN = Path(__file__).parents[1] / "golden"
FILES = [
    pytest.param(path, name[:-3], id=f"{path.stem[6:]}-{name[:-3]}")
    for path in sorted(GOLDEN.glob("saved_*.zip"))
    for name in zipfile.ZipFile(path).namelist()
    if name.endswith(".h5")
]
MOVING_VARIANCE_DIFFERS = ("saved_tf_keras", "residual_batchnorm")
"""TensorFlow's kernel for images corrects the variance that it keeps by n / (n - 1)."""


def arrays_of(numbers, what):
    found = [numbers[f"{what}{i}"] for i in range(3) if f"{what}{i}" in numbers]
    if f"{what}keys" in numbers:
        return dict(zip(map(str, numbers[f"{what}keys"]), found, strict=True))
    return found if len(found) > 1 else found[0]


def as_list(values):
    return list(values.values()) if isinstance(values, dict) else values if isinstance(values, list) else [values]


@pytest.mark.parametrize(("archive", "name"), FILES)
def test_training_goes_on_as_in_keras(archive, name, tmp_path):
    with zipfile.ZipFile(archive) as files:
        path = files.extract(f"{name}.h5", tmp_path)
        with np.load(io.BytesIO(files.read(f"{name}.npz"))) as saved:
            numbers = dict(saved)
    x, y = arrays_of(numbers, "x"), arrays_of(numbers, "y")
    model = models.load_model(path)

    def differences(what):
        made = as_list(model.predict(x, verbose=0))
        return max(np.abs(ours - numbers[f"{what}{i}"]).max() for i, ours in enumerate(made))

    assert differences("pred") <= 1e-6
    np.testing.assert_allclose(model.evaluate(x, y, batch_size=8, verbose=0), numbers["evaluate"], rtol=0, atol=1e-6)
    losses = model.fit(x, y, batch_size=8, epochs=3, shuffle=False, verbose=0).history["loss"]
    np.testing.assert_allclose(losses, numbers["next_losses"], rtol=0, atol=1e-5)
    if (archive.stem, name) != MOVING_VARIANCE_DIFFERS:
        assert differences("after") <= 1e-5
