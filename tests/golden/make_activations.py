"""Write activations.npz: values and gradients of every activation as Keras on JAX computes them.

Run with Keras 3.15 and JAX installed: ``python make_activations.py``. Case i on input x (x1, x2, x3: of one, two and
three axes) is ``value i x``; ``gradient i x`` is the gradient of the sum of f(x) times cos(0), cos(1), cos(2) ...
"""

import os
from functools import partial
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_ENABLE_X64"] = "1"

import jax
import keras
import numpy as np

import packed

keras.config.set_floatx("float64")

# threshold demands options; sparsemax of 3.15 adds up the cumulative sums, so that its values do not sum to 1.
NOT_PLAIN = {"deserialize", "get", "serialize", "threshold", "sparsemax"}
PLAIN = [name for name in dir(keras.activations) if not name.startswith("_") and name not in NOT_PLAIN]
WITH_OPTIONS = [
    ("celu", {"alpha": 0.5}),
    ("elu", {"alpha": 0.3}),
    ("gelu", {"approximate": True}),
    ("glu", {"axis": 0}),
    ("hard_shrink", {"threshold": 1.0}),
    ("hard_shrink", {"threshold": 0.0}),
    ("leaky_relu", {"negative_slope": 0.05}),
    ("leaky_relu", {"negative_slope": 0.0}),
    ("leaky_relu", {"negative_slope": 1.5}),
    ("log_softmax", {"axis": 0}),
    ("relu", {"negative_slope": 0.1}),
    ("relu", {"max_value": 6.0}),
    ("relu", {"max_value": 3.0}),
    ("relu", {"threshold": 1.0}),
    ("relu", {"threshold": -1.0}),
    ("relu", {"negative_slope": 0.1, "max_value": 6.0}),
    ("relu", {"negative_slope": 0.1, "max_value": 5.0, "threshold": 1.0}),
    ("relu", {"negative_slope": 0.5, "threshold": -1.0}),
    ("relu", {"max_value": 3.0, "threshold": -1.0}),
    ("soft_shrink", {"threshold": 1.0}),
    ("softmax", {"axis": 0}),
    ("squareplus", {"b": 1.0}),
    ("threshold", {"threshold": 1.0, "default_value": 7.0}),
    ("threshold", {"threshold": -1.0, "default_value": 0.0}),
]
EDGES = (
    "-1e4 -100 -30 -8 -6 -3 -2.5 -1 -0.5 -0.3 -1e-3 0 1e-3 0.5 0.7 1 2 3 5 6 8 20 30 1e4",
    "2 -1 3 0",
)


def inputs():
    """One axis of edges and kinks; two and three axes of random numbers with some kinks among them."""
    rng = np.random.default_rng(7)
    x1 = rng.normal(scale=2, size=(4, 6))
    x1[0, :4] = [float(word) for word in EDGES[1].split()]
    return [np.array([float(word) for word in EDGES[0].split()]), x1, rng.normal(scale=3, size=(2, 4, 6))]


def value_and_gradient(function, x):
    y, backward = jax.vjp(function, x)
    weights = np.cos(np.arange(y.size)).reshape(y.shape)
    return np.asarray(y), np.asarray(backward(weights)[0])


def function(name):
    # keras.ops.tanh makes float32 of float64 (seen in 3.15.1); this is what it calls.
    return keras.src.backend.nn.tanh if name == "tanh" else getattr(keras.activations, name)


def main():
    arrays = {f"x{axes}": x for axes, x in enumerate(inputs(), 1)}
    cases = []
    for name, options in [*((name, {}) for name in PLAIN), *WITH_OPTIONS]:
        for axes, x in enumerate(inputs(), 1):
            y, dx = value_and_gradient(partial(function(name), **options), x)
            arrays[f"value {len(cases)} x{axes}"], arrays[f"gradient {len(cases)} x{axes}"] = y, dx
        serialized = keras.activations.serialize(getattr(keras.activations, name))
        cases.append({"name": name, "options": options, "serialized": serialized})
    packed.save(Path(__file__).with_name("activations.npz"), arrays, cases)


if __name__ == "__main__":
    main()
