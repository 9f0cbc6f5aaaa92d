"""How benchmarks measure: contestants in processes of their own take turns, so that what slows one slows all.

A contestant starts once and gets ready. In each round every contestant has one turn, while the others sleep: it
measures, and prints ``{"what is measured": [values]}`` from each of its processes.
"""

from __future__ import annotations

import argparse
import importlib.util
import itertools
import json
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
TURNS, STARTED = "BENCHMARK_TURNS", "BENCHMARK_STARTED"
"""Variables of the environment: the folder where a contestant reads that it is its turn; when it was started."""
OF_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "NPROC")
"""Variables that say how many threads are taken."""
TIMEOUT_S = 900
"""Of a turn, and of waiting for one."""
_ASLEEP_S = 0.02
MEASURED_EPOCHS = 2
"""Of a turn in which epochs are timed, after one of warming up."""

Values = Mapping[str, Sequence[float]]


def take_turns(measure: Callable[[], Values]) -> None:
    """What a contestant does once it is ready: measure in each turn, until told to end. All its processes do this."""
    folder = Path(os.environ[TURNS])
    for turn in itertools.count():
        waited_until = time.monotonic() + TIMEOUT_S
        while not (folder / str(turn)).exists():
            if (folder / "end").exists() or not folder.exists() or time.monotonic() > waited_until:
                return
            time.sleep(_ASLEEP_S)
        line = json.dumps({name: list(values) for name, values in measure().items()})
        sys.stdout.write(f"{line}\n")  # at once: launchers mix what ranks write in parts
        sys.stdout.flush()


@dataclass
class Contestant:
    """A program that takes turns.

    Args:
        name: in tables.
        command: starts it.
        environment: besides this process's.
        processes: that print values.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    processes: int = 1

    def __post_init__(self) -> None:
        self.values: dict[str, list[float]] = defaultdict(list)
        self._process: subprocess.Popen[str] | None = None
        self._turns = 0

    def take_turn(self) -> None:
        """Let it measure once, and keep the values; it is started first where it does not run.

        Raises:
            SystemExit: the program failed, or did not end in time.
        """
        process = self._process or self._start()
        (Path(self._folder.name) / str(self._turns)).touch()
        self._turns += 1
        watch = threading.Timer(TIMEOUT_S, process.kill)
        watch.start()
        try:
            for _ in range(self.processes):
                line = next((line for line in process.stdout or () if line.startswith("{")), "")
                if not line:
                    self._errors.seek(0)
                    raise SystemExit(f"{self.name} failed with exit code {process.wait()}:\n{self._errors.read()}")
                for name, values in json.loads(line).items():
                    self.values[name] += values
        finally:
            watch.cancel()

    def end(self) -> None:
        """Let the program end; nothing is left of it."""
        if self._process is None:
            return
        process, self._process = self._process, None
        (Path(self._folder.name) / "end").touch()
        try:
            process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            process.terminate()
            process.communicate()
        self._errors.close()
        self._folder.cleanup()

    def _start(self) -> subprocess.Popen[str]:
        self._folder, self._turns = tempfile.TemporaryDirectory(prefix="turns-"), 0
        self._errors = Path(self._folder.name, "stderr").open("w+")  # noqa: SIM115 (until it ends)
        own = {**self.environment, TURNS: self._folder.name, STARTED: str(time.time())}
        self._process = subprocess.Popen(
            self.command, env={**os.environ, **own}, stdout=subprocess.PIPE, stderr=self._errors, text=True
        )
        return self._process


def compete(contestants: Sequence[Contestant], rounds: int, is_fresh: bool = False) -> None:
    """Let each contestant take one turn in each round.

    Args:
        is_fresh: whether every turn is that of a new process; else all wait for their turns from the start.
    """
    try:
        for number in range(rounds):
            for contestant in contestants:
                contestant.take_turn()
                if is_fresh:
                    contestant.end()
            print(f"round {number + 1} of {rounds}", file=sys.stderr, flush=True)
    finally:
        for contestant in contestants:
            contestant.end()


def spread(values: Sequence[float]) -> tuple[float, float, float]:
    """Median, smallest and largest."""
    return statistics.median(values), min(values), max(values)


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Lines of columns; the first is aligned to the left, the others to the right."""
    lines = [heads, *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(heads))]
    padded = [[line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])] for line in lines]
    return "\n".join("  ".join(cells).rstrip() for cells in padded)


def cores() -> int:
    """The cores this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def peak_mb() -> float:
    """The most memory that this process had, so far, in MB of 10^6 bytes."""
    status = Path("/proc/self/status")  # what getrusage says may be the process's that started this one
    if status.exists():
        return 1.024e-3 * int(re.search(r"VmHWM:\s*(\d+)", status.read_text()).group(1))  # type: ignore[union-attr]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return 1e-6 * peak * (1 if sys.platform == "darwin" else 1 << 10)


def shared_mb() -> float:
    """What of its memory others have, too, beyond its own share: libraries' code, what the ranks of a node share."""
    mapped = Path("/proc/self/smaps_rollup")
    if not mapped.exists():
        return 0.0
    text = mapped.read_text()
    whole, own = (int(re.search(rf"^{key}:\s*(\d+)", text, re.M).group(1)) for key in ("Rss", "Pss"))  # type: ignore[union-attr]
    return 1.024e-3 * (whole - own)


def options(description: str | None, rounds: int = 5) -> argparse.ArgumentParser:
    """The options that every benchmark has."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=positive, default=rounds, help=f"turns of each contestant ({rounds})")
    parser.add_argument("--quick", action="store_true", help="one round of little work: whether it runs, not how fast")
    parser.add_argument("--plot", type=Path, metavar="FILE.png", help="also draw the medians, from least to greatest")
    return parser


def read(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """The command line. From now on contestants take the threads they take by themselves; in quick runs, one.

    Raises:
        SystemExit: a plot is wanted, and Matplotlib is not installed.
    """
    chosen = parser.parse_args()
    if chosen.plot and not importlib.util.find_spec("matplotlib"):
        raise SystemExit(f"--plot needs the package 'matplotlib' in {sys.executable}: pip install matplotlib.")
    for name in OF_THREADS:
        os.environ.pop(name, None)
    if chosen.quick:
        chosen.rounds = 1
        os.environ |= dict.fromkeys(OF_THREADS, "1")
    return chosen


def positive(text: str) -> int:
    """A number of the command line."""
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"expected a number of at least 1, received {text}")
    return number


def plot(path: Path, unit: str, panels: Mapping[str, Mapping[str, Sequence[float]]]) -> None:
    """Draw the median of each name as a bar, and its range; a panel for each group."""
    from matplotlib.figure import Figure

    height = sum(0.6 + 0.25 * len(bars) for bars in panels.values())
    figure = Figure(figsize=(7, height), layout="constrained")
    ratios = [len(bars) + 1 for bars in panels.values()]
    axes = figure.subplots(len(panels), squeeze=False, height_ratios=ratios)[:, 0]
    for axis, (title, bars) in zip(axes, panels.items(), strict=True):
        each = [spread(values) for values in bars.values()]
        ranges = [[median - least for median, least, _ in each], [most - median for median, _, most in each]]
        colors = ["tab:blue" if name.startswith("distnet") else "tab:gray" for name in bars]
        axis.barh(list(bars), [median for median, _, _ in each], xerr=ranges, color=colors)
        axis.invert_yaxis()
        axis.set_title(f"{title}, {unit}", fontsize="medium")
    figure.savefig(path)
