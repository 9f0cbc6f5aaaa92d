"""Writes saved_NAME.zip beside this file: models that a Keras saved, and what it computed before and after.

    python tests/golden/make_saved.py NAME FOLDER [CASE ...]

NAME is keras (Keras 3), tf_keras, or legacy (tf_keras with ``optimizers.legacy``, those of Keras up to 2.10); or one of
IN_ALL_FORMATS, which have ``.keras`` and ``.weights.h5`` files beside the ``.h5``; or keras_2_10 or keras_2_13 for
those versions of TensorFlow's Keras, the latter in ``.keras`` files. Each model of ``saved_cases`` is trained for three
epochs and saved. What it then predicts and how it is evaluated, the losses of three further epochs, and the predictions
and the evaluation after them, are noted beside it. Outputs in a dict are noted in the order of their keys. All goes to
FOLDER first, with the text of ``to_json``; what is there already is not
made again. With CASES it stays there.
"""

import os
import sys
import warnings
import zipfile
from importlib import import_module
from pathlib import Path

import numpy as np

import saved_cases

os.environ.setdefault("KERAS_BACKEND", "jax")
SHOWN = {
    "keras": [
        "sgd_nesterov", "adam_amsgrad", "nadam", "ftrl", "lion",
        "lamb", "adamw", "adam_accumulating", "cosine_warmup", "two_inputs_two_outputs_shared",
        "residual_batchnorm", "frozen_layers", "nested_sequential", "nested_functional_partly_frozen",
        "nested_model_at_the_end", "bidirectional", "encoder_decoder", "rnn_options", "masks_in_a_functional_model",
        "masked_attention", "nested_masks", "operators", "convolutions", "transformer", "regularizers_and_constraints",
        "losses_and_metrics", "sparse_labels", "float64", "dict_inputs_and_outputs",
    ],
    "tf_keras": [
        "sgd", "rmsprop_both", "adam_amsgrad", "adam_weight_decay", "adam_ema", "nadam", "ftrl", "lion",
        "cosine_restarts", "two_inputs_two_outputs_shared", "residual_batchnorm", "nested_sequential",
        "nested_functional_partly_frozen", "nested_model_at_the_end", "bidirectional", "encoder_decoder",
        "rnn_options", "masked_attention", "nested_masks", "convolutions_1d", "transformer",
        "regularizers_and_constraints", "losses_and_metrics", "class_metrics", "operators",
    ],
    "legacy": [
        "sgd_momentum", "rmsprop_both", "adam_amsgrad", "adamax", "nadam", "adagrad", "adadelta", "ftrl", "polynomial",
    ],
    "keras_formats": [
        "different_masks", "masked_labels", "half_masked", "named_outputs", "steps_of_batches", "images_of_batches",
    ],
    "tf_keras_formats": [
        "different_masks", "masked_labels", "named_outputs", "steps_of_batches", "images_of_batches", "sgd", "nadam",
        "adafactor",
    ],
    "keras_volumes": ["volumes", "conv_lstm", "adapted_normalization", "channels_first", "rms_normalization"],
    "tf_keras_volumes": ["volumes", "conv_lstm", "adapted_normalization", "locally_connected"],
    "keras_2_10": [
        "rmsprop_epsilon", "rmsprop_centered_epsilon", "rmsprop_momentum_epsilon", "adagrad_epsilon", "nadam",
        "sgd_nesterov", "masked_labels",
    ],
    "keras_2_13": ["residual_batchnorm", "nested_functional_partly_frozen", "bidirectional", "rmsprop_epsilon"],
}  # fmt: skip
ALL_FORMATS = (".h5", ".keras", ".weights.h5")
IN_ALL_FORMATS = ("keras_formats", "tf_keras_formats", "keras_volumes", "tf_keras_volumes")
FORMATS = {**dict.fromkeys(IN_ALL_FORMATS, ALL_FORMATS), "keras_2_13": (".keras",)}
EPOCHS = {"keras_2_10": 7}


class Legacy:
    """tf_keras with the optimizers of Keras up to 2.10."""

    def __init__(self, package):
        self.package = package
        self.optimizers = package.optimizers.legacy
        self.optimizers.schedules = package.optimizers.schedules

    def __getattr__(self, name):
        return getattr(self.package, name)


def as_list(values):
    if isinstance(values, dict):
        return [values[key] for key in sorted(values)]
    return values if isinstance(values, list) else [values]


def given(arrays):
    return arrays[0] if isinstance(arrays, list) and len(arrays) == 1 else arrays


def make(package, name, folder, formats, epochs):
    """Train, save and go on; the numbers are float32, as Keras computed them."""
    package.backend.clear_session()
    package.utils.set_random_seed(1)
    model, x, y = saved_cases.CASES[name](package)

    def fit(epochs):
        history = model.fit(given(x), given(y), batch_size=8, epochs=epochs, shuffle=False, verbose=0)
        return history.history["loss"]

    def numbers(predicted, evaluated):
        found = {f"{predicted}{i}": array for i, array in enumerate(as_list(model.predict(given(x), verbose=0)))}
        return {**found, evaluated: np.atleast_1d(model.evaluate(given(x), given(y), batch_size=8, verbose=0))}

    fit(3)
    found = numbers("pred", "evaluate")
    (folder / f"{name}.json").write_text(model.to_json())
    for ending in reversed(formats):  # to save .h5 Keras 3 takes the optimizer out of the model's settings
        save = model.save_weights if ending == ".weights.h5" else model.save
        save(folder / f"{name}{ending}")
    found["next_losses"] = np.array(fit(epochs))
    found.update(numbers("after", "evaluate_after"))
    for what, arrays in (("x", x), ("y", y)):
        found.update({f"{what}{i}": array for i, array in enumerate(as_list(arrays))})
        if isinstance(arrays, dict):
            found[f"{what}keys"] = np.array(sorted(arrays))
    np.savez(folder / f"{name}.npz", **found)


def main():
    kind, where, *names = sys.argv[1:]
    warnings.simplefilter("ignore")
    package = import_module("keras" if kind.startswith("keras") else "tf_keras")
    package = Legacy(package) if kind == "legacy" else package
    folder = Path(where)
    folder.mkdir(exist_ok=True)
    for name in names or SHOWN[kind]:
        if not (folder / f"{name}.npz").exists():
            make(package, name, folder, FORMATS.get(kind, (".h5",)), EPOCHS.get(kind, 3))
    if names:
        return
    with zipfile.ZipFile(Path(__file__).with_name(f"saved_{kind}.zip"), "w", zipfile.ZIP_LZMA) as archive:
        for name in SHOWN[kind]:
            for ending in (*FORMATS.get(kind, (".h5",)), ".npz"):
                path = folder / f"{name}{ending}"
                # The time of writing is left out: the same files give the same archive.
                archive.writestr(zipfile.ZipInfo(path.name), path.read_bytes(), zipfile.ZIP_LZMA)


if __name__ == "__main__":
    main()
