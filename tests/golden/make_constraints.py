"""Write constraints.npz: weights as Keras on JAX projects them.

Run with Keras 3.15 and JAX installed: ``python make_constraints.py``. Case i has ``projected i`` for the weights
that it names.
"""

import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_ENABLE_X64"] = "1"

import keras
import numpy as np
from keras import constraints

import packed

keras.config.set_floatx("float64")


def weights():
    rng = np.random.default_rng(13)
    matrix = rng.normal(size=(4, 5)) * [0.1, 1, 3, 10, 1]
    matrix[:, 4] = 0.0
    return {"vector": rng.normal(size=6), "matrix": matrix, "kernel": rng.normal(size=(3, 3, 2, 4))}


CONSTRAINTS = {
    "vector": [
        constraints.MaxNorm(1.0),
        constraints.NonNeg(),
        constraints.UnitNorm(),
        constraints.MinMaxNorm(3.0, 4.0),
    ],
    "matrix": [
        constraints.MaxNorm(),
        constraints.MaxNorm(0.5, axis=1),
        constraints.NonNeg(),
        constraints.UnitNorm(),
        constraints.UnitNorm(axis=1),
        constraints.UnitNorm(axis=[0, 1]),
        constraints.MinMaxNorm(),
        constraints.MinMaxNorm(0.5, 2.0, rate=0.3, axis=1),
        constraints.MinMaxNorm(min_value=1.0, max_value=1.5, rate=0.0),
    ],
    "kernel": [
        constraints.MaxNorm(1.5, axis=[0, 1, 2]),
        constraints.NonNeg(),
        constraints.UnitNorm(axis=[0, 1, 2]),
        constraints.MinMaxNorm(1.0, 2.0, 0.5, axis=[0, 1, 2]),
    ],
}


def main():
    arrays, cases = dict(weights()), []
    for name, w in weights().items():
        for constraint in CONSTRAINTS[name]:
            arrays[f"projected {len(cases)}"] = constraint(w)
            cases.append({"weights": name, "serialized": constraints.serialize(constraint)})
    packed.save(Path(__file__).with_name("constraints.npz"), arrays, cases)


if __name__ == "__main__":
    main()
