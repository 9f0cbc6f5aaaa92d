"""What networks predict and learn in distnet and in Keras, with weights from files of Keras.

python tests/tools/compare_applications.py FOLDER [--python PYTHON] [--floatx float64] [--kind .keras ...]
                                           [--predictions] [--own-statistics] [NAME ...]

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
from application_cases import CLASSES, NUMBERS, SIBLINGS, headed_near_one, losses_of_steps, round_scales

PREDICTED = {"float32": 1e-5, "float64": 1e-10}
LEARNED = 1e-4
CHANGED = {"float32": 1e-2, "float64": 1e-6}
"""How far changes of weights may be apart: they are small, and weights near 1 are rounded."""
AS_KERAS = 2.0
"""Where float32 is not enough, how many times Keras's own distance from float64 distnet's may be."""
TOO_FAR = "TOO FAR"
KINDS = (".weights.h5", ".h5", ".keras")
NETWORKS = NUMBERS | SIBLINGS


def apart(a, b, least=0.0):
    """The largest difference, in units of the largest entry where that is above the least unit."""
    return float(np.max(np.abs(np.asarray(a) - b), initial=0) / max(least, np.max(np.abs(b), initial=0)))


def softmax(z):
    return distnet.activations.softmax(np.asarray(z, np.float64))


def changes_apart(before, ours, theirs):
    """How far changes of arrays are apart, in units of all these changes."""
    far = all_changes = 0.0
    for a, b, c in zip(before, ours, theirs, strict=True):
        far += float(np.sum(np.square(b - c, dtype=np.float64)))
        all_changes += float(np.sum(np.square(c - a, dtype=np.float64)))
    return float(np.sqrt(far / all_changes if all_changes else far))


def base_of(make, size, options, path):
    distnet.utils.clear_session()
    return round_scales(make(weights=path, input_shape=(size, size, 3), include_top=False, pooling="avg", **options))


def predictions(name, folder, floatx, kinds, x):
    """Kind of file -> what is predicted with the weights from it."""
    size, options = NETWORKS[name]
    make = getattr(distnet.applications, name)
    predicted = {}
    for kind in kinds:
        path = folder / f"{name}-{floatx}{kind}"
        distnet.utils.clear_session()
        model = make(weights=path, input_shape=(size, size, 3), classes=CLASSES, classifier_activation=None, **options)
        predicted[f"predicted {kind}"] = round_scales(model).predict(x, verbose=0)
    if ".keras" in kinds:
        whole = round_scales(distnet.models.load_model(folder / f"{name}-{floatx}.keras"))
        predicted["predicted, loaded"] = whole.predict(x, verbose=0)
    return predicted


class Steps:
    """Some steps with a head near one.

    Args:
        base: makes the network below the head.
        is_frozen: whether it is frozen.
        x: images.
    """

    def __init__(self, base, is_frozen, x):
        model = headed_near_one(distnet, base, is_frozen)
        self.before = model.get_weights()
        self.losses = losses_of_steps(model, x)
        self.after = model.get_weights()
        trained = {weight.path for weight in model.trainable_weights}
        is_trained = [weight.path in trained for weight in model.weights]
        self.chosen = is_trained, np.logical_not(is_trained)

    def apart(self, losses, weights, other_losses, other_weights):
        """What is compared after the steps -> how far apart."""
        changed = [
            changes_apart(*(compress(arrays, chosen) for arrays in (self.before, weights, other_weights)))
            for chosen in self.chosen
        ]
        return {
            "losses": apart(losses, other_losses),
            "weights": max(apart(a, b, least=1.0) for a, b in zip(weights, other_weights, strict=True)),
            "changes": max(changed),
        }


class Comparison:
    """A network's numbers here, in Keras, and in Keras in float64.

    Args:
        name: of the network.
        folder: where Keras has written.
        floatx: dtype.
        kinds: of files.
    """

    def __init__(self, name, folder, floatx, kinds):
        distnet.config.set_floatx(floatx)
        self.name, self.folder, self.floatx, self.kinds = name, folder, floatx, kinds
        self.of_keras = np.load(folder / f"{name}-{floatx}.npz")
        self.has_exact = "exact predicted" in self.of_keras

    def distances(self):
        """What is compared -> how far distnet is from Keras, and each from what Keras gives in float64."""
        x, every = self.of_keras["x"], {}
        for what, predicted in predictions(self.name, self.folder, self.floatx, self.kinds, x).items():
            pairs = self._pairs(predicted, "predicted")
            every[what] = [apart(*pair) for pair in pairs]
            every[what.replace("predicted", "probabilities")] = [
                apart(*map(softmax, pair), least=1.0) for pair in pairs
            ]
        is_frozen_in = {"frozen": True, "trained": False} if "losses True" in self.of_keras else {}
        for how, is_frozen in is_frozen_in.items():
            each = self._of_steps(is_frozen)
            every |= {f"{what}, {how}": [far[what] for far in each] for what in each[0]}
        return every

    def _pairs(self, ours, key):
        theirs = self.of_keras[key]
        if not self.has_exact:
            return [(ours, theirs)]
        exact = self.of_keras[f"exact {key}"]
        return [(ours, theirs), (ours, exact), (theirs, exact)]

    def _of_steps(self, is_frozen):
        size, options = NETWORKS[self.name]
        path = self.folder / f"{self.name}-{self.floatx}-base.weights.h5"
        steps = Steps(
            partial(base_of, getattr(distnet.applications, self.name), size, options, path),
            is_frozen, self.of_keras["x"],
        )  # fmt: skip
        losses = self._pairs(steps.losses, f"losses {is_frozen}")
        weights = [self._pairs(own, f"weight {is_frozen} {i}") for i, own in enumerate(steps.after)]
        by_pair = [[list(side) for side in zip(*pairs, strict=True)] for pairs in zip(*weights, strict=True)]
        return [
            steps.apart(a, weights_a, b, weights_b)
            for (a, b), (weights_a, weights_b) in zip(losses, by_pair, strict=True)
        ]


def limit_of(what, floatx):
    if what.startswith("predicted"):
        return PREDICTED[floatx]
    if what.startswith("probabilities"):
        return np.inf  # few of them are far from 0 and 1, where they magnify what the line before says
    return CHANGED[floatx] if what.startswith("changes") else LEARNED


def verdict_of(limit, far, ours=None, theirs=None):
    """Whether two results are equal, or apart by no more than Keras's own rounding."""
    if far <= limit:
        return ""
    return "ROUNDING, as Keras's" if ours is not None and ours <= AS_KERAS * theirs else TOO_FAR


