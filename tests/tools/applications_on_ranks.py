"""What networks predict and learn on several ranks beside one.

python tests/tools/applications_on_ranks.py [--ranks 3] [--floatx float64] [--own-statistics]
                                            [NAME ...]

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
from application_cases import CLASSES, NUMBERS, SIBLINGS, fill, headed_near_one, losses_of_steps, normalize_by, pictures
from compare_applications import apart, changes_apart

ROWS = 5
"""Not the same number on each rank."""
LIMITS = {"float32": 1e-4, "float64": 1e-10}
NETWORKS = NUMBERS | SIBLINGS


def filled(name, statistics_of=None, **options):
    size, own = NETWORKS[name]
    distnet.utils.clear_session()
    distnet.utils.set_random_seed(3)
    make = getattr(distnet.applications, name)
    model = make(weights=None, input_shape=(size, size, 3), **own, **options)
    fill(model, keeps_kernels=True)
    if statistics_of is not None:
        normalize_by(distnet, model, statistics_of)
    return model


def write_numbers(name, folder, has_own_statistics):
    """Compute, and let rank 0 write each array into a file as soon as it is known: some networks are large."""
    make = getattr(distnet.applications, name)
    x = sys.modules[make.__module__].preprocess_input(pictures(NETWORKS[name][0], ROWS, 6))

    def write(what, array):
        if distnet.distribution.is_chief():
            np.save(folder / f"{what}.npy", array)

    def write_weights(what, model):
        for i, weight in enumerate(model.weights):
            write(f"{what} {i}", weight.numpy())

    make_filled = partial(filled, name, x if has_own_statistics else None)
    write("predicted", make_filled(classes=CLASSES).predict(x, verbose=0))
    for how, is_frozen in {"frozen": True, "trained": False}.items():
        model = headed_near_one(distnet, partial(make_filled, include_top=False, pooling="avg"), is_frozen)
        trained = {weight.path for weight in model.trainable_weights}
        write(f"{how} chosen", [weight.path in trained for weight in model.weights])
        write_weights(f"{how} before", model)
        write(f"{how} losses", losses_of_steps(model, x))
        write_weights(f"{how} after", model)


def distances(alone, together):
    """What is compared -> how far two jobs are apart; changes of trained weights in units of all of them.

    Args:
        alone: the folder that one rank wrote into.
        together: that of several ranks.
    """
    every = {"predicted": far(together, alone, "predicted")}
    for how in ("frozen", "trained"):
        chosen = of(alone, f"{how} chosen")
        after = [f"{how} after {i}" for i in range(len(chosen))]
        before = [f"{how} before {i}" for i in range(len(chosen))]
        sides = [
            map(partial(of, folder), compress(names, chosen))
            for folder, names in ((alone, before), (together, after), (alone, after))
        ]
        every[f"losses, {how}"] = far(together, alone, f"{how} losses")
        every[f"weights, {how}"] = max(far(together, alone, each, least=1.0) for each in after)
        every[f"changes, {how}"] = changes_apart(*sides)
    return every


def of(folder, what):
    return np.load(folder / f"{what}.npy")


def far(folder, other, what, least=0.0):
    return apart(of(folder, what), of(other, what), least)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--ranks", type=int, default=3)
    parser.add_argument("--floatx", default="float64", choices=LIMITS, help="float32 needs half the memory")
    parser.add_argument("--own-statistics", action="store_true", help="moving, of the images predicted")
    parser.add_argument("--into", type=Path, help="compute here, and write the numbers into this folder")
    options = parser.parse_intermixed_args()
    if options.into:
        distnet.config.set_floatx(options.floatx)
        write_numbers(*options.names, options.into, options.own_statistics)
        return
    is_equal = True
    for name in options.names or list(NETWORKS):
        with tempfile.TemporaryDirectory() as folder:
            jobs = []
            for ranks in (1, options.ranks):
                jobs.append(Path(folder, str(ranks)))
                jobs[-1].mkdir()
                start = ["mpirun", "-n", str(ranks)] if ranks > 1 else []
                how = ["--floatx", options.floatx, *["--own-statistics"] * options.own_statistics]
                command = [sys.executable, __file__, name, *how, "--into", str(jobs[-1])]
                subprocess.run([*start, *command], check=True)
            every = distances(*jobs)
        limit = LIMITS[options.floatx]
        is_equal &= all(value <= limit for what, value in every.items() if not what.startswith("changes"))
        print(f"{name:20} {', '.join(f'{what} {value:.1e}' for what, value in every.items())}", flush=True)
    raise SystemExit(0 if is_equal else 1)


if __name__ == "__main__":
    main()
