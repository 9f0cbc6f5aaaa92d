"""Run by a Python that has Keras 3: what becomes of masks there.

    KERAS_BACKEND=numpy python masks_in_keras.py FOLDER

JAX would compile each operation once for each shape, for minutes.

``FOLDER/cases.json`` holds the models' texts by name. Beside them lies ``<number>.npz`` with the weights w0 ..., the
inputs x0 ... and one mask each for some, m0 .... The answer is ``FOLDER/answers.pickle``: for each model what
``answer`` returns, or the error that it met.
"""

import json
import pickle
import sys
import warnings
from pathlib import Path

import keras
import numpy as np


def one_or_list(arrays):
    return arrays[0] if len(arrays) == 1 else arrays


def flat(values):
    return list(values) if isinstance(values, list | tuple) else [values]


def answer(text, held):
    """Outputs, their masks and losses, in inference and in training; and what training leaves in the weights."""
    model = keras.models.model_from_json(text)
    weights, x = ([held[f"{key}{i}"] for i in range(len(held)) if f"{key}{i}" in held] for key in "wx")
    model.set_weights(weights)
    result = {"supports_masking": {layer.name: layer.supports_masking for layer in model.layers}}
    passes_on = keras.Model, keras.layers.Pipeline  # the masks of the layers within
    if not model.layers[-1].supports_masking and not isinstance(model.layers[-1], passes_on):
        return result  # the mask is gone, and what is computed does not heed it
    for training in (False, True):
        outputs = flat(model(one_or_list(x), training=training))
        masks = [keras.src.backend.get_keras_mask(y) for y in outputs]
        loss = keras.losses.MeanSquaredError(dtype="float64")
        result[training] = {
            "outputs": [np.asarray(y) for y in outputs],
            "masks": [None if mask is None else np.asarray(mask) for mask in masks],
            "losses": [float(loss(np.ones(y.shape), y)) for y in outputs],
        }
    return {**result, "weights": model.get_weights()}


def main(folder):
    warnings.simplefilter("ignore")
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    answers = {}
    for number, (name, text) in enumerate(json.loads((folder / "cases.json").read_text()).items()):
        with np.load(folder / f"{number}.npz") as held:
            try:
                answers[name] = answer(text, dict(held))
            except Exception as error:
                answers[name] = {"failed": repr(error)[:500]}
    (folder / "answers.pickle").write_bytes(pickle.dumps(answers))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
