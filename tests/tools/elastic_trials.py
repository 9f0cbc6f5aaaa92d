"""Trainings that lose 1, 2 or 3 of 4 ranks, each held to what a training that lost none gives.

    python tests/tools/elastic_trials.py --trials 50        under Open MPI 5, of the Python that runs this
    python tests/tools/elastic_trials.py --machines         the same on two pretended machines, as root

Which ranks die, and when, is drawn by chance: half of them at a named place of a step, the others by the clock, in any
phase of any step. Weights, optimizer's slots, history and the callbacks' files must be those of the undisturbed
training: weights and slots within 1e-10, in float64. A job that hangs fails, and is shown with the phase and the stacks
of every rank. Exit code 0 if none fails. Prints the time from a death to the end of the next step of the ranks that are
left.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from jobs import Ranks, mpiexec
from pretended_machines import PretendedMachines, reason_not_to
from stuck_jobs import shown

PROGRAM = Path(__file__).parents[1] / "parallel" / "programs" / "elastic_training.py"
PLACES = ("forward", "exchange", "summed", "update", "updated", "settle", "validation")
OF_ROOT = ("on_train_batch_end", "on_epoch_begin", "on_epoch_end", "on_train_end")
HOW = ("SIGKILL", "SIGKILL", "SIGSEGV", "0")
OPTIMIZERS = ("adam", "sgd", "adamw")
SIZE, STEPS, EPOCHS = 4, 15, 3
ONCE = ("settle", "on_train_end")
LONGEST_PHASE = 1.5
"""In lengths of a step: past its end lie the hooks, after an epoch's last one the validation."""
TOLERANCE = 1e-10
TIMEOUT_S = 60.0
"""The jobs' own limit, at which they end by name."""
HANGS_S = 150.0


def drawn_plan(rng: random.Random, number: int) -> dict[str, Any]:
    """What is trained, and who dies when."""
    data = rng.choice(["arrays", "arrays", "sequence", "generator"])
    plan = {"optimizer": OPTIMIZERS[number % len(OPTIMIZERS)], "data": data}
    victims = rng.sample(range(1 if data == "generator" else 0, SIZE), 1 + number % 3)
    is_at_once = rng.random() < 0.4
    if number % 2:
        return {**plan, "epochs": 2 * EPOCHS, "deaths": _by_the_clock(rng, victims, is_at_once, 2 * STEPS)}
    at, place = rng.randint(2, STEPS - 3), rng.choice(PLACES[:-2])
    deaths = []
    for victim in victims:
        if not is_at_once:
            place = rng.choice(PLACES + (OF_ROOT if victim == 0 else ()))
            at = rng.randint(1, EPOCHS if "epoch" in place or place == "validation" else STEPS - 1)
        at = 1 if place in ONCE else at
        if place == "validation" and data != "arrays":
            place = "forward"
        deaths.append([victim, place, at, rng.choice(HOW)])
    return {**plan, "deaths": deaths}


def _by_the_clock(rng: random.Random, victims: list[int], is_at_once: bool, steps: int) -> list[list[Any]]:
    """Deaths each so long after the beginning of a step; of the first, no rank knows yet how long one takes."""
    moment = rng.randint(2, steps), rng.uniform(0, LONGEST_PHASE)
    deaths = []
    for victim in victims:
        step, phase = moment if is_at_once else (rng.randint(2, steps), rng.uniform(0, LONGEST_PHASE))
        deaths.append([victim, "forward", step, phase])
    return deaths


def launcher(machines: PretendedMachines | None) -> tuple[str, ...]:
    """The command that starts ranks which outlive others, on this machine or on pretended ones."""
    outliving = (*mpiexec(), "--with-ft", "ulfm")
    return (*outliving, "-n", str(SIZE)) if machines is None else machines.launcher(outliving, SIZE)


def reference(plan: Mapping[str, Any], folder: Path) -> Path:
    """What the training gives alone."""
    kept = {key: value for key, value in plan.items() if key not in ("deaths", "late")}
    own = folder / f"alone-{zlib.crc32(json.dumps(kept).encode())}"
    if not own.exists():
        own.mkdir()
        environment = {**os.environ, "DISTNET_KERNELS": "numpy"}
        subprocess.run([sys.executable, PROGRAM, own, json.dumps(kept)], check=True, env=environment)
    return own


