"""Milliseconds of a training step: distnet beside other frameworks, in one run, on the same cores.

    python benchmarks/step_time.py --model mlp --peer torch --peer keras-jax

Rounds are interleaved (A B C A B C ...), each contestant in a process of its own, so that a machine
that slows down slows all of them. A time is that of a step within the training loop, after an epoch of
warming up, averaged over an epoch; the table shows the median, least and greatest of all epochs.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from workload import WORKLOADS

HERE = Path(__file__).resolve().parent
RUN = HERE.parent / "launch" / "run.sh"
TIMEOUT_S = 900


@dataclass
class Contestant:
    """A program that prints ``{"ms_per_step": [...]}`` in its last line."""

    name: str
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    ms: list[float] = field(default_factory=list)

    def run_once(self) -> None:
        """Run the program and keep its times.

        Raises:
            SystemExit: the program failed.
        """
        try:
            done = subprocess.run(
                self.command,
                env=os.environ | self.environment,
                capture_output=True,
                text=True,
                timeout=TIMEOUT_S,
                check=True,
            )
            self.ms += json.loads(done.stdout.splitlines()[-1])["ms_per_step"]
        except subprocess.CalledProcessError as error:
            raise SystemExit(f"{self.name} failed with exit code {error.returncode}:\n{error.stderr}") from None
        except subprocess.TimeoutExpired:
            raise SystemExit(f"{self.name} did not end within {TIMEOUT_S} s.") from None


@dataclass(frozen=True)
class Peer:
    """Another framework, or distnet with dense layers as its users write them, on one rank.

    Args:
        script: its program, with options.
        packages: what it needs from PyPI.
        backend: Keras's, where it is Keras.
    """

    script: tuple[str, ...]
    packages: tuple[str, ...]
    backend: str = ""


PEERS = {
    "torch": Peer(("torch_loop.py",), ("torch",)),
    "torch-ddp": Peer(("torch_loop.py", "--processes", "2"), ("torch",)),
    "keras-jax": Peer(("fit.py", "--framework", "keras"), ("keras", "jax"), "jax"),
    "keras-torch": Peer(("fit.py", "--framework", "keras"), ("keras", "torch"), "torch"),
    "own-layers": Peer(("fit.py", "--framework", "distnet", "--own-layers"), ("distnet",)),
}


def distnet_on(ranks: int, options: argparse.Namespace) -> Contestant:
    """distnet: started plainly where it is one rank, else by launch/run.sh."""
    program = [str(HERE / "fit.py"), "--framework", "distnet", *sizes(options)]
    start = [sys.executable] if ranks == 1 else [str(RUN), "-n", str(ranks)]
    name = f"distnet, {ranks} rank{'s' if ranks > 1 else ''}"
    return Contestant(name, [*start, *program], {"PYTHON": sys.executable})


def peer_named(name: str, options: argparse.Namespace) -> Contestant:
    """A peer, once its packages are seen to be there.

    Raises:
        SystemExit: a package is missing.
    """
    peer = PEERS[name]
    for package in peer.packages:
        find = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({package!r}) is None)"
        if subprocess.run([options.peer_python, "-c", find], check=False).returncode:
            raise SystemExit(
                f"--peer {name} needs the package {package!r} in {options.peer_python}: "
                f"pip install {' '.join(peer.packages)}, or name another Python with --peer-python."
            )
    script, *arguments = peer.script
    command = [options.peer_python, str(HERE / script), *arguments, *sizes(options)]
    return Contestant(name, command, {"KERAS_BACKEND": peer.backend} if peer.backend else {})


def sizes(options: argparse.Namespace) -> list[str]:
    """The options that every contestant is given."""
    return ["--model", options.model, "--batch", str(options.batch), "--steps", str(options.steps)]


def table(contestants: list[Contestant], peers: list[str]) -> str:
    """Times and their ratios to each peer's median: below 1 is faster than the peer."""
    medians = {contestant.name: statistics.median(contestant.ms) for contestant in contestants}
    heads = [f"/ {peer}" for peer in peers]
    widths = [max(8, len(head)) for head in heads]
    lines = [f"{'ms/step':<18}{'median':>9}{'min':>9}{'max':>9}" + _columns(heads, widths)]
    for contestant in contestants:
        ms, median = contestant.ms, medians[contestant.name]
        ratios = [f"{median / medians[peer]:.2f}" for peer in peers]
        lines.append(f"{contestant.name:<18}{median:>9.3f}{min(ms):>9.3f}{max(ms):>9.3f}" + _columns(ratios, widths))
    return "\n".join(lines)


def _columns(cells: list[str], widths: list[int]) -> str:
    return "".join(f"  {cell:>{width}}" for cell, width in zip(cells, widths, strict=True))


def parse_options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Milliseconds of a training step, beside other frameworks.")
    parser.add_argument(
        "--model",
        choices=WORKLOADS,
        default="mlp",
        help="mlp: 784-512-256-10, with dropout; table: 8-12-8-1, where little but overhead is measured. Both rmsprop, "
        "float32 (default: mlp)",
    )
    parser.add_argument("--peer", action="append", choices=PEERS, default=[], help="may be given several times")
    parser.add_argument("--peer-python", default=sys.executable, help="the Python that has the peers (default: this)")
    parser.add_argument("--ranks", type=int, nargs="+", default=[1, 2], help="ranks of distnet (default: 1 2)")
    parser.add_argument("--batch", type=int, help="rows of a step, over all ranks (default: 128 for mlp, 10 for table)")
    parser.add_argument("--steps", type=int, default=200, help="steps of an epoch (default: 200)")
    parser.add_argument("--rounds", type=int, default=5, help="times each contestant is started (default: 5)")
    options = parser.parse_args()
    options.batch = WORKLOADS[options.model].batch if options.batch is None else options.batch
    if options.model != "mlp" and any(name.startswith("torch") for name in options.peer):
        parser.error("--peer torch and torch-ddp train the model mlp alone.")
    if min(*options.ranks, options.batch, options.steps, options.rounds) < 1:
        parser.error("--ranks, --batch, --steps and --rounds must be at least 1.")
    return options


def main() -> None:
    """Run all rounds, then print the table."""
    options = parse_options()
    peers = list(dict.fromkeys(options.peer))
    contestants = [distnet_on(ranks, options) for ranks in options.ranks]
    contestants += [peer_named(name, options) for name in peers]
    for number in range(options.rounds):
        for contestant in contestants:
            contestant.run_once()
        print(f"round {number + 1} of {options.rounds}", file=sys.stderr, flush=True)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    print(f"{options.model}, batch {options.batch}, {cores} cores, {options.rounds} rounds of {options.steps} steps\n")
    print(table(contestants, peers))


if __name__ == "__main__":
    main()
