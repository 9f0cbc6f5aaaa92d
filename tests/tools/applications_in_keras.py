"""Run by a Python that has real Keras: networks with their weights in files, what they predict, what they learn.

Beside what a network gives in float32 is what the same weights and images give in float64.

python applications_in_keras.py FOLDER FLOATX [predictions] [own-statistics] NAME ...
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

from application_cases import CLASSES, NUMBERS, SIBLINGS, fill, headed_near_one, losses_of_steps, normalize_by, pictures

ROWS, ROWS_BEFORE = 8, 16
PREDICTIONS, OWN_STATISTICS = "predictions", "own-statistics"
"""Given before the names: nothing is trained; moving statistics are those of the images that are predicted."""
ON_TENSORFLOW = keras.backend.backend() == "tensorflow"
if ON_TENSORFLOW:
    import tensorflow as tf


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


def prepared(make, size, rows, seed, floatx):
    """Images as the network's own ``preprocess_input`` makes them."""
    return sys.modules[make.__module__].preprocess_input(pictures(size, rows, seed).astype(floatx))


def learned(base, x):
    """Losses and weights, with the network frozen and not."""
    results = {}
    for is_frozen in (True, False):
        model = headed_near_one(keras, base, is_frozen, False if ON_TENSORFLOW else "auto")
        results |= {f"losses {is_frozen}": losses_of_steps(model, x)}
        results |= {f"weight {is_frozen} {i}": w for i, w in enumerate(model.get_weights())}
    return results


def write_files(make, size, options, statistics_of, stem):
    """Weights in files of all kinds."""
    keras.utils.clear_session()
    keras.utils.set_random_seed(3)
    model = whole(make, size, options)
    fill(model, keeps_kernels=True)
    normalize_by(keras, model, statistics_of)
    for ending in (".weights.h5", ".h5", ".keras"):
        model.save_weights(f"{stem}{ending}") if ending == ".weights.h5" else model.save(f"{stem}{ending}")
    write_base(make, size, options, model, f"{stem}-base.weights.h5")


def whole(make, size, options):
    return make(weights=None, input_shape=(size, size, 3), classes=CLASSES, classifier_activation=None, **options)


def given(make, size, options, x, stem, learns):
    """What a network with the weights of files predicts, and learns."""
    keras.utils.clear_session()
    model = whole(make, size, options)
    model.load_weights(f"{stem}.weights.h5")
    predicted = {"predicted": model.predict(x, verbose=0)}
    if not learns:
        return predicted
    return predicted | learned(partial(base_of, make, size, options, f"{stem}-base.weights.h5"), x)


def main():
    folder, floatx, names = Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
    learns, has_own = PREDICTIONS not in names, OWN_STATISTICS in names
    if ON_TENSORFLOW:
        tf.config.run_functions_eagerly(True)  # a graph of some hundred layers takes minutes, for three steps
    for name in (name for name in names if name not in (PREDICTIONS, OWN_STATISTICS)):
        keras.config.set_floatx(floatx)
        size, options = (NUMBERS | SIBLINGS)[name]
        stem = folder / f"{name}-{floatx}"
        network = getattr(keras.applications, name), size, options
        x = prepared(network[0], size, ROWS, 6, floatx)
        write_files(*network, x if has_own else prepared(network[0], size, ROWS_BEFORE, 5, floatx), stem)
        results = {"x": x, **given(*network, x, stem, learns)}
        if floatx == "float32" and ON_TENSORFLOW:
            keras.config.set_floatx("float64")
            results |= {
                f"exact {key}": value for key, value in given(*network, x.astype("float64"), stem, learns).items()
            }
        np.savez(f"{stem}.npz", **results)
        print(json.dumps(name), flush=True)


if __name__ == "__main__":
    main()
