"""Runs the scripts of callback_cases.py with Keras and writes callbacks.json beside this file.

python tests/golden/make_callbacks.py
"""

import json
import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"

import keras

import callback_cases


def main():
    found = {case.__name__: case(keras) for case in callback_cases.CASES}
    record = {"made_by": {"keras": keras.__version__}, "cases": found}
    Path(__file__).with_name("callbacks.json").write_text(json.dumps(record, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
