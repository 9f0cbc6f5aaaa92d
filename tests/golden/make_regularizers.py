"""Write regularizers.npz: penalties and their gradients as Keras on JAX computes them.

Run with Keras 3.15 and JAX installed: ``python make_regularizers.py``. Case i has ``value i`` and ``gradient i`` for
the weights that it names.
"""

import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_ENABLE_X64"] = "1"

import jax
import keras
import numpy as np
from keras import regularizers

import packed

keras.config.set_floatx("float64")


def weights():
    rng = np.random.default_rng(11)
    matrix = rng.normal(size=(4, 5))
    matrix[1, 2] = 0.0
    with_zeros = rng.normal(size=(3, 4))
    with_zeros[1], with_zeros[:, 2] = 0.0, 0.0
    return {
        "vector": rng.normal(size=6),
        "matrix": matrix,
        "with_zeros": with_zeros,
        "one_row": rng.normal(size=(1, 4)),
        "kernel": rng.normal(size=(3, 3, 2, 4)),
    }


ANY_SHAPE = [
    regularizers.L1(),
    regularizers.L1(0.3),
    regularizers.L2(),
    regularizers.L2(0.25),
    regularizers.L1L2(),
    regularizers.L1L2(0.1, 0.2),
    regularizers.L1L2(l2=0.5),
]
OF_MATRICES = [
    regularizers.OrthogonalRegularizer(),
    regularizers.OrthogonalRegularizer(0.5, "rows"),
    regularizers.OrthogonalRegularizer(0.5, "columns"),
]


def main():
    arrays, cases = dict(weights()), []
    for regularizer in [*ANY_SHAPE, *OF_MATRICES]:
        for name, w in weights().items():
            if regularizer in OF_MATRICES and name != "matrix":
                continue  # no rank, no pairs or no direction: Keras raises, or gives NaN
            value, gradient = jax.value_and_grad(regularizer)(w)
            arrays[f"value {len(cases)}"], arrays[f"gradient {len(cases)}"] = value, gradient
            cases.append({"weights": name, "serialized": regularizers.serialize(regularizer)})
    packed.save(Path(__file__).with_name("regularizers.npz"), arrays, cases)


if __name__ == "__main__":
    main()
