"""Writes models.json beside this file: Keras's signatures, models that Keras wrote as JSON, and one that it read.

    python tests/golden/make_models.py [TEXT]

TEXT is a file with ``model_cases.every_layer(distnet).to_json()``, made where distnet is installed. Keras must read
it and find what it makes of the same script; without TEXT the text in models.json is read again.
"""

import inspect
import json
import os
import sys
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"

import keras
import numpy as np

import model_cases

HERE = Path(__file__).with_name("models.json")
METHODS = ["compile", "fit", "evaluate", "predict", "train_on_batch", "test_on_batch"]


def signatures():
    found = {}
    for method in METHODS:
        parameters = inspect.signature(getattr(keras.Model, method)).parameters
        kinds = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
        plain = {name: p for name, p in parameters.items() if name != "self" and p.kind not in kinds}
        found[method] = {n: p.default for n, p in plain.items() if p.default is not p.empty}
    return found


def models():
    """Texts of Keras with the weights and outputs of the model."""
    small = keras.Sequential([keras.layers.Dense(3, "relu", input_shape=(2,)), keras.layers.Dense(2, "softmax")])
    compiled = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, "sigmoid")], name="compiled")
    compiled.compile("adam", "mse", metrics=["mae"])
    compiled.fit(np.zeros((2, 3)), np.zeros((2, 1)), verbose=0)
    return {"small": small, "compiled": compiled, "every_layer": model_cases.every_layer(keras)}


def described(model):
    shape = (3, *model.input_shape[1:])
    x = np.sin(np.arange(np.prod(shape))).reshape(shape).round(3)
    weights = model.get_weights()
    return {
        "text": model.to_json(),
        "shapes": [w.shape for w in weights],
        "weights": [w.ravel().astype(float).round(6).tolist() for w in weights],
        "x": x.tolist(),
        "y": model.predict(x, verbose=0).astype(float).round(7).tolist(),
    }


def checked(text):
    """The text, if Keras makes of it what the script makes with Keras."""
    found, expected = keras.models.model_from_json(text), model_cases.every_layer(keras)
    for ours, theirs in zip(found.layers, expected.layers, strict=True):
        a, b = ours.get_config(), theirs.get_config()
        if type(ours) is not type(theirs) or {**a, "name": ""} != {**b, "name": ""}:
            raise SystemExit(f"Keras read\n{a}\nwhere it makes\n{b}")
    return text


def main():
    text = Path(sys.argv[1]).read_text() if len(sys.argv) > 1 else json.loads(HERE.read_text())["read_by_keras"]
    record = {
        "made_by": {"keras": keras.__version__},
        "signatures": signatures(),
        "json": {name: described(model) for name, model in models().items()},
        "read_by_keras": checked(text.strip()),
    }
    HERE.write_text(json.dumps(record, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
