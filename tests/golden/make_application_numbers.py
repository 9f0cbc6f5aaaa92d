"""Write ``application_numbers.npz``: what networks predict and learn in Keras on TensorFlow, in float64.

KERAS_BACKEND=tensorflow python tests/golden/make_application_numbers.py [NAME ...]

On JAX and on PyTorch Keras 3.15 predicts in float64 what is a millionth off; on TensorFlow it is not.
"""

import os
import sys
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))

import keras
import numpy as np

from application_cases import NUMBERS, numbers


def main():
    path = Path(__file__).with_name("application_numbers.npz")
    every = dict(np.load(path)) if path.exists() else {}
    for name in sys.argv[1:] or NUMBERS:
        made = numbers(keras, name, "float64", jit_compile=False)
        every |= {f"{name}: {what}": array for what, array in made.items()}
        np.savez_compressed(path, **every)
        print(name, flush=True)


if __name__ == "__main__":
    main()
