"""Runs distillation_cases.py with Keras 3, and writes distillation.json and .npz beside this file.

KERAS_BACKEND=jax JAX_ENABLE_X64=1 python tests/golden/make_distillation.py
"""

import json
import tempfile
from pathlib import Path

import keras
import numpy as np

import distillation_cases
from make_feature_spaces import archive

if __name__ == "__main__":
    keras.config.set_floatx("float64")
    with tempfile.TemporaryDirectory() as folder:
        results = distillation_cases.results(keras, Path(folder))
        files = {path.stem: archive(path) for path in Path(folder).iterdir() if path.stem in ("features", "several")}
    made = {"keras": keras.__version__, "results": results}
    Path(__file__).with_name("distillation.json").write_text(json.dumps(made), encoding="utf-8")
    np.savez(Path(__file__).with_name("distillation.npz"), **files)
