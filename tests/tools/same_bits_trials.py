"""SHA-256 of the weights of five kinds of models, on 1 to 8 ranks and through kills and changes of that number.

    python tests/tools/same_bits_trials.py                  MPI of the Python that runs this

Each model trains alone without MPI, then on every number of ranks; slots, logs and predictions are compared, too. Then
it trains on 4 ranks until it is killed within an epoch, goes on on 3, is killed again, and ends on one: as a training
that nothing stopped. Prints the table; exit code 0 if all is equal.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from jobs import Ranks, mpiexec

PROGRAMS = Path(__file__).parents[1] / "parallel" / "programs"
MODELS = ("mlp", "cnn", "resnet", "lstm", "transformer")
KILLS = ((4, 5), (3, 9))
"""Ranks, and the step after which they are killed."""
SHOWN = 16
"""Digits of a digest, of 64."""


def ranks(n: int, folder: Path) -> Ranks:
    """Starts jobs of so many ranks; of none without MPI."""
    return Ranks((*mpiexec(), "-n", str(n)) if n else (), folder)


def trained_on(n: int, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """What comes of all models."""
    path = folder / f"{n}.json"
    environment = {"DISTNET_KERNELS": options.kernels}
    job = ranks(n, folder).run(PROGRAMS / "same_bits.py", path, *MODELS, env=environment, timeout=options.timeout)
    job.succeeded()
    came: dict[str, Any] = json.loads(path.read_text())
    return came


def through_kills(model: str, kills: tuple[tuple[int, int], ...], folder: Path, options: argparse.Namespace) -> Any:
    """What comes of a training that is killed on each of these numbers of ranks, and ends without MPI."""
    folder.mkdir()
    for n, step in (*kills, (0, 0)):
        job = ranks(n, folder).run(
            PROGRAMS / "same_bits_killed.py", folder, step, model, env={"DISTNET_KERNELS": options.kernels},
            timeout=options.timeout,
        )  # fmt: skip
        if (job.returncode == 0) != (step == 0):
            raise SystemExit(f"{model} on {n} ranks, to be killed at step {step}, ended with {job.returncode}: {job}")
    return json.loads((folder / "came.json").read_text())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ranks", type=int, nargs="+", default=[1, 2, 3, 4, 5, 8])
    parser.add_argument("--kernels", choices=("numba", "numpy"), default="numba")
    parser.add_argument("--timeout", type=float, default=600.0, help="seconds for each job")
    options = parser.parse_args()
    wrong = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        each = {n: trained_on(n, folder, options) for n in (0, *options.ranks)}
        print(f"| model | SHA-256 of the weights, without MPI | {' | '.join(map(str, options.ranks))} | killed |")
        print("|---|---|" + "---|" * (len(options.ranks) + 1))
        for model in MODELS:
            told = ["same" if each[n][model] == each[0][model] else "OTHER" for n in options.ranks]
            whole, killed = (
                through_kills(model, kills, folder / f"{model}{len(kills)}", options) for kills in ((), KILLS)
            )
            told.append(f"same, {killed['weights'][:SHOWN]}" if killed == whole else "OTHER")
            wrong += told.count("OTHER")
            print(f"| {model} | {each[0][model]['weights'][:SHOWN]} | {' | '.join(told)} |", flush=True)
    return min(wrong, 1)


if __name__ == "__main__":
    sys.exit(main())
