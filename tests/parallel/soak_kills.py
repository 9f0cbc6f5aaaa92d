"""Kill one training over and over, and hold its end to that of a training that nothing stopped.

    python tests/parallel/soak_kills.py --kills 200             each start on 1 to 4 ranks, by chance
    python tests/parallel/soak_kills.py --kills 200 --ranks 2   always on 2: the same end, bit for bit

Each start is ended by SIGKILL to one rank or to all, at a random moment or, every second time, while a checkpoint
is being written. After each kill every file there is must load. Exit code 0 if the end is the same.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
from conftest import Ranks, RunningJob, mpiexec

from distnet.models import load_model

PROGRAM = Path(__file__).parent / "programs" / "long_training.py"
START_S, END_S, LONGEST_S = 120, 30, 1800


def start(ranks: int, folder: Path, *arguments: object) -> RunningJob:
    launcher = () if ranks == 1 else (*mpiexec(), "-n", str(ranks))
    return Ranks(launcher, folder).start(PROGRAM, folder, *arguments)


def is_being_written(folder: Path) -> bool:
    return any(name.endswith(".tmp") for name in os.listdir(folder) if name.startswith("."))


def modified(path: Path) -> float:
    return path.stat().st_mtime if path.exists() else 0.0


def wait_for_a_backup(job: RunningJob, latest: Path, since: float) -> bool:
    """Whether the job has come so far as to write a backup; False once it has ended."""
    deadline = time.monotonic() + START_S
    while modified(latest) <= since:
        if job.process.poll() is not None:
            return False
        if time.monotonic() > deadline:
            job.kill()
            raise SystemExit(f"no backup within {START_S} s:\n{job.wait(1)}")
        time.sleep(0.002)
    return True


def kill(job: RunningJob, folder: Path, ranks: int, rng: random.Random, within_write: bool) -> str:
    """Kill a rank, or all, at some moment; tell which."""
    time.sleep(rng.uniform(0, 0.4))
    deadline = time.monotonic() + 1
    while within_write and not is_being_written(folder / "backup") and time.monotonic() < deadline:
        if job.process.poll() is not None:
            break
    killed = rng.randrange(ranks + 1) if ranks > 1 else ranks
    if killed < ranks:
        try:
            os.kill(int((folder / f"rank{killed}").read_text()), signal.SIGKILL)
        except ProcessLookupError:
            return "none, it had ended"
        job.process.wait(END_S)
    job.kill()
    return "all" if killed == ranks else f"rank {killed}"


def check_files(folder: Path) -> int:
    """Load every file of the training; return the step of its backup."""
    for path in folder.rglob("*.h5"):
        model = load_model(path)
        if path.name == "latest.h5":
            step = model.training_state.step
    return step


def compare(found: Path, expected: Path, tolerance: float) -> list[str]:
    """What differs between the ends of two trainings."""
    with np.load(found / "end.npz") as a, np.load(expected / "end.npz") as b:
        if list(a) != list(b):
            return [f"{list(a)} instead of {list(b)}"]
        apart = {
            key: np.max(np.abs(a[key] - b[key]), initial=0) if a[key].shape == b[key].shape else np.inf for key in b
        }
    print(f"largest differences: {max((float(d), key) for key, d in apart.items())}, tolerance {tolerance}")
    wrong = [f"{key} by {difference}" for key, difference in apart.items() if not difference <= tolerance]
    logs = [np.genfromtxt(folder / "log.csv", delimiter=",", names=True) for folder in (found, expected)]
    if logs[0].dtype.names != logs[1].dtype.names or logs[0].shape != logs[1].shape:
        return [*wrong, f"log.csv has {logs[0].shape} lines instead of {logs[1].shape}"]
    for name in logs[0].dtype.names:
        if not np.allclose(logs[0][name], logs[1][name], rtol=0, atol=tolerance, equal_nan=True):
            wrong.append(f"log.csv, {name}")
    if tolerance == 0 and (found / "log.csv").read_bytes() != (expected / "log.csv").read_bytes():
        wrong.append("log.csv, some byte")
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--ranks", type=int, default=0, help="of each start; 0: 1 to 4 by chance")
    parser.add_argument("--epochs", type=int, default=0, help="by default 3 for each kill")
    parser.add_argument("--save-freq", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng, epochs = random.Random(options.seed), options.epochs or 3 * options.kills
    with tempfile.TemporaryDirectory() as made:
        whole, broken = Path(made) / "whole", Path(made) / "broken"
        whole.mkdir(), broken.mkdir()
        start(options.ranks or 1, whole, epochs, 0).wait(LONGEST_S).succeeded()
        latest, kills, starts = broken / "backup" / "latest.h5", 0, 0
        while not (broken / "end.npz").exists():
            ranks, starts, began = options.ranks or rng.randint(1, 4), starts + 1, time.monotonic()
            job = start(ranks, broken, epochs, options.save_freq)
            if kills >= options.kills or not wait_for_a_backup(job, latest, modified(latest)):
                job.wait(LONGEST_S).succeeded()
                continue
            killed = kill(job, broken, ranks, rng, within_write=kills % 2 == 0)
            kills += 1
            torn = len(list((broken / "backup").glob(".*.tmp")))
            print(
                f"kill {kills}: {killed} of {ranks}, {time.monotonic() - began:.1f} s after the start, step "
                f"{check_files(broken)}, {torn} torn temporary files",
                flush=True,
            )
        wrong = compare(broken, whole, 0.0 if options.ranks else 1e-10)
        print(f"{kills} kills, {starts} starts, {epochs} epochs: {'; '.join(wrong) or 'the same end'}")
        return 0 if not wrong and kills == options.kills else 1


if __name__ == "__main__":
    sys.exit(main())
