"""What networks predict and learn on several ranks beside one, in float64.

python tests/tools/applications_on_ranks.py [--ranks 3] [NAME ...]

The whole network predicts five images; then three steps of SGD with a new head, the base frozen (rate 1e-4) and not
(1e-7). Kernels are as distnet draws them, losses near 1.
"""

import argparse
import subprocess
import sys
import tempfile
from functools import partial
from itertools import compress
from pathlib import Path

import numpy as np

import distnet
from application_cases import CLASSES, NUMBERS, SIBLINGS, fill, headed_near_one, losses_of_steps, pictures
from compare_applications import apart, changes_apart

ROWS = 5
"""Not the same number on each rank."""
LIMIT = 1e-10
NETWORKS = NUMBERS | SIBLINGS


def filled(name, **options):
    size, own = NETWORKS[name]
    distnet.utils.clear_session()
    distnet.utils.set_random_seed(3)
    make = getattr(distnet.applications, name)
    model = make(weights=None, input_shape=(size, size, 3), **own, **options)
    fill(model, keeps_kernels=True)
    return model


def numbers(name):
    """What this job computes, by name."""
    make = getattr(distnet.applications, name)
    x = sys.modules[make.__module__].preprocess_input(pictures(NETWORKS[name][0], ROWS, 6))
    every = {"predicted": filled(name, classes=CLASSES).predict(x, verbose=0)}
    for how, is_frozen in {"frozen": True, "trained": False}.items():
        model = headed_near_one(distnet, partial(filled, name, include_top=False, pooling="avg"), is_frozen)
        trained = {weight.path for weight in model.trainable_weights}
        every[f"{how} chosen"] = np.array([weight.path in trained for weight in model.weights])
        every |= {f"{how} before {i}": weight for i, weight in enumerate(model.get_weights())}
        every[f"{how} losses"] = np.array(losses_of_steps(model, x))
        every |= {f"{how} after {i}": weight for i, weight in enumerate(model.get_weights())}
    return every


def compute(name, path):
    distnet.config.set_floatx("float64")
    every = numbers(name)
    if distnet.distribution.is_chief():
        np.savez(path, **every)


def distances(alone, together):
    """What is compared -> how far two jobs are apart; changes of trained weights in units of all of them."""
    every = {"predicted": apart(together["predicted"], alone["predicted"])}
    for how in ("frozen", "trained"):
        chosen = alone[f"{how} chosen"]
        before, one, several = (
            [numbers_of[f"{how} {when} {i}"] for i in range(len(chosen))]
            for numbers_of, when in ((alone, "before"), (alone, "after"), (together, "after"))
        )
        every[f"losses, {how}"] = apart(together[f"{how} losses"], alone[f"{how} losses"])
        every[f"weights, {how}"] = max(apart(a, b, least=1.0) for a, b in zip(several, one, strict=True))
        every[f"changes, {how}"] = changes_apart(*(compress(arrays, chosen) for arrays in (before, several, one)))
    return every


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--ranks", type=int, default=3)
    parser.add_argument("--into", type=Path, help="compute here, and write the numbers to this file")
    options = parser.parse_intermixed_args()
    if options.into:
        compute(*options.names, options.into)
        return
    is_equal = True
    for name in options.names or list(NETWORKS):
        with tempfile.TemporaryDirectory() as folder:
            jobs = []
            for ranks in (1, options.ranks):
                path = str(Path(folder, f"{ranks}.npz"))
                start = ["mpirun", "-n", str(ranks)] if ranks > 1 else []
                subprocess.run([*start, sys.executable, __file__, name, "--into", path], check=True)
                jobs.append(np.load(path))
            far = distances(*jobs)
        is_equal &= all(far[what] <= LIMIT for what in far if not what.startswith("changes"))
        print(f"{name:20} {', '.join(f'{what} {value:.1e}' for what, value in far.items())}", flush=True)
    raise SystemExit(0 if is_equal else 1)


if __name__ == "__main__":
    main()
