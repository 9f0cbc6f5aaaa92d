"""Damage files in many ways and read each.

    python tests/tools/fuzz.py [--count 10000] [--seed 0] [--ranks 2] [FILE ...]

Without FILEs, a file of each kind that distnet writes is damaged: ``fuzz_files.py`` says how they are read. Every
damaged file must be read or raise CheckpointError: a process that dies, or takes longer than 30 s or more than 1 GiB,
is reported, and so is any other exception, and any attempt to run something.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import select
import subprocess
import sys
import tempfile
import time
import types
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

LIMIT_S = 30.0
LIMIT_KIB = 2**20
ADDRESS_BYTES = 3 << 30
"""What a process may ask for: a file that makes it ask for more is at fault, and the machine lives on."""

FORBIDDEN = ("os.system", "os.exec", "os.posix_spawn", "pickle.find_class", "socket.connect", "ctypes.dlopen")


@dataclass
class Tally:
    """How the damaged files were taken."""

    outcomes: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    most_kib: int = 0
    slowest_s: float = 0.0

    def fault(self, text: str) -> None:
        """Tell of a fault at once: the run may take an hour."""
        self.faults.append(text)
        print(text, file=sys.stderr, flush=True)


def read_damaged_files(origins: list[Path], first: int, last: int) -> None:
    """Read mutations ``first`` to ``last``; a line of JSON for each, before and after it is read."""
    import distnet as keras
    from fuzz_files import ways_of
    from mutations import CANARY

    attempts: list[str] = []
    contents = [(origin.read_bytes(), *ways_of(origin)) for origin in origins]
    folder = Path(origins[0].parent, f"{first}")
    folder.mkdir(exist_ok=True)
    (folder / f"{CANARY}.py").write_text("")
    sys.path.insert(0, str(folder))
    keras.distribution.barrier()
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_BYTES, ADDRESS_BYTES))
    sys.addaudithook(lambda event, _: attempts.append(event) if event in FORBIDDEN and not is_from_a_rank() else None)
    rank = keras.distribution.rank()
    for seed in range(first, last):
        content, damage, ways = contents[seed % len(contents)]
        number = seed // len(contents)
        read, path = ways[number % len(ways)], folder / "damaged.h5"
        if rank == 0:
            path.write_bytes(damage(content, number))
            sys.stdout.write(json.dumps({"seed": seed}) + "\n")
            sys.stdout.flush()
        keras.distribution.barrier()
        found = attempt(read, path)
        if CANARY in sys.modules or attempts:
            found["outcome"] = f"tried {attempts.pop() if attempts else CANARY}"
        found["origin"] = f"{origins[seed % len(contents)].name}, {getattr(read, '__name__', read)}"
        keras.distribution.barrier()
        if rank == 0 or found["outcome"] not in ("read", "refused"):
            sys.stdout.write(json.dumps({"seed": seed, **found}) + "\n")
            sys.stdout.flush()


def is_from_a_rank() -> bool:
    """Whether what is unpickled right now is another rank's message: those modules touch no files."""
    frame: types.FrameType | None = sys._getframe()
    while frame is not None and Path(frame.f_code.co_filename).parts[-3:-1] != ("distnet", "comm"):
        frame = frame.f_back
    return frame is not None


def attempt(read: object, path: Path) -> dict[str, object]:
    """How a damaged file is taken, with the memory and the time that it took."""
    from distnet.errors import CheckpointError
    from distnet.saving import vetting

    Path("/proc/self/clear_refs").write_text("5")
    start = time.monotonic()
    try:
        read(path)
        outcome = "read"
    except CheckpointError as error:
        outcome = "refused" if str(path) in str(error) else f"names no file: {error}"
        if isinstance(error.__cause__, MemoryError):
            outcome = f"asked for too much memory: {error}"
    except BaseException as error:  # whatever else it is, is what is looked for
        outcome = f"{type(error).__name__}: {error}"
    seconds = time.monotonic() - start
    examiner = vetting._examiner._process
    pids = ["self", *([] if examiner is None else [examiner.pid])]
    return {"outcome": outcome[:500], "kib": max(map(peak_kib, pids)), "s": seconds}


def peak_kib(pid: object) -> int:
    """The most memory that a process has had."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0)


def run(origins: list[Path], first: int, last: int, ranks: int) -> Tally:
    """Read mutations in processes of their own, others after each that dies."""
    tally = Tally()
    launcher = [str(Path(sys.executable).with_name("mpiexec")), "-n", str(ranks)] if ranks > 1 else []
    environment = {**os.environ, "DISTNET_KERNELS": "numpy", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    while first < last:
        command = [*launcher, sys.executable, "-W", "ignore", __file__, "--read", str(first), str(last)]
        with subprocess.Popen(
            [*command, *map(str, origins)], stdout=subprocess.PIPE, bufsize=0, env=environment
        ) as process:
            first = follow(process, tally, first)
    return tally


def follow(process: subprocess.Popen[bytes], tally: Tally, seed: int) -> int:
    """Count what a process reports; return the seed to go on with."""
    reports = process.stdout
    if reports is None:
        raise SystemExit("the process has no output")
    while True:
        ready = select.select([reports], [], [], 2 * LIMIT_S)[0]
        line = reports.readline() if ready else b""
        if not line:
            process.terminate()
            if ready and process.wait() == 0:
                return seed
            tally.fault(f"{seed}: {'died' if ready else 'hung'} ({process.wait()})")
            return seed + 1
        report = json.loads(line)
        seed = report["seed"]
        if "outcome" not in report:
            continue
        is_text = "from_json" in report["origin"]  # without weights: nobody knows how large a model it may mean
        tally.slowest_s = max(tally.slowest_s, report["s"])
        tally.most_kib = tally.most_kib if is_text else max(tally.most_kib, report["kib"])
        tally.outcomes[report["outcome"] if report["outcome"] in ("read", "refused") else "other"] += 1
        if report["outcome"] not in ("read", "refused"):
            tally.fault(f"{seed}: {report['origin']}: {report['outcome']}")
        if report["s"] > LIMIT_S or (report["kib"] > LIMIT_KIB and not is_text):
            tally.fault(f"{seed}: {report['origin']}: took {report['s']:.1f} s, {report['kib']} KiB")
        seed += 1


def main() -> None:
    """Damage, read, report; end with 1 where a file was taken otherwise than it must be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--ranks", type=int, default=1)
    parser.add_argument("--read", nargs=2, type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.read:
        read_damaged_files(options.files, *options.read)
        return
    with tempfile.TemporaryDirectory() as folder:
        tally = run(files(options.files, Path(folder)), options.seed, options.seed + options.count, options.ranks)
    print(f"{sum(tally.outcomes.values())} files: {dict(tally.outcomes)}, {len(tally.faults)} faults")
    print(f"at most {tally.most_kib / 1024:.0f} MiB and {tally.slowest_s:.2f} s")
    sys.exit(bool(tally.faults))


def files(given: list[Path], folder: Path) -> list[Path]:
    """Copies of the files given, or one of each kind."""
    from fuzz_files import write_files

    for path in given:
        (folder / f"whole.{path.name}").write_bytes(path.read_bytes())
    return sorted(folder.iterdir()) or write_files(folder)


if __name__ == "__main__":
    main()
