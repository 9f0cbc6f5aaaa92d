"""Checks a file of the Trace Event Format: its fields, and that what one thread does nests.

Source: Duca and Sinclair, "Trace Event Format", 2016.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FIELDS = {"name": str, "cat": str, "ph": str, "ts": (int, float), "dur": (int, float), "pid": int, "tid": int}
SAID = {"process_name": str, "thread_name": str, "process_sort_index": int}
"""Metadata, and the type of its one argument."""
SLACK_US = 0.002
"""Times are written with three decimals."""


def checked(path: Path, ranks: int) -> dict[int, list[dict[str, Any]]]:
    """The complete events of each rank, in order, which nest or are apart."""
    trace = json.loads(path.read_text(encoding="utf-8"))
    assert trace["displayTimeUnit"] in ("ms", "ns")
    events: dict[int, list[dict[str, Any]]] = {rank: [] for rank in range(ranks)}
    named = {"process_name": set(), "thread_name": set()}
    for event in trace["traceEvents"]:
        assert event["ph"] in ("X", "M"), event
        if event["ph"] == "M":
            (argument,) = event["args"].values()
            assert isinstance(argument, SAID[event["name"]]), event
            named.get(event["name"], set()).add((event["pid"], event["tid"]))
            continue
        assert all(isinstance(event[field], kind) for field, kind in FIELDS.items()), event
        assert event["ts"] >= 0, event
        assert event["dur"] >= 0, event
        events[event["pid"]].append(event)
    for rank, own in events.items():
        assert own, f"nothing of rank {rank}"
        assert (rank, 0) in named["process_name"]
        for thread in {event["tid"] for event in own}:
            assert (rank, thread) in named["thread_name"]
            _check_nesting([event for event in own if event["tid"] == thread])
    return events


def _check_nesting(events: list[dict[str, Any]]) -> None:
    ends: list[float] = []
    for before, event in zip([None, *events], events, strict=False):
        assert before is None or event["ts"] >= before["ts"], "events of a thread are in order of their begins"
        end = event["ts"] + event["dur"]
        while ends and ends[-1] <= event["ts"] + SLACK_US:
            ends.pop()
        assert not ends or end <= ends[-1] + SLACK_US, event
        ends.append(end)


def covered(events: list[dict[str, Any]], step: dict[str, Any]) -> float:
    """The part of a step's time that the events within it say something of."""
    begin, end = step["ts"], step["ts"] + step["dur"]
    within = [e for e in events if e is not step and begin <= e["ts"] and e["ts"] + e["dur"] <= end + SLACK_US]
    total = at = 0.0
    for event in within:
        total += max(event["ts"] + event["dur"] - max(event["ts"], at), 0)
        at = max(at, event["ts"] + event["dur"])
    return total / step["dur"]
