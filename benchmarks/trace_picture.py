"""Draws steps of a trace that ``fit(profile="trace.json")`` wrote, one line for each rank.

python benchmarks/trace_picture.py trace.json picture.png
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.patches import Patch

COLOURS = {
    "read data": "#8c8c8c", "forward": "#7fb0dd", "loss": "#e8c547", "backward": "#2f6db0", "waiting": "#d9534f",
    "exchange": "#e39a3b", "update": "#3f9b5d", "callbacks": "#b79ad0", "other": "#e6e6e6",
}  # fmt: skip
NAMES = {"data": "read data", "step": "other", "evaluation": "other", "own step": "forward"}
"""What the picture calls a category of the trace."""


def main() -> None:
    """Draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trace", type=Path)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--first", type=int, help="the first step to draw; by default one in the middle")
    parser.add_argument("--steps", type=int, default=2, help="how many")
    options = parser.parse_args()
    events = json.loads(options.trace.read_text(encoding="utf-8"))["traceEvents"]
    ranks: dict[int, list[dict[str, Any]]] = defaultdict(list)
    hosts = {e["pid"]: e["args"]["name"] for e in events if e["name"] == "process_name"}
    for event in events:
        if event["ph"] == "X" and event["tid"] == 0:
            ranks[event["pid"]].append(event)
    figure = drawn(ranks, hosts, *window(ranks, options.first, options.steps))
    figure.savefig(options.picture, dpi=110)


def window(ranks: dict[int, list[dict[str, Any]]], first: int | None, count: int) -> tuple[float, float]:
    """Begin and end of the steps to draw, in microseconds."""
    steps = {e["name"]: e for e in ranks[0] if e["cat"] == "step"}
    numbers = sorted(int(name.removeprefix("step ")) for name in steps)
    first = numbers[len(numbers) // 2] if first is None else first
    shown = [f"step {number}" for number in range(first, first + count)]
    drawn = [e for events in ranks.values() for e in events if e["name"] in shown]
    if not drawn:
        raise SystemExit(f"The trace has steps {numbers[0]} to {numbers[-1]}, not {first}.")
    return min(e["ts"] for e in drawn), max(e["ts"] + e["dur"] for e in drawn)


def drawn(ranks: dict[int, list[dict[str, Any]]], hosts: dict[int, str], begin: float, end: float) -> Figure:
    """Two lines for each rank: phases, and the layers within them."""
    figure = Figure(figsize=(12, 1.0 + 1.15 * len(ranks)), layout="constrained")
    axes = figure.add_subplot()
    used = set()
    for place, rank in enumerate(sorted(ranks)):
        own = [e for e in ranks[rank] if e["ts"] < end and e["ts"] + e["dur"] > begin]
        for depth, event in nested(own):
            kind = NAMES.get(event["cat"], event["cat"])
            if kind not in COLOURS:  # instructions
                continue
            used.add(kind)
            is_wait = kind in ("waiting", "exchange")
            low, height = (0.5, 0.38) if depth <= 1 else (0.08, 0.38)
            axes.broken_barh(
                [((event["ts"] - begin) / 1e3, event["dur"] / 1e3)], (-place + low, height), facecolors=COLOURS[kind],
                edgecolor="white" if depth > 1 and not is_wait else "none", linewidth=0.15,
                zorder=2 + depth,
            )  # fmt: skip
    axes.set_yticks([-place + 0.5 for place in range(len(ranks))], [hosts[r].split(" on ")[0] for r in sorted(ranks)])
    axes.set_xlim(0, (end - begin) / 1e3)
    axes.set_ylim(-len(ranks) + 1, 1)
    axes.set_xlabel("ms; above: the phases of a step, below: layers' calls and waiting within them")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    handles = [Patch(color=COLOURS[kind], label=kind) for kind in COLOURS if kind in used]
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles), frameon=False)
    return figure


def nested(events: list[dict[str, Any]]) -> list[tuple[int, dict[str, Any]]]:
    """Each event with the number of those around it."""
    ends: list[float] = []
    depths = []
    for event in sorted(events, key=lambda e: (e["ts"], -e["dur"])):
        while ends and ends[-1] <= event["ts"]:
            ends.pop()
        depths.append((len(ends), event))
        ends.append(event["ts"] + event["dur"])
    return depths


if __name__ == "__main__":
    main()
