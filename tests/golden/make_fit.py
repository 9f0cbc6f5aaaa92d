"""Runs the scripts of fit_cases.py with Keras in float64 and writes fit.npz beside this file.

python tests/golden/make_fit.py
"""

import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_ENABLE_X64"] = "1"

import keras
import numpy as np
from keras.src.backend.common import dtypes

import fit_cases
import packed

dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float64"  # else ops.mean computes in float32, whatever floatx says
keras.config.set_floatx("float64")
keras.config.set_dtype_policy("float64")


def main():
    arrays = {}
    for case in fit_cases.CASES:
        for name, value in case(keras).items():
            arrays[f"{case.__name__}/{name}"] = np.asarray(value, np.float64)
    made_by = {"keras": keras.__version__, "backend": keras.backend.backend()}
    packed.save(Path(__file__).with_name("fit.npz"), arrays, [made_by])


if __name__ == "__main__":
    main()
