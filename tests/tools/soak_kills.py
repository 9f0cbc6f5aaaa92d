"""Kill one training over and over, and hold its end to that of a training that nothing stopped.

    python tests/tools/soak_kills.py --kills 200             each start on 1 to 4 ranks, by chance
    python tests/tools/soak_kills.py --kills 200 --ranks 2   always on 2: the same end, bit for bit

Each start is ended by SIGKILL to one rank or to all: once in six times at any moment from the start of the processes
on, else when it has made a new backup, at a random moment or, every second time, while a checkpoint is being
written. After each kill the job must end by itself, and every file there is must load. Exit code 0 if the end is
the same.
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

from distnet.models import load_model
from jobs import Ranks, RunningJob, mpiexec

PROGRAM = Path(__file__).parents[1] / "parallel" / "programs" / "long_training.py"
START_S, END_S, LONGEST_S = 120, 30, 1800
EARLY_SHARE, EARLY_S = 1 / 6, 2.5


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


def wait_for_the_moment(job: RunningJob, backup: Path, rng: random.Random, within_write: bool) -> None:
    """Return at a random moment, if possible while a file is being written."""
    time.sleep(rng.uniform(0, 0.4))
    deadline = time.monotonic() + 1
    while within_write and not is_being_written(backup) and time.monotonic() < deadline:
        if job.process.poll() is not None:
            break


def kill(job: RunningJob, ranks: int, rng: random.Random) -> str:
    """Kill a rank, or all, and see the others end; tell which."""
    processes = rank_processes(job)
    killed = rng.randrange(ranks + 1) if ranks > 1 else ranks
    if killed < ranks and killed not in processes:
        killed = ranks  # it has not begun, or it has ended
    if killed < ranks:
        try:
            os.kill(processes[killed], signal.SIGKILL)
        except ProcessLookupError:
            return "none, it had ended"
        job.process.wait(END_S)
    job.kill()
    return "all" if killed == ranks else f"rank {killed}"


def rank_processes(job: RunningJob) -> dict[int, int]:
    """The ranks that run this program now, and their processes."""
    found = {}
    for process in job.members():
        try:
            command = Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")
            environment = Path(f"/proc/{process}/environ").read_bytes().split(b"\0")
        except OSError:
            continue
        rank = [
            line.split(b"=")[1] for line in environment if line.startswith((b"PMI_RANK=", b"OMPI_COMM_WORLD_RANK="))
        ]
        if rank and os.fsencode(PROGRAM) in command:
            found[int(rank[0])] = process
    return found


def check_files(folder: Path) -> int:
    """Load every file of the training; return the step of its backup, 0 where there is none yet."""
    step = 0
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
    parser.add_argument("--epochs", type=int, default=0, help="by default 6 for each kill")
    parser.add_argument("--save-freq", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng, epochs = random.Random(options.seed), options.epochs or 6 * options.kills
    with tempfile.TemporaryDirectory() as made:
        whole, broken = Path(made) / "whole", Path(made) / "broken"
        whole.mkdir(), broken.mkdir()
        start(options.ranks or 1, whole, epochs, 0).wait(LONGEST_S).succeeded()
        latest, kills, starts, unborn = broken / "backup" / "latest.h5", 0, 0, 0
        while not (broken / "end.npz").exists():
            ranks, starts = options.ranks or rng.randint(1, 4), starts + 1
            is_early, began, last = rng.random() < EARLY_SHARE, time.monotonic(), modified(latest)
            job = start(ranks, broken, epochs, options.save_freq, rng.choice((1, 1, 2, 3)))
            if kills >= options.kills or (not is_early and not wait_for_a_backup(job, latest, last)):
                job.wait(LONGEST_S).succeeded()
                continue
            if is_early:
                time.sleep(rng.uniform(0, EARLY_S))
            else:
                wait_for_the_moment(job, broken / "backup", rng, within_write=kills % 2 == 0)
            ended = f"{time.monotonic() - began:.2f} s after the start"
            killed = kill(job, ranks, rng)
            kills, unborn = kills + 1, unborn + (modified(latest) == last)
            torn = len(list((broken / "backup").glob(".*.tmp")))
            print(f"kill {kills}: {killed} of {ranks}, {ended}, step {check_files(broken)}, {torn} torn", flush=True)
        wrong = compare(broken, whole, 0.0 if options.ranks else 1e-10)
        print(
            f"{kills} kills, {unborn} of them before the start's first backup, {starts} starts, {epochs} epochs: "
            f"{'; '.join(wrong) or 'the same end'}"
        )
        return 0 if not wrong and kills == options.kills else 1


if __name__ == "__main__":
    sys.exit(main())
