"""What networks of each family predict and learn in distnet and in Keras, with weights from files of Keras.

python tests/tools/compare_applications.py FOLDER [--python PYTHON] [--floatx float64] [NAME ...]

PYTHON has Keras; ``KERAS_BACKEND`` says on what. In float64 it must be TensorFlow: on JAX and on PyTorch Keras 3.15
predicts what is a millionth off. In float32 three steps of some networks are further than 1e-4 from Keras on
TensorFlow, and so is Keras on PyTorch: see docs/applications.md. What Keras wrote into FOLDER before is not computed
again.
"""

import argparse
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np

import distnet
from application_cases import CLASSES, NUMBERS, images, trained

PREDICTED = {"float32": 1e-5, "float64": 1e-10}
LEARNED = 1e-4


def apart(a, b):
    """The largest difference, in units of the largest entry where that is above 1."""
    return float(np.max(np.abs(np.asarray(a) - b), initial=0) / max(1.0, np.max(np.abs(b), initial=0)))


def base_of(make, size, options, path):
    distnet.utils.clear_session()
    made = make(weights=path, input_shape=(size, size, 3), include_top=False, pooling="avg", **options)
    return made


def differences(name, folder, floatx):
    """What is compared -> how far apart."""
    distnet.config.set_floatx(floatx)
    size, options = NUMBERS[name]
    make = getattr(distnet.applications, name)
    expected = np.load(folder / f"{name}-{floatx}.npz")
    x, distances = images(size, floatx), {}
    for ending in (".weights.h5", ".h5", ".keras"):
        path = folder / f"{name}-{floatx}{ending}"
        distnet.utils.clear_session()
        model = make(weights=path, input_shape=(size, size, 3), classes=CLASSES, classifier_activation=None, **options)
        distances[f"predicted {ending}"] = apart(model.predict(x, verbose=0), expected["predicted"])
    whole = distnet.models.load_model(folder / f"{name}-{floatx}.keras")
    distances["predicted, loaded"] = apart(whole.predict(x, verbose=0), expected["predicted"])
    path = folder / f"{name}-{floatx}-base.weights.h5"
    for is_frozen in (True, False):
        losses, weights = trained(distnet, partial(base_of, make, size, options, path), is_frozen, x)
        how = "frozen" if is_frozen else "trained"
        distances[f"losses, {how}"] = apart(losses, expected[f"losses {is_frozen}"])
        distances[f"weights, {how}"] = max(apart(w, expected[f"weight {is_frozen} {i}"]) for i, w in enumerate(weights))
    return distances


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
    options = parser.parse_intermixed_args()
    names = options.names or list(NUMBERS)
    ask_keras(options.python, options.folder, options.floatx, names)
    is_equal = True
    for name in names:
        for what, far in differences(name, options.folder, options.floatx).items():
            limit = PREDICTED[options.floatx] if what.startswith("predicted") else LEARNED
            is_equal &= far <= limit
            print(f"{name:20} {what:24} {far:.1e}{'' if far <= limit else '   TOO FAR'}", flush=True)
    raise SystemExit(0 if is_equal else 1)


if __name__ == "__main__":
    main()
