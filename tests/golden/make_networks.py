"""Trains the networks of network_cases.py with Keras, in float32 and float64; writes networks.npz beside this file.

python tests/golden/make_networks.py
"""

import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_ENABLE_X64"] = "1"

import keras
import numpy as np
from keras.src.backend.common import dtypes

import network_cases
import packed

dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float64"  # else ops.mean computes in float32, whatever floatx says


def main():
    arrays = {}
    for floatx in ("float32", "float64"):
        keras.config.set_floatx(floatx)
        keras.config.set_dtype_policy(floatx)
        for case in network_cases.CASES:
            for name, value in case(keras).items():
                arrays[f"{floatx}/{case.__name__}/{name}"] = np.asarray(value, np.float64)
    made_by = {"keras": keras.__version__, "backend": keras.backend.backend()}
    packed.save(Path(__file__).with_name("networks.npz"), arrays, [made_by])


if __name__ == "__main__":
    main()
