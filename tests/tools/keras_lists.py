"""Run by a Python that has real Keras: prints as JSON which names it has, what they mean, and what functions give.

python keras_lists.py
"""

import importlib
import inspect
import json
import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np
from keras.src import losses, metrics

MODULES = (
    *("activations", "callbacks", "constraints", "initializers", "losses", "metrics"),
    *("optimizers", "optimizers.schedules", "regularizers"),
)
WHOLE = (
    *("backend", "callbacks", "config", "constraints", "datasets", "initializers", "layers", "losses", "metrics"),
    *("models", "ops", "optimizers", "preprocessing", "preprocessing.image", "preprocessing.sequence", "random"),
    *("regularizers", "saving", "tree", "utils"),
)
"""Whose every name is in distnet, or absent with a reason."""
ORDERED = (*MODULES, "layers")
"""Where positional arguments are compared."""
SHAPES = ((3, 4), (2, 3, 4), (4,), (3, 1))
"""Of targets and predictions for functions called by hand."""
SPARSE = "sparse_categorical_crossentropy"


def module_of(package, path):
    for part in path.split("."):
        package = getattr(package, part)
    return package


def public(module):
    return [name for name in dir(module) if not name.startswith("_")]


def arrays(shape, name):
    """Targets and predictions that any loss function takes, the same here and in distnet."""
    predictions = (np.arange(np.prod(shape)) * 7 % 11 + 1).reshape(shape) / 13
    targets = (np.arange(np.prod(shape)) * 5 % 7 + 1).reshape(shape) / 9
    classes = shape[-1] if len(shape) > 1 else 1
    if name == SPARSE:
        targets = np.arange(np.prod(shape[:-1], dtype=int)).reshape(shape[:-1]) % classes
    return targets.astype("float32"), predictions.astype("float32")


def loss_functions():
    """Names by which Keras finds a loss function."""
    functions = {name: value for name, value in losses.ALL_OBJECTS_DICT.items() if not inspect.isclass(value)}
    return {name: value.__name__ for name, value in functions.items()}


def called(name):
    """What a loss function found by name gives for each shape; None where Keras refuses the shape."""
    given = []
    for shape in SHAPES:
        try:
            given.append(np.asarray(keras.losses.get(name)(*arrays(shape, name))).tolist())
        except (ValueError, IndexError):
            given.append(None)
    return given


def positions(function):
    """The arguments that a class or function takes by position, in order; None where it takes any number."""
    kinds = inspect.Parameter
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:
        return None
    if any(parameter.kind is kinds.VAR_POSITIONAL for parameter in parameters):
        return None
    return [parameter.name for parameter in parameters if parameter.kind is kinds.POSITIONAL_OR_KEYWORD]


def main():
    """Print the lists."""
    coupled = ("ctc", "circle")
    everything = {
        f"{path}.{name}": getattr(module_of(keras, path), name)
        for path in ORDERED
        for name in dir(module_of(keras, path))
    }
    listed = {
        "positions": {
            name: positions(value) for name, value in everything.items() if callable(value) and "._" not in name
        },
        "whole": {path: public(importlib.import_module(f"keras.{path}")) for path in WHOLE} | {"": public(keras)},
        "names": {path: public(module_of(keras, path)) for path in MODULES},
        "loss_functions": loss_functions(),
        "losses": [name for name, value in losses.ALL_OBJECTS_DICT.items() if inspect.isclass(value)],
        "metrics": {name: value.__name__ for name, value in metrics.ALL_OBJECTS_DICT.items()},
        "members": {
            "layer": members(keras.layers.Dense(1)),
            "own_layer": members(keras.layers.Layer()),
            "model": members(keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])),
            "variable": members(keras.Variable([1.0])),
            "optimizer": members(keras.optimizers.SGD()),
            "metric": members(keras.metrics.Mean()),
            "loss": members(keras.losses.MeanSquaredError()),
        },
        "called": {name: called(name) for name in loss_functions() if name not in coupled},
    }
    print(json.dumps(listed))


def members(made):
    """The public attributes of an object."""
    return [name for name in dir(made) if not name.startswith("_")]


if __name__ == "__main__":
    main()
