"""Damage files in many ways and read each: python tests/saving/fuzz.py [--count 10000] [--seed 0] [FILE ...].

Without FILEs, a file of distnet's is damaged, as it is and without its seal, and an archive. Every damaged file
must be read or raise CheckpointError: a process that dies, or takes longer than 30 s or more than 1 GiB, is
reported, and so is any other exception, and any attempt to run something.
"""

from __future__ import annotations

import argparse
import json
import resource
import select
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from mutations import mutation

LIMIT_S = 30.0
LIMIT_KIB = 2**20


@dataclass
class Tally:
    """How the damaged files were taken."""

    outcomes: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    most_kib: int = 0
    slowest_s: float = 0.0


def example(*paths: Path) -> None:
    """Write files of distnet's with something of everything in them."""
    import numpy as np

    import distnet as keras
    from distnet import layers

    stack = [
        layers.Input(shape=(6, 6, 1)),
        layers.Conv2D(2, 3, activation="relu", kernel_regularizer="l2"),
        layers.BatchNormalization(),
        layers.Reshape((4, 8)),
        layers.LSTM(3, return_sequences=True),
        layers.Flatten(),
        layers.Dropout(0.1),
        layers.Dense(2, activation="softmax", kernel_constraint="max_norm"),
    ]
    model = keras.Sequential(stack)
    schedule = keras.optimizers.schedules.ExponentialDecay(0.01, 10, 0.9)
    metrics = ["accuracy", keras.metrics.AUC(num_thresholds=11), keras.metrics.MeanIoU(2)]
    model.compile(keras.optimizers.Adam(schedule, amsgrad=True), "categorical_crossentropy", metrics)
    x = np.random.default_rng(0).normal(size=(8, 6, 6, 1))
    model.fit(x, np.eye(2)[np.arange(8) % 2], epochs=2, verbose=0)
    for path in paths:
        model.save(path)


def read_damaged_files(origins: list[Path], first: int, last: int) -> None:
    """Read mutations ``first`` to ``last``; a line of JSON for each, before and after it is read."""
    from distnet.errors import CheckpointError
    from distnet.models import load_model

    forbidden = ("os.system", "os.exec", "os.posix_spawn", "pickle.find_class", "socket.connect", "ctypes.dlopen")
    attempts: list[str] = []
    load_model(origins[0])
    sys.addaudithook(lambda event, _: attempts.append(event) if event in forbidden else None)
    contents = [origin.read_bytes() for origin in origins]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "damaged.h5"
        for seed in range(first, last):
            path.write_bytes(mutation(contents[seed % len(contents)], seed // len(contents)))
            print(json.dumps({"seed": seed}), flush=True)
            start = time.monotonic()
            try:
                load_model(path)
                outcome = "read"
            except CheckpointError as error:
                outcome = "refused" if str(path) in str(error) else f"names no file: {error}"
            except BaseException as error:  # whatever else it is, is what is looked for
                outcome = f"{type(error).__name__}: {error}"
            if attempts:
                outcome = f"tried {attempts.pop()}"
            used = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
            found = {"seed": seed, "outcome": outcome, "kib": max(used), "s": time.monotonic() - start}
            print(json.dumps(found), flush=True)


def run(origins: list[Path], first: int, last: int) -> Tally:
    """Read mutations in processes of their own, another one after each that dies."""
    tally = Tally()
    while first < last:
        command = [sys.executable, "-W", "ignore", __file__, "--read", str(first), str(last), *map(str, origins)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            first = follow(process, tally, first)
    return tally


def follow(process: subprocess.Popen[str], tally: Tally, seed: int) -> int:
    """Count what a process reports; return the seed to go on with."""
    reports = process.stdout
    if reports is None:
        raise SystemExit("the process has no output")
    while True:
        ready = select.select([reports], [], [], 2 * LIMIT_S)[0]
        line = reports.readline() if ready else ""
        if not line:
            process.kill()
            if ready and process.wait() == 0:
                return seed
            tally.faults.append(f"{seed}: {'died' if ready else 'hung'} ({process.wait()})")
            return seed + 1
        report = json.loads(line)
        seed = report["seed"]
        if "outcome" not in report:
            continue
        tally.most_kib, tally.slowest_s = max(tally.most_kib, report["kib"]), max(tally.slowest_s, report["s"])
        tally.outcomes[report["outcome"] if report["outcome"] in ("read", "refused") else "other"] += 1
        if report["outcome"] not in ("read", "refused"):
            tally.faults.append(f"{seed}: {report['outcome']}")
        if report["s"] > LIMIT_S or report["kib"] > LIMIT_KIB:
            tally.faults.append(f"{seed}: took {report['s']:.1f} s, {report['kib']} KiB")
        seed += 1


def main() -> None:
    """Damage, read, report; end with 1 where a file was taken otherwise than it must be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--read", nargs=2, type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.read:
        read_damaged_files(options.files, *options.read)
        return
    with tempfile.TemporaryDirectory() as folder:
        tally = run(options.files or examples(Path(folder)), options.seed, options.seed + options.count)
    print(f"{sum(tally.outcomes.values())} files: {dict(tally.outcomes)}, {len(tally.faults)} faults")
    print(f"at most {tally.most_kib / 1024:.0f} MiB and {tally.slowest_s:.2f} s")
    for fault in tally.faults:
        print(fault)
    sys.exit(bool(tally.faults))


def examples(folder: Path) -> list[Path]:
    """distnet's file, the same without its seal, and an archive without one."""
    sealed, unsealed, archive = folder / "sealed.h5", folder / "unsealed.h5", folder / "archive.keras"
    example(sealed, archive)
    unsealed.write_bytes(sealed.read_bytes()[:-64])
    archive.write_bytes(archive.read_bytes()[:-64])
    return [sealed, unsealed, archive]


if __name__ == "__main__":
    main()
