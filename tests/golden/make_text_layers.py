"""Runs text_layer_cases.py with Keras 3 and TensorFlow, and writes text_layers.json beside this file.

KERAS_BACKEND=jax python tests/golden/make_text_layers.py

Keras's layers for strings need TensorFlow on every backend.
"""

import json
from pathlib import Path

import keras

import text_layer_cases


def main():
    made = {"keras": keras.__version__, "results": text_layer_cases.results(keras.layers)}
    Path(__file__).with_name("text_layers.json").write_text(json.dumps(made), encoding="utf-8")


if __name__ == "__main__":
    main()
