"""Trainings that lose 1, 2 or 3 of 4 ranks, each held to what a training that lost none gives.

    python tests/tools/elastic_trials.py --trials 50        under Open MPI 5, of the Python that runs this

Which ranks die, and when, is drawn by chance: half of them at a named place of a step, the others from outside, at any
moment. Weights, optimizer's slots, history and the callbacks' files must be those of the undisturbed training: weights
and slots within 1e-10, in float64. Exit code 0 if all are. Prints the time from a death to the end of the next step of
the ranks that are left.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import zlib
from pathlib import Path

import numpy as np

from jobs import Ranks, RunningJob, mpiexec

PROGRAM = Path(__file__).parents[1] / "parallel" / "programs" / "elastic_training.py"
PLACES = ("forward", "exchange", "summed", "update", "updated", "validation")
OF_ROOT = ("on_train_batch_end", "on_epoch_begin", "on_epoch_end", "on_train_end")
HOW = ("SIGKILL", "SIGKILL", "SIGSEGV", "0")
OPTIMIZERS = ("adam", "sgd", "adamw")
SIZE, STEPS, EPOCHS = 4, 15, 3
TOLERANCE = 1e-10
LIMIT_S = 240.0
STARTS_WITHIN_S = 200.0


def drawn_plan(rng: random.Random, number: int) -> dict:
    """What is trained, and who dies when."""
    data = rng.choice(["arrays", "arrays", "sequence", "generator"])
    plan = {"optimizer": OPTIMIZERS[number % len(OPTIMIZERS)], "data": data}
    victims = rng.sample(range(1 if data == "generator" else 0, SIZE), 1 + number % 3)
    is_at_once = rng.random() < 0.4
    if number % 2:
        after_s = [rng.uniform(0, 1.5)] * len(victims) if is_at_once else [rng.uniform(0, 1.5) for _ in victims]
        return {**plan, "from_outside": sorted(zip(after_s, victims, strict=True)), "epochs": 6}
    at, place = rng.randint(2, STEPS - 3), rng.choice(PLACES[:-1])
    deaths = []
    for victim in victims:
        if not is_at_once:
            place = rng.choice(PLACES + (OF_ROOT if victim == 0 else ()))
            at = rng.randint(1, EPOCHS if "epoch" in place or place == "validation" else STEPS - 1)
        at = 1 if place == "on_train_end" else at
        if place == "validation" and data != "arrays":
            place = "forward"
        deaths.append([victim, place, at, rng.choice(HOW)])
    return {**plan, "deaths": deaths}


def launcher() -> tuple[str, ...]:
    """The command that starts ranks which outlive others."""
    return (*mpiexec(), "--with-ft", "ulfm", "-n", str(SIZE))


def kill_from_outside(job: RunningJob, folder: Path, plan: dict) -> None:
    """Kill the ranks, each so long after the first step."""
    job.wait_for(folder / "steps", STARTS_WITHIN_S)
    since = time.monotonic()
    for after_s, victim in plan["from_outside"]:
        time.sleep(max(0.0, since + after_s - time.monotonic()))
        process = int((folder / f"process-{victim}").read_text())
        folder.joinpath(f"died-{process}").write_text(f"{time.time()} from outside")
        try:
            os.kill(process, signal.SIGKILL)
        except ProcessLookupError:
            folder.joinpath(f"died-{process}").unlink()


def reference(plan: dict, folder: Path) -> Path:
    """What the training gives alone."""
    kept = {key: value for key, value in plan.items() if key not in ("deaths", "late", "from_outside")}
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
    steps = [tuple(map(float, line.split())) for line in (folder / "steps").read_text().splitlines()]
    seconds, size = [], float(SIZE)
    for at, ranks in steps:
        if ranks < size:
            size = ranks
            seconds.append(at - max(death for death in deaths if death < at))
    return len(deaths), seconds


def main() -> int:
    """Run the trials; return the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--trials", type=int, default=50)
    parser.add_argument("--first", type=int, default=0)
    options = parser.parse_args()
    failed, all_seconds, lost = 0, [], [0, 0, 0, 0]
    with tempfile.TemporaryDirectory() as name:
        for number in range(options.first, options.first + options.trials):
            plan = drawn_plan(random.Random(number), number)
            undisturbed = reference(plan, Path(name))
            folder = Path(name, str(number))
            folder.mkdir()
            job = Ranks(launcher(), folder).start(PROGRAM, folder, json.dumps(plan))
            if "from_outside" in plan:
                kill_from_outside(job, folder, plan)
            ended = job.wait(LIMIT_S)
            if ended.returncode or not (folder / "weights.npz").exists():
                problems = [f"it ended with exit code {ended.returncode}, and without weights"]
            else:
                problems = faults(folder, undisturbed)
            dead, seconds = recoveries(folder)
            lost[dead] += 1
            all_seconds += seconds
            failed += bool(problems)
            times = ", ".join(f"{each:.2f} s" for each in seconds)
            sys.stdout.write(f"{number} {json.dumps(plan)}: {dead} died, next step after {times or '-'}: ")
            sys.stdout.write(f"{'; '.join(problems) or 'as undisturbed'}\n")
            if problems:
                sys.stdout.write(f"{ended}\n")
            sys.stdout.flush()
    sys.stdout.write(
        f"{options.trials} trainings, {lost[1]} lost 1 rank, {lost[2]} lost 2, {lost[3]} lost 3, {lost[0]} none; "
        f"{failed} failed. From a death to the end of the next step: "
    )
    if all_seconds:
        sys.stdout.write(f"median {np.median(all_seconds):.2f} s, worst {max(all_seconds):.2f} s, of ")
    sys.stdout.write(f"{len(all_seconds)}\n")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
