"""Runs structured_cases.py and some spaces of feature_space_cases.py with Keras 3 and TensorFlow.

KERAS_BACKEND=tensorflow python tests/golden/make_feature_spaces.py  # writes feature_spaces.json and .npz
"""

import io
import json
import tempfile
import zipfile
from pathlib import Path

import keras
import numpy as np

import feature_space_cases
import structured_cases

SEEDS = 16


def archive(path):
    """A ``.keras`` file, compressed, as bytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(path) as file, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as smaller:
        for name in file.namelist():
            smaller.writestr(name, file.read(name))
    return np.frombuffer(packed.getvalue(), np.uint8)


def files():
    """``({name: file}, {name: what Keras makes with what it reads from the file})``."""
    saved, expected = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        for name, space in structured_cases.spaces(keras).items():
            path = Path(folder, f"{name}.keras")
            space.save(path)
            saved[name] = archive(path)
            expected[name] = structured_cases.encoded(keras.models.load_model(path), name)
    return saved, expected


def drawn():
    """Seed -> what is made of columns and of one row, where Keras refuses nothing."""
    made = {}
    for seed in range(SEEDS):
        try:
            made[seed] = feature_space_cases.made(keras, seed)
        except ValueError as error:
            print(f"{seed}: {str(error)[:100]}")
    return made


if __name__ == "__main__":
    saved, loaded = files()
    results = structured_cases.results(keras)
    made = {"keras": keras.__version__, "results": results, "loaded": loaded, "drawn": drawn()}
    Path(__file__).with_name("feature_spaces.json").write_text(json.dumps(made), encoding="utf-8")
    np.savez(Path(__file__).with_name("feature_spaces.npz"), **saved)