def faults(folder: Path, undisturbed: Path) -> list[str]:
    """What differs."""
    told, expected = (json.loads((path / "told.json").read_text()) for path in (folder, undisturbed))
    faults = []
    with np.load(folder / "weights.npz") as ours, np.load(undisturbed / "weights.npz") as theirs:
        worst = max(float(np.abs(ours[name] - theirs[name]).max()) for name in theirs.files)
    if not worst <= TOLERANCE:
        faults.append(f"weights or slots differ by {worst:.1e}")
    for key, values in expected["history"].items():
        if not np.allclose(told["history"].get(key, []), values, rtol=0, atol=TOLERANCE):
            faults.append(f"history[{key!r}] is {told['history'].get(key)}, expected {values}")
    for name in ("hooks.json", "log.csv"):
        lines, wanted = ((path / name).read_text().count("\n") for path in (folder, undisturbed))
        if lines != wanted:
            faults.append(f"{name} has {lines} lines, expected {wanted}")
    hooks, wanted_hooks = ((path / "hooks.json").read_text() for path in (folder, undisturbed))
    if hooks != wanted_hooks:
        faults.append(f"hooks are {hooks}, expected {wanted_hooks}")
    return faults


def recoveries(folder: Path) -> tuple[int, list[float]]:
    """How many died, and how long each time until the next step of those left had ended."""
    deaths = sorted(float(path.read_text().split()[0]) for path in folder.glob("died-*"))
    noted = folder / "steps"
    steps = [tuple(map(float, line.split())) for line in noted.read_text().splitlines()] if noted.exists() else []
    seconds, size = [], float(SIZE)
    for at, ranks in steps:
        if ranks < size:
            size = ranks
            seconds.append(at - deaths[SIZE - int(ranks) - 1])
    return len(deaths), seconds


@dataclass
class Trial:
    """What came of one training.

    Args:
        dead: how many died.
        seconds: from each death to the end of the next step.
        problems: what does not hold.
        said: what the job wrote, or where it hangs; for problems only.
    """

    dead: int
    seconds: list[float]
    problems: list[str]
    said: str = ""


def trial(plan: Mapping[str, Any], folder: Path, undisturbed: Path, start: tuple[str, ...]) -> Trial:
    """Run one training.

    Args:
        start: the command that starts ranks.
    """
    settings = {"DISTNET_TIMEOUT_S": f"{TIMEOUT_S:g}"}
    job = Ranks(start, folder).start(PROGRAM, folder, json.dumps(plan), env=settings)
    try:
        job.process.wait(HANGS_S)
    except subprocess.TimeoutExpired:
        said = shown(job)
        job.kill()
        return Trial(*recoveries(folder), [f"it had not ended after {HANGS_S:g} s"], said)
    ended = job.wait(HANGS_S)
    if ended.returncode or not (folder / "weights.npz").exists():
        problems = [f"it ended with exit code {ended.returncode}, and without weights"]
    else:
        problems = faults(folder, undisturbed)
    return Trial(*recoveries(folder), problems, ended.stderr if problems else "")


def summary(trials: list[Trial]) -> str:
    """The counts of all trials."""
    lost = [sum(each.dead == count for each in trials) for count in range(SIZE)]
    failed = sum(bool(each.problems) for each in trials)
    seconds = [each for one in trials for each in one.seconds]
    times = f"median {np.median(seconds):.2f} s, worst {max(seconds):.2f} s, of " if seconds else ""
    return (
        f"{len(trials)} trainings, {lost[1]} lost 1 rank, {lost[2]} lost 2, {lost[3]} lost 3, {lost[0]} none; "
        f"{failed} failed. From a death to the end of the next step: {times}{len(seconds)}\n"
    )


def main() -> int:
    """Run the trials; return the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--trials", type=int, default=50)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument(
        "--machines", action="store_true", help="two pretended ones, half of the ranks on each, as root"
    )
    options = parser.parse_args()
    if options.machines and (reason := reason_not_to()):
        raise SystemExit(f"no machines can be pretended here: this {reason}.")
    trials = []
    with tempfile.TemporaryDirectory() as name:
        for number in range(options.first, options.first + options.trials):
            plan = drawn_plan(random.Random(number), number)
            undisturbed, folder = reference(plan, Path(name)), Path(name, str(number))
            folder.mkdir()
            with PretendedMachines() if options.machines else contextlib.nullcontext() as machines:
                each = trial(plan, folder, undisturbed, launcher(machines))
            trials.append(each)
            times = ", ".join(f"{seconds:.2f} s" for seconds in each.seconds)
            sys.stdout.write(f"{number} {json.dumps(plan)}: {each.dead} died, next step after {times or '-'}: ")
            sys.stdout.write(f"{'; '.join(each.problems) or 'as undisturbed'}\n{each.said}")
            sys.stdout.flush()
    sys.stdout.write(summary(trials))
    return int(any(each.problems for each in trials))


if __name__ == "__main__":
    raise SystemExit(main())
