"""What networks of each family predict and learn in distnet and in Keras, with weights from files of Keras.

python tests/tools/compare_applications.py FOLDER [--python PYTHON] [--floatx float64] [--kind .keras ...] [NAME ...]

PYTHON has Keras; ``KERAS_BACKEND`` says on what. In float64 it must be TensorFlow: on JAX and on PyTorch Keras 3.15
predicts what is a millionth off. Kernels are as Keras draws them, moving statistics those of some images, inputs as
``preprocess_input`` makes them, losses near 1. In float32 some deep networks magnify rounding beyond the limits all
the same: see docs/applications.md. What Keras wrote into FOLDER before is not computed again.
"""

import argparse
import os
import subprocess
import sys
from functools import partial
from itertools import compress
from pathlib import Path

import numpy as np

import distnet
from application_cases import CLASSES, NUMBERS, headed_near_one, losses_of_steps

PREDICTED = {"float32": 1e-5, "float64": 1e-10}
LEARNED = 1e-4
CHANGED = {"float32": 1e-2, "float64": 1e-6}
"""How far changes of weights may be apart: they are small, and weights near 1 are rounded."""
KINDS = (".weights.h5", ".h5", ".keras")


def apart(a, b, least=0.0):
    """The largest difference, in units of the largest entry where that is above the least unit."""
    return float(np.max(np.abs(np.asarray(a) - b), initial=0) / max(least, np.max(np.abs(b), initial=0)))


def changes_apart(before, ours, theirs):
    """How far changes of arrays are apart, in units of all these changes."""
    far = all_changes = 0.0
    for a, b, c in zip(before, ours, theirs, strict=True):
        far += float(np.sum(np.square(b - c, dtype=np.float64)))
        all_changes += float(np.sum(np.square(c - a, dtype=np.float64)))
    return float(np.sqrt(far / all_changes if all_changes else far))


def base_of(make, size, options, path):
    distnet.utils.clear_session()
    made = make(weights=path, input_shape=(size, size, 3), include_top=False, pooling="avg", **options)
    return made


def predictions_apart(name, folder, floatx, kinds, expected):
    """Kind of file -> how far predictions are apart."""
    size, options = NUMBERS[name]
    make = getattr(distnet.applications, name)
    distances = {}
    for kind in kinds:
        path = folder / f"{name}-{floatx}{kind}"
        distnet.utils.clear_session()
        model = make(weights=path, input_shape=(size, size, 3), classes=CLASSES, classifier_activation=None, **options)
        distances[f"predicted {kind}"] = apart(model.predict(expected["x"], verbose=0), expected["predicted"])
    if ".keras" in kinds:
        whole = distnet.models.load_model(folder / f"{name}-{floatx}.keras")
        distances["predicted, loaded"] = apart(whole.predict(expected["x"], verbose=0), expected["predicted"])
    return distances


def steps_apart(base, is_frozen, expected):
    """What is compared after some steps -> how far apart."""
    model = headed_near_one(distnet, base, is_frozen)
    before = model.get_weights()
    losses = losses_of_steps(model, expected["x"])
    after = model.get_weights()
    theirs = [expected[f"weight {is_frozen} {i}"] for i in range(len(after))]
    trained = {weight.path for weight in model.trainable_weights}
    is_trained = [weight.path in trained for weight in model.weights]
    changed = [
        changes_apart(*(compress(arrays, chosen) for arrays in (before, after, theirs)))
        for chosen in (is_trained, np.logical_not(is_trained))
    ]
    return {
        "losses": apart(losses, expected[f"losses {is_frozen}"]),
        "weights": max(apart(a, b, least=1.0) for a, b in zip(after, theirs, strict=True)),
        "changes": max(changed),
    }


def differences(name, folder, floatx, kinds):
    """What is compared -> how far apart."""
    distnet.config.set_floatx(floatx)
    size, options = NUMBERS[name]
    expected = np.load(folder / f"{name}-{floatx}.npz")
    distances = predictions_apart(name, folder, floatx, kinds, expected)
    base = partial(
        base_of, getattr(distnet.applications, name), size, options, folder / f"{name}-{floatx}-base.weights.h5"
    )
    for how, is_frozen in (("frozen", True), ("trained", False)):
        distances |= {f"{what}, {how}": far for what, far in steps_apart(base, is_frozen, expected).items()}
    return distances


def limit_of(what, floatx):
    if what.startswith("predicted"):
        return PREDICTED[floatx]
    return CHANGED[floatx] if what.startswith("changes") else LEARNED


def ask_keras(python, folder, floatx, names):
    """Let Keras write what is not there yet."""
    wanted = [name for name in names if not (folder / f"{name}-{floatx}.npz").exists()]
    if wanted:
        script = str(Path(__file__).parent / "applications_in_keras.py")
        subprocess.run([python, script, str(folder), floatx, *wanted], check=True, env=dict(os.environ))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--floatx", default="float32", choices=PREDICTED)
    parser.add_argument("--kind", action="append", choices=KINDS, help="of file; by default every")
    options = parser.parse_intermixed_args()
    names = options.names or list(NUMBERS)
    ask_keras(options.python, options.folder, options.floatx, names)
    is_equal = True
    for name in names:
        for what, far in differences(name, options.folder, options.floatx, options.kind or KINDS).items():
            limit = limit_of(what, options.floatx)
            is_equal &= far <= limit
            print(f"{name:20} {what:24} {far:.1e}{'' if far <= limit else '   TOO FAR'}", flush=True)
    raise SystemExit(0 if is_equal else 1)


if __name__ == "__main__":
    main()
