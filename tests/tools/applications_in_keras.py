"""Run by a Python that has real Keras: networks with their weights in files, what they predict, what they learn.

python applications_in_keras.py FOLDER FLOATX NAME ...
"""

import json
import os
import sys
from functools import partial
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("JAX_ENABLE_X64", "1")

import keras
import numpy as np

from application_cases import CLASSES, NUMBERS, fill, images, trained

COMPILED = False if keras.backend.backend() == "tensorflow" else "auto"
"""Whether XLA compiles the steps: on TensorFlow it need not, and takes minutes."""


def without_top(make, size, options):
    keras.utils.clear_session()
    return make(weights=None, input_shape=(size, size, 3), include_top=False, pooling="avg", **options)


def base_of(make, size, options, path):
    made = without_top(make, size, options)
    made.load_weights(path)
    return made


def write_base(make, size, options, model, path):
    """The network without its classifier, with the same weights, in a file."""
    made = without_top(make, size, options)
    others = {layer.name: layer for layer in model.layers}
    for layer in made.layers:
        if layer.weights and layer.name in others:
            layer.set_weights(others[layer.name].get_weights())
    made.save_weights(path)


def learned(base, x):
    """Losses and weights, with the network frozen and not."""
    results = {}
    for is_frozen in (True, False):
        losses, weights = trained(keras, base, is_frozen, x, COMPILED)
        results |= {f"losses {is_frozen}": losses}
        results |= {f"weight {is_frozen} {i}": w for i, w in enumerate(weights)}
    return results


def main():
    folder, floatx, names = Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
    keras.config.set_floatx(floatx)
    for name in names:
        size, options = NUMBERS[name]
        make = getattr(keras.applications, name)
        keras.utils.clear_session()
        keras.utils.set_random_seed(3)
        model = make(weights=None, input_shape=(size, size, 3), classes=CLASSES, classifier_activation=None, **options)
        fill(model)
        for ending in (".weights.h5", ".h5", ".keras"):
            path = folder / f"{name}-{floatx}{ending}"
            model.save_weights(path) if ending == ".weights.h5" else model.save(path)
        x = images(size, floatx)
        results = {"predicted": model.predict(x, verbose=0)}
        path = folder / f"{name}-{floatx}-base.weights.h5"
        write_base(make, size, options, model, path)
        results |= learned(partial(base_of, make, size, options, path), x)
        np.savez(folder / f"{name}-{floatx}.npz", **results)
        print(json.dumps(name), flush=True)


if __name__ == "__main__":
    main()
