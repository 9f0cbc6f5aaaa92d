"""Run by a Python that has real Keras: opens what distnet wrote, trains on, and saves what distnet is to open.

    python in_keras.py keras|tf_keras FOLDER ...

``FOLDER/cases.json`` lists for each case its files and how many times three epochs are trained from each; 0 stands
for comparing predictions alone. Beside them lies ``<case>.npz`` with inputs x0 ..., targets y0 ... and distnet's
predictions p0 ..., and the files of weights that ``WEIGHTS`` names. The answer is ``FOLDER/<package>.json``. After
the first three epochs a ``.keras`` or ``.weights.h5`` file is saved again, as ``case.back.keras`` or
``case.back.weights.h5``.

Keras 3 runs as it is, with its gradients by JAX; NumPy computes the elementary operations of a step, for each of
which XLA would compile a program for seconds to run it three times.
"""

import gc
import importlib
import json
import os
import sys
import traceback
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "jax")
# Compiling takes longer than the little there is to compute; so does TensorFlow's tracing.
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

EPOCHS = 3
HAVE_STATE = (".keras", ".weights.h5", ".k2.h5")
"""Endings of the files from which training goes on with the optimizer's state: its losses say all."""
WEIGHTS = {
    ".h5": (".legacy.h5", [{}, {"by_name": True}]),
    ".k2.h5": (".legacy.h5", [{}, {"by_name": True}]),
    ".keras": (".weights.h5", [{}]),
}
"""For a file of a model, by its ending: that of the file of its weights, and ways of loading them."""
NOT_FOR = {"keras": (".k2.h5",), "tf_keras": (".keras", ".weights.h5")}
"""Endings of the files that a package is not meant to open."""


def one_or_list(arrays):
    return arrays[0] if len(arrays) == 1 else arrays


def read(folder, case):
    """The inputs, targets and predictions of a case."""
    with np.load(folder / f"{case}.npz") as held:
        return [[held[f"{key}{i}"] for i in range(len(held)) if f"{key}{i}" in held] for key in "xyp"]


def trained(model, x, y, epochs):
    """The losses of some epochs."""
    batch = {"batch_size": len(x[0]) // 2, "shuffle": False, "verbose": 0}
    return model.fit(one_or_list(x), one_or_list(y), epochs=epochs, **batch).history["loss"]


def loaded(keras, folder, case, file):
    """The model of a file; for a file of weights, that of the archive, which first forgets all it knew.

    A text of the architecture is filled from the whole-model file.
    """
    if file.endswith(".json"):
        model = keras.models.model_from_json((folder / file).read_text())
        model.load_weights(folder / f"{case}.h5")
        return model
    if not file.endswith(".weights.h5"):
        return keras.models.load_model(folder / file)
    model = keras.models.load_model(folder / f"{case}.keras")
    model.set_weights([0 * w for w in model.get_weights()])
    for variable in model.optimizer.variables:
        variable.assign(0 * variable.numpy())
    model.load_weights(folder / file)
    return model


def check(keras, folder, case, file, rounds):
    x, y, expected = read(folder, case)
    model = loaded(keras, folder, case, file)
    result = {"losses": []}
    if not file.endswith((".keras", ".weights.h5")):
        result["errors"] = differences(model, x, expected)
        if rounds and not file.endswith(HAVE_STATE):
            logs = model.evaluate(one_or_list(x), one_or_list(y), verbose=0, return_dict=True)
            result["logs"] = [np.asarray(value).tolist() for value in logs.values()]
    ending, ways = WEIGHTS.get(file.removeprefix(case), ("", ()))
    result["of_weights"] = [reloaded(model, folder / f"{case}{ending}", way) for way in ways]
    for number in range(rounds):
        result["losses"].append(trained(model, x, y, EPOCHS))
        if number == 0 and file.endswith(".keras"):
            model.save(folder / f"{case}.back.keras")
        elif number == 0 and file.endswith(".weights.h5"):
            model.save_weights(folder / f"{case}.back.weights.h5")
    return result


def reloaded(model, file, way):
    """How far the weights that are read from a file, once the model has forgotten all it knew, are from its own."""
    has_optimizer = file.name.endswith(".weights.h5") and model.trainable_weights
    state = [*model.weights, *(model.optimizer.variables if has_optimizer else ())]
    held = [variable.numpy().copy() for variable in state]
    for variable in state:
        variable.assign(0 * variable.numpy())
    model.load_weights(file, **way)
    return max((float(np.abs(a.numpy() - b).max(initial=0)) for a, b in zip(state, held, strict=True)), default=0.0)


def differences(model, x, expected):
    """How far each output's predictions are from those expected, in units of the largest."""
    found = model.predict(one_or_list(x), verbose=0)
    found = list(found.values()) if isinstance(found, dict) else found if isinstance(found, list) else [found]
    pairs = zip(found, expected, strict=True)
    return [float(np.abs(a - b).max(initial=0) / max(1, np.abs(b).max(initial=0))) for a, b in pairs]


def answer(keras, package, folder):
    answers = {}
    for case, files in json.loads((folder / "cases.json").read_text()).items():
        for file, rounds in files.items():
            if file.endswith(NOT_FOR[package]):
                continue
            try:
                answers[file] = check(keras, folder, case, file, rounds)
            except Exception as error:
                where = traceback.extract_tb(error.__traceback__)[-1]
                answers[file] = {"failed": f"{type(error).__name__}: {error}", "at": f"{where.filename}:{where.lineno}"}
            keras.backend.clear_session()
            (folder / f"{package}.json").write_text(json.dumps(answers, indent=1))


def compile_nothing():
    """Let Keras 3 on JAX start and train models without XLA.

    Initial weights are NaN: those of a file overwrite them, and what is left shows.
    """
    importlib.import_module("keras.src.backend.jax.trainer").jit = importlib.import_module("jaxpr_in_numpy").jit
    # What Keras does not let XLA compile would run operation by operation, each compiled by itself.
    importlib.import_module("keras.src.trainers.trainer").model_supports_jit = lambda model: True
    random_initializers = importlib.import_module("keras.src.initializers.random_initializers")
    for initializer in random_initializers.RandomInitializer.__subclasses__():
        initializer.__call__ = lambda self, shape, dtype=None: np.full(shape, np.nan, dtype or "float32")


def main():
    package, *folders = sys.argv[1:]
    keras = importlib.import_module(package)
    if package == "tf_keras":
        importlib.import_module("tensorflow").config.run_functions_eagerly(True)
    else:
        compile_nothing()
    gc.collect()
    gc.freeze()  # every clear_session collects garbage, but none among the modules
    for folder in folders:
        answer(keras, package, Path(folder))


if __name__ == "__main__":
    main()
