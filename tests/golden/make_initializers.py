"""Write initializers.json: the distributions of Keras's initializers, measured on large samples, and their fans.

Run with Keras 3.15 and JAX installed: ``python make_initializers.py``.
"""

import json
import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_ENABLE_X64"] = "1"

import keras
import numpy as np
from keras import initializers
from keras.src.initializers.random_initializers import compute_fans

keras.config.set_floatx("float64")

SEED = 3
RANDOM = [
    initializers.RandomNormal(seed=SEED),
    initializers.RandomNormal(1.0, 2.0, seed=SEED),
    initializers.TruncatedNormal(seed=SEED),
    initializers.TruncatedNormal(-1.0, 0.5, seed=SEED),
    initializers.RandomUniform(seed=SEED),
    initializers.RandomUniform(1.0, 3.0, seed=SEED),
    initializers.GlorotUniform(seed=SEED),
    initializers.GlorotNormal(seed=SEED),
    initializers.HeUniform(seed=SEED),
    initializers.HeNormal(seed=SEED),
    initializers.LecunUniform(seed=SEED),
    initializers.LecunNormal(seed=SEED),
    initializers.GlorotUniform(seed=SEED, input_axes=[0, 1], output_axes=[2]),
    *(
        initializers.VarianceScaling(2.5, mode, distribution, seed=SEED)
        for mode in ("fan_in", "fan_out", "fan_avg")
        for distribution in ("uniform", "truncated_normal", "untruncated_normal")
    ),
]
EXACT = [
    initializers.Zeros(),
    initializers.Ones(),
    initializers.Constant(2.5),
    initializers.Constant(np.arange(12.0).reshape(3, 4)),
    initializers.Identity(),  # with a gain, Keras 3.15 leaves it out of the configuration
]
SHAPES = [(40, 50, 60), (2, 3, 100, 200)]
FANS = [(), (7,), (3, 5), (3, 4, 5), (2, 3, 4, 5), (2, 2, 3, 4, 5)]


def measured(initializer, shape):
    sample = np.asarray(initializer(shape))
    deviations = (sample - sample.mean()) / sample.std()
    return {
        "serialized": initializers.serialize(initializer),
        "shape": shape,
        "low": sample.min(),
        "high": sample.max(),
        "mean": sample.mean(),
        "std": sample.std(),
        "kurtosis": np.mean(deviations**4),
    }


def main():
    result = {
        "random": [measured(initializer, shape) for initializer in RANDOM for shape in SHAPES],
        "exact": [
            {"serialized": initializers.serialize(initializer), "values": np.asarray(initializer((3, 4))).tolist()}
            for initializer in EXACT
        ],
        "orthogonal": initializers.serialize(initializers.Orthogonal(gain=2.0, seed=SEED)),
        "seed_generator": initializers.serialize(initializers.HeNormal(keras.random.SeedGenerator(4))),
        "fans": [{"shape": shape, "fans": compute_fans(shape)} for shape in FANS],
    }
    Path(__file__).with_name("initializers.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
