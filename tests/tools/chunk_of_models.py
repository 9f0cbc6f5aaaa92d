"""Some models from one seed: each compared, and the first of each new difference made small by hypothesis."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from typing import Any

import comparing
import hypothesis
from as_program import program_of
from comparing import Outcome
from hypothesis import HealthCheck, Phase
from intended_differences import calls_of
from specifications import specifications

QUIET = {
    "database": None,
    "deadline": None,
    "suppress_health_check": list(HealthCheck),
    "report_multiple_bugs": False,
    "print_blob": False,
}
_causes: dict[str, list[set[str]]] = {}


class DifferenceError(Exception):
    """Raised within hypothesis, which then makes the specification small."""


class OutOfTime(KeyboardInterrupt):
    """Ends hypothesis's shrinking: no error that it would catch."""


def layers_of(spec: Any) -> list[str]:
    """Names of the classes that a model has, each once."""
    return sorted({call["layer"] for call in calls_of(spec)})


def signature(found: Outcome) -> str:
    """What differs, without names and numbers."""
    text = found.detail if "refuse" in found.kind or "crash" in found.kind else ""
    return f"{found.kind} {re.sub(r'[0-9_.]+|[(].*', '', text)[:60]}".strip()


def traits(spec: Any) -> set[str]:
    """By what a difference is known again: layers with their options, loss, metrics, optimizer."""
    named = {call["layer"] for call in calls_of(spec)}
    named |= {f"{call['layer']}.{key}" for call in calls_of(spec) for key in call.get("options", ())}
    training = spec.get("training", {})
    for target in training.get("targets", ()):
        named |= {str(target["loss"]), *(str(m) for several in target["metrics"].values() for m in several)}
    if training:
        named |= {training["optimizer"]["make"], *training["optimizer"]["with"], *training}
    return named


def is_known(spec: Any, found: Outcome) -> bool:
    """Whether an earlier small specification explains it: the same difference, and all that it needed."""
    return any(needed <= traits(spec) for needed in _causes.get(signature(found), ()))


def run(seed: int, count: int, shrink_s: float, is_compiled: bool) -> Iterator[dict[str, Any]]:
    """A report on each model, and one on each cause of differences."""
    comparing.set_up(is_compiled)
    reports: list[dict[str, Any]] = []
    known: dict[str, Outcome] = {}
    shrinking: dict[str, Any] = {}

    def judge(spec: Any) -> None:
        text = json.dumps(spec, sort_keys=True)
        is_out_of_time = bool(shrinking) and time.monotonic() > shrinking["until"]
        if is_out_of_time:
            raise OutOfTime
        if text not in known:
            known[text] = comparing.outcome_of(spec)
            if not shrinking:
                found = known[text]
                reports.append(
                    {"kind": found.kind, "detail": found.detail[:300], "layers": layers_of(spec),
                     "differs": found.is_difference, **({"spec": spec} if found.is_difference else {})}
                )  # fmt: skip
        found = known[text]
        if not found.is_difference or is_known(spec, found):
            return
        if shrinking and signature(found) != shrinking["signature"]:
            return
        shrinking.setdefault("until", time.monotonic() + shrink_s)
        shrinking.setdefault("signature", signature(found))
        shrinking["smallest"] = spec, found
        raise DifferenceError(found.kind)

    part = 0
    while len(reports) < count:
        before = len(reports)
        shrinking.clear()
        wanted = hypothesis.settings(max_examples=count - len(reports), phases=(Phase.generate, Phase.shrink), **QUIET)
        try:
            hypothesis.seed(seed * 101 + part)(wanted(hypothesis.given(specifications())(judge)))()
        except (DifferenceError, OutOfTime):
            spec, found = shrinking["smallest"]
            _causes.setdefault(signature(found), []).append(traits(spec))
            cause = f"{signature(found)} [{', '.join(layers_of(spec))}]"
            detail = f"{found.detail} {found.amount:.3g}"
            reports.append(
                {"cause": cause, "detail": detail, "program": program_of(spec), "spec": spec, "kind": found.kind}
            )
        yield from reports[before:]
        part += 1
        if part > count:
            return
