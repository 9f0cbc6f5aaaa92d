"""The referee: generates models, runs each in distnet and in Keras on JAX, and shrinks what differs.

    python tests/tools/referee.py --count 20000 --seed 0             # distnet against Keras
    python tests/tools/referee.py --count 2000 --seed 0 --ranks 3    # three ranks against one
    python tests/tools/referee.py --replay case.json                 # one specification

It ends with 1 where something differs that ``intended_differences`` does not list.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from intended_differences import INTENDED

OF_A_WORKER = 1000
"""Models after which a new process takes a worker's place: what JAX traced stays in memory."""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Compare distnet with Keras on JAX on generated models.")
    parser.add_argument("--count", type=int, default=300, help="models to run")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--ranks", type=int, default=0, help="compare so many ranks with one, in place of Keras")
    parser.add_argument("--replay", type=Path, help="a file with one specification, as the summary shows it")
    parser.add_argument("--compiled", action="store_true", help="let XLA compute Keras's steps")
    parser.add_argument("--shrink-s", type=float, default=60, help="seconds for making one difference small")
    parser.add_argument("--limit-s", type=float, default=1e9, help="seconds after which no new models are begun")
    parser.add_argument("--out", type=Path, help="a file to which differences are added, as JSON lines")
    parser.add_argument("--part", help=argparse.SUPPRESS)
    return parser.parse_args()


class Summary:
    """What the workers have reported so far.

    Args:
        count: models to run.
        cache: a folder in which the workers share what XLA compiles.
        out: a file to which differences are added.
    """

    def __init__(self, count: int, cache: str, out: Path | None = None) -> None:
        self.count, self.cache, self.out, self.begin = count, cache, out, time.monotonic()
        self.kinds: collections.Counter[str] = collections.Counter()
        self.causes: dict[str, dict[str, Any]] = {}
        self.layers: collections.Counter[str] = collections.Counter()
        self.differing_layers: collections.Counter[str] = collections.Counter()
        self.examples: dict[str, str] = {}
        self.first_difference_s = 0.0
        self.lock = threading.Lock()

    @property
    def models(self) -> int:
        return sum(self.kinds.values())

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.begin

    def add(self, report: dict[str, Any]) -> None:
        """Take in a worker's line."""
        with self.lock:
            if self.out is not None and "spec" in report:
                with self.out.open("a") as out:
                    out.write(json.dumps(report) + "\n")
            if "cause" in report:
                self.causes.setdefault(report["cause"], report)
                return
            self.kinds[report["kind"]] += 1
            self.layers.update(report["layers"])
            if report["differs"]:
                self.first_difference_s = self.first_difference_s or self.seconds
                self.differing_layers.update(report["layers"])
                self.examples.setdefault(f"{report['kind']}: {report['detail'][:150]}", json.dumps(report["spec"]))

    def progress(self) -> str:
        differing = self.models - sum(self.kinds[kind] for kind in self.kinds if _is_agreed(kind))
        rate = self.models / max(self.seconds, 1e-9)
        return f"{self.models}/{self.count} models, {rate:.1f} a second, {differing} differ, {self.seconds:.0f} s"

    def show(self) -> None:
        print(f"\n{self.progress()}; the first difference after {self.first_difference_s:.0f} s")
        for kind, number in self.kinds.most_common():
            print(f"  {number:6d}  {kind}")
        print("\nDifferences that are meant:")
        for entry in INTENDED:
            print(f"  {entry.name}: {entry.reason}")
        if self.differing_layers:
            print("\nLayers of the models that differ (differing / all):")
            for name, number in self.differing_layers.most_common(30):
                print(f"  {number:6d} / {self.layers[name]:<6d}  {name}")
        for cause, report in self.causes.items():
            print(f"\n== {cause}\n{report['detail'][:600]}\n{report['program']}\n{json.dumps(report['spec'])}")
        if not self.causes and self.examples:
            print("\nOne specification of each difference:")
            for name, spec in list(self.examples.items())[:40]:
                print(f"{name}\n{spec}")


def _is_agreed(kind: str) -> bool:
    return kind in ("same", "both refuse", "ill-conditioned") or kind.startswith("intended")


def work(options: argparse.Namespace) -> None:
    """One process's share: a JSON line for each model and each cause."""
    import searching

    first, last = map(int, options.part.split(","))
    seeds = range(options.seed * 1_000_000 + first, options.seed * 1_000_000 + last)
    searching.run(seeds, options.shrink_s, options.compiled, say)


def say(report: dict[str, Any]) -> None:
    """Tell the process that shares out the work."""
    print(json.dumps(report), flush=True)


def start_worker(options: argparse.Namespace, part: range, summary: Summary) -> None:
    command = [sys.executable, __file__, "--seed", str(options.seed), "--shrink-s", str(options.shrink_s)]
    command += ["--part", f"{part.start},{part.stop}", *(["--compiled"] if options.compiled else [])]
    kept = {"JAX_COMPILATION_CACHE_DIR": summary.cache, "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0"}
    environment = {**os.environ, **kept, "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("{"):
                summary.add(json.loads(line))
    if process.returncode:
        summary.add({"kind": "worker died", "layers": [], "differs": True, "detail": str(part), "spec": {}})


def referee(options: argparse.Namespace) -> Summary:
    """Share the models out among worker processes, and gather what they report."""
    with tempfile.TemporaryDirectory() as cache:
        return _shared_out(options, Summary(options.count, cache, options.out))


def _shared_out(options: argparse.Namespace, summary: Summary) -> Summary:
    size = max(1, min(OF_A_WORKER, -(-options.count // options.jobs)))
    parts = [range(i, min(i + size, options.count)) for i in range(0, options.count, size)]

    def take() -> None:
        while parts and summary.seconds < options.limit_s:
            start_worker(options, parts.pop(0), summary)

    threads = [threading.Thread(target=take, daemon=True) for _ in range(options.jobs)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        threads[0].join(5) if threads[0].is_alive() else time.sleep(1)
        print(summary.progress(), file=sys.stderr, flush=True)
    return summary


def replay(options: argparse.Namespace) -> int:
    """Run one specification, and show what both packages give."""
    import comparing
    from as_program import program_of

    comparing.set_up(options.compiled)
    spec = json.loads(options.replay.read_text())
    print(program_of(spec))
    found = comparing.outcome_of(spec)
    print(f"\n{found.kind}: {found.detail} {found.amount:.3g}")
    return int(found.is_difference)


def main() -> int:
    options = arguments()
    if options.part:
        work(options)
        return 0
    if options.replay:
        return replay(options)
    if options.ranks:
        import on_ranks

        return on_ranks.compare(options.count, options.seed, options.ranks)
    summary = referee(options)
    summary.show()
    return int(not all(_is_agreed(kind) for kind in summary.kinds))


if __name__ == "__main__":
    sys.exit(main())
