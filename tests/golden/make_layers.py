"""Writes layers.json beside this file: the constructor's parameters of every Keras layer, with their defaults.

python tests/golden/make_layers.py
"""

import inspect
import json
import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"

import keras

REQUIRED = "required"


def parameters(cls):
    """The defaults by name, in order; an object stands as its string."""
    found = {}
    for name, parameter in list(inspect.signature(cls.__init__).parameters.items())[1:]:
        if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
            continue
        default = REQUIRED if parameter.default is parameter.empty else parameter.default
        is_plain = default is None or isinstance(default, bool | int | float | str | tuple)
        found[name] = default if is_plain else str(default)
    return found


def main():
    classes = {name: cls for name, cls in vars(keras.layers).items() if inspect.isclass(cls)}
    classes["Sequential"] = keras.Sequential
    layers = {name: parameters(cls) for name, cls in sorted(classes.items()) if issubclass(cls, keras.Layer)}
    record = {"made_by": {"keras": keras.__version__}, "layers": layers}
    Path(__file__).with_name("layers.json").write_text(json.dumps(record, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