def ask_keras(python, folder, floatx, names, how):
    """Let Keras write what is not there yet."""
    wanted = [name for name in names if not (folder / f"{name}-{floatx}.npz").exists()]
    if wanted:
        script = str(Path(__file__).parent / "applications_in_keras.py")
        subprocess.run([python, script, str(folder), floatx, *how, *wanted], check=True, env=dict(os.environ))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--floatx", default="float32", choices=PREDICTED)
    parser.add_argument("--kind", action="append", choices=KINDS, help="of file; by default every")
    how = {"action": "append_const", "dest": "how", "default": []}
    parser.add_argument("--predictions", **how, const="predictions", help="train nothing")
    parser.add_argument("--own-statistics", **how, const="own-statistics", help="moving, of the images predicted")
    options = parser.parse_intermixed_args()
    names = options.names or list(NETWORKS)
    ask_keras(options.python, options.folder, options.floatx, names, options.how)
    is_equal = True
    for name in names:
        comparison = Comparison(name, options.folder, options.floatx, options.kind or KINDS)
        for what, distances in comparison.distances().items():
            verdict = verdict_of(limit_of(what, options.floatx), *distances)
            is_equal &= verdict != TOO_FAR
            print(f"{name:20} {what:24} {' '.join(f'{far:.1e}' for far in distances)}   {verdict}", flush=True)
    raise SystemExit(0 if is_equal else 1)


if __name__ == "__main__":
    main()
