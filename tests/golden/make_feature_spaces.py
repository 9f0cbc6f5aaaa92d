"""Runs structured_cases.py with Keras 3 and TensorFlow, and writes feature_spaces.json beside this file.

KERAS_BACKEND=jax python tests/golden/make_feature_spaces.py
"""

import json
from pathlib import Path

import keras

import structured_cases


def main():
    made = {"keras": keras.__version__, "results": structured_cases.results(keras)}
    Path(__file__).with_name("feature_spaces.json").write_text(json.dumps(made), encoding="utf-8")


if __name__ == "__main__":
    main()
