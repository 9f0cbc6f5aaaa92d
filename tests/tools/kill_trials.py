"""Let one rank end a job in every way that is known, and hold each job to what must hold of it.

    python tests/tools/kill_trials.py --trials 60 --limit 6         MPI of this environment, under 'distnet run'
    python tests/tools/kill_trials.py --trials 60 --plain           under its mpirun, as it stands
    python tests/tools/kill_trials.py --trials 60 --machines        the same on two pretended machines, as root

Each job must end by itself within the limit plus 10 s, with an exit code other than 0, and with the rank and the cause
on standard error; no process and no segment in /dev/shm may be left, and the last backup must be whole. The numbers of
ranks (2 to 4), the rank that ends, its step and the order of the ways are drawn by chance. Exit code 0 if all of it
holds.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from distnet.errors import DistnetError
from distnet.models import load_model
from jobs import Ranks, RunningJob, mpiexec
from pretended_machines import PretendedMachines, reason_not_to
from stuck_jobs import shown

PROGRAM = Path(__file__).parents[1] / "parallel" / "programs" / "ways_to_end.py"
KILLED = r"SIGKILL|signal 9|(?m:^Killed$)"
"""The last is what a shell says of the program that it waits for: a script around the rank."""
NAMED = r"(?i:rank {rank}\b)|\[prterun-.*@\d+,{rank}\]"
"""By distnet, or by Open MPI's launcher, which speaks first where a rank ends before the others have joined."""
WITHIN_CALLS = ("evaluate", "predict", "train_on_batch", "validation", "saving")
WAYS = {
    **{f"{place}:SIGKILL": KILLED for place in ("layer", "before", "after")},
    **{f"{place}:SIGSTOP": "SIGSTOP" for place in ("layer", "before", "after")},
    **{f"{place}:SIGSEGV": r"SIGSEGV|signal 11|Segmentation fault" for place in ("layer", "before", "after")},
    **{f"{place}:raise": "boom" for place in ("layer", "callback", "loss", "metric", "before", "after")},
    **{f"{place}:raise": "boom" for place in ("generator", "data")},
    **{f"{place}:sys.exit": NAMED for place in ("layer", "before", "after")},
    **{f"{place}:os._exit(0)": NAMED for place in ("layer", "before", "after")},
    "layer:sys.exit(0)": NAMED,
    **{f"{place}:SIGKILL": KILLED for place in WITHIN_CALLS},
    **{f"{place}:raise": "boom" for place in WITHIN_CALLS},
    **{f"{place}:MemoryError": "MemoryError" for place in ("layer", "after")},
    **{f"{place}:child": "boom" for place in ("layer", "before")},
    "layer:subprocess": "CalledProcessError",
    "layer:thread dies": KILLED,
    "thread:raise": "boom",
}
"""What one rank does -> what standard error must say of it."""
ON_RANK_0 = ("callback", "generator", "saving")
START_S = 10.0
WRAPPER = '#!/bin/sh\n"$@"\nexit $?\n'


def segments() -> set[str]:
    """What this MPI put in /dev/shm and no process has mapped; what other jobs on this machine use is mapped."""
    listed = os.listdir("/dev/shm") if os.path.isdir("/dev/shm") else []
    is_open_mpi = "--oversubscribe" in mpiexec()
    of_mpi = ("ompi", "vader", "sm_segment") if is_open_mpi else ("mpich",)
    names = {name for name in listed if name.startswith(of_mpi)}
    mapped = ""
    for path in Path("/proc").glob("[0-9]*/maps"):
        with contextlib.suppress(OSError):
            mapped += path.read_text(errors="replace")
    return {name for name in names if name not in mapped}


def launcher(
    options: argparse.Namespace, ranks: int, wrapper: Path | None, machines: PretendedMachines | None
) -> tuple[str, ...]:
    """What starts a job."""
    if options.plain:
        return (*mpiexec(), "-n", str(ranks), *((str(wrapper),) if wrapper else ()))
    run = (sys.executable, "-m", "distnet", "run", "-n", str(ranks), "--timeout", f"{options.limit:g}", "--seed", "1")
    if machines is None:
        return run
    return (*machines.entered, *run, "--hosts", ",".join(f"{host}:{ranks // 2}" for host in machines.hosts))


