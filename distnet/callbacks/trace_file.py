"""A profile as a file that Perfetto (ui.perfetto.dev) and chrome://tracing show.

Source: Duca and Sinclair, "Trace Event Format", 2016.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from distnet.callbacks.rank_times import RankTimes, said_steps
from distnet.paths import written
from distnet.timeline import (
    BACKWARD,
    CALLBACKS,
    DATA,
    EVALUATION,
    EXCHANGE,
    FORWARD,
    LOSS,
    UPDATE,
    WAITING,
)

_COLOURS = {
    FORWARD: "good", BACKWARD: "rail_response", LOSS: "yellow", WAITING: "terrible", EXCHANGE: "bad",
    UPDATE: "rail_animation", DATA: "olive", CALLBACKS: "grey", EVALUATION: "rail_idle",
}  # fmt: skip
"""Names of colours that the format knows; chrome://tracing shows them, Perfetto takes others."""


def write_trace(path: str | os.PathLike[str], of_ranks: Sequence[RankTimes]) -> None:
    """Write the intervals of all ranks: a process for each rank, on the axis of rank 0's clock.

    Raises:
        CheckpointError: the file cannot be written.
    """
    content = {
        "traceEvents": list(_events(of_ranks)),
        "displayTimeUnit": "ms",
        "otherData": {
            "recorded": said_steps(of_ranks),
            "clock_error_us": {f"rank {r.rank}": r.clock_error_ns / 1000 for r in of_ranks},
        },
    }
    place = Path(path)
    unfinished = place.with_name(f".{place.name}.writing")
    with written("Profiler", path):
        place.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_text(json.dumps(content, separators=(",", ":")), encoding="utf-8")
        os.replace(unfinished, place)


def _events(of_ranks: Sequence[RankTimes]) -> Iterator[dict[str, Any]]:
    began_ns = min((i.begin_ns - r.offset_ns for r in of_ranks for i in r.intervals), default=0)
    for of_rank in of_ranks:
        rank = of_rank.rank
        yield _said(rank, 0, "process_name", name=f"rank {rank} on {of_rank.host}")
        yield _said(rank, 0, "process_sort_index", sort_index=rank)
        for thread in sorted({interval.thread for interval in of_rank.intervals}):
            yield _said(rank, thread, "thread_name", name="training" if thread == 0 else f"thread {thread}")
        for interval in sorted(of_rank.intervals, key=lambda i: (i.thread, i.begin_ns, i.depth)):
            event = {
                "name": interval.name,
                "cat": interval.category,
                "ph": "X",
                "ts": (interval.begin_ns - of_rank.offset_ns - began_ns) / 1000,
                "dur": (interval.end_ns - interval.begin_ns) / 1000,
                "pid": rank,
                "tid": interval.thread,
            }
            yield event | ({"cname": _COLOURS[interval.category]} if interval.category in _COLOURS else {})


def _said(rank: int, thread: int, what: str, **args: object) -> dict[str, Any]:
    return {"name": what, "ph": "M", "pid": rank, "tid": thread, "args": args}
