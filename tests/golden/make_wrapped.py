"""Runs the scripts of wrapped_cases.py with Keras in float64 and writes wrapped.npz beside this file.

python tests/golden/make_wrapped.py
"""

import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_ENABLE_X64"] = "1"

import keras
import numpy as np
from keras.src.backend.common import dtypes

import packed
import wrapped_cases

dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float64"  # else ops.mean computes in float32, whatever floatx says
keras.config.set_floatx("float64")
keras.config.set_dtype_policy("float64")


def main():
    arrays = {}
    for case in wrapped_cases.CASES:
        for name, value in wrapped_cases.run(keras, case).items():
            arrays[case + name] = np.asarray(value, np.float64)
    made_by = {"keras": keras.__version__, "backend": keras.backend.backend()}
    packed.save(Path(__file__).with_name("wrapped.npz"), arrays, [made_by])


if __name__ == "__main__":
    main()