def trial(options: argparse.Namespace, way: str, rng: random.Random, folder: Path) -> list[str]:
    """What does not hold of one job."""
    ranks = rng.choice((2, 4)) if options.machines else rng.randint(2, 4)
    rank = 0 if way.partition(":")[0] in ON_RANK_0 else rng.randrange(ranks)
    wrapper = None
    if options.plain and rng.random() < 0.3:
        wrapper = folder / "wrap.sh"
        wrapper.write_text(WRAPPER)
        wrapper.chmod(0o755)
    backup, before = folder / "backup", segments()
    with contextlib.ExitStack() as stack:
        machines = stack.enter_context(PretendedMachines()) if options.machines else None
        started = Ranks(launcher(options, ranks, wrapper, machines), folder)
        settings = {} if machines is None else machines.settings
        job = start(started, [way, rank, rng.randint(2, 12), backup], options, settings)
        wrong, seconds = ended(job, options)
    said = job.err.read_text(errors="replace")
    wrong += ["exit code 0"] * (job.process.returncode == 0)
    lost = segments() - before
    wrong += [f"segments left: {lost}"] * bool(lost)
    cause = WAYS[way].format(rank=rank)
    if not re.search(cause, said):
        wrong.append(f"does not say {cause!r}")
    if not re.search(NAMED.format(rank=rank), said):
        wrong.append(f"does not name rank {rank}")
    wrong += not_whole(backup / "latest.h5")
    print(f"{way:22} {ranks} ranks, rank {rank}{' below a wrapper' if wrapper else ''}: {seconds:5.1f} s  "
          f"{'; '.join(wrong) or 'well'}", flush=True)  # fmt: skip
    if wrong and options.verbose:
        print(said[-3000:], flush=True)
    return wrong


def ended(job: RunningJob, options: argparse.Namespace) -> tuple[list[str], float]:
    """What does not hold of a job's end, at the latest now; and when it was."""
    longest = options.limit + 10 + START_S * options.slowness
    wrong = []
    try:
        job.process.wait(longest)
    except subprocess.TimeoutExpired:
        wrong.append(f"did not end within {longest:.0f} s")
        if options.verbose:
            print(shown(job), flush=True)
    seconds = time.monotonic() - job.start
    time.sleep(0.5)
    left = job.left()
    wrong += [f"processes left: {', '.join(left)}"] * bool(left)
    job.kill()
    return wrong, seconds


def not_whole(backup: Path) -> list[str]:
    """What is wrong with the last backup, if there is one."""
    if backup.exists():
        try:
            load_model(backup, compile=False)
        except DistnetError as error:
            if "Trap" not in str(error):
                return [f"the backup is not whole: {error}"]
    return []


def start(started: Ranks, arguments: list[object], options: argparse.Namespace, settings: dict[str, str]) -> RunningJob:
    """Start the job; ``distnet run`` takes the script, and no Python before it."""
    environment = {"DISTNET_TIMEOUT_S": f"{options.limit:g}", **settings}
    if options.plain:
        return started.start(PROGRAM, *arguments, env=environment)
    kept = {**os.environ, "DISTNET_KERNELS": "numpy", **environment}
    return RunningJob([*started.launcher, str(PROGRAM), *map(str, arguments)], kept, started.folder)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=len(WAYS))
    parser.add_argument("--limit", type=float, default=6.0, help="DISTNET_TIMEOUT_S of the jobs")
    parser.add_argument("--slowness", type=float, default=1.0, help="of this machine, for the time that a start takes")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--plain", action="store_true", help="start jobs by mpirun, not by distnet run")
    parser.add_argument("--machines", action="store_true", help="start them on two pretended machines, as root")
    parser.add_argument("--only", default="", help="ways that hold this text")
    parser.add_argument("--verbose", action="store_true", help="show what failing jobs say")
    options = parser.parse_args()
    if options.machines and (reason := reason_not_to()):
        raise SystemExit(f"no machines can be pretended here: this {reason}.")
    rng = random.Random(options.seed)
    ways = [way for way in WAYS if options.only in way]
    failures: collections.Counter[str] = collections.Counter()
    drawn = [way for _ in range(-(-options.trials // len(ways))) for way in rng.sample(ways, len(ways))]
    for way in drawn[: options.trials]:
        with tempfile.TemporaryDirectory() as folder:
            failures[way] += bool(trial(options, way, rng, Path(folder)))
    print(f"{options.trials} trials, {failures.total()} of which do not hold: {dict(+failures)}")
    return min(failures.total(), 1)


if __name__ == "__main__":
    raise SystemExit(main())
