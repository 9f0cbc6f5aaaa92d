"""Models of some seeds: each compared, and the first of each new difference made small by hypothesis."""

from __future__ import annotations

import contextlib
import gc
import json
import re
import time
from collections.abc import Callable, Iterable
from typing import Any

import hypothesis
from hypothesis import HealthCheck, Phase

import comparing
from as_program import program_of
from comparing import Outcome
from intended_differences import calls_of
from specifications import specifications

QUIET = {
    "database": None,
    "deadline": None,
    "suppress_health_check": list(HealthCheck),
    "report_multiple_bugs": False,
    "print_blob": False,
}
OF_A_COLLECTION = 20
"""Models between which garbage is collected, of those models alone."""
EXAMPLES = 2
"""Of a seed: hypothesis begins with the simplest specification, always the same; the next is the seed's own."""
Report = Callable[[dict[str, Any]], None]
_causes: dict[str, list[set[str]]] = {}
_simplest: dict[str, str] = {}


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


def run(seeds: Iterable[int], shrink_s: float, is_compiled: bool, report: Report) -> None:
    """Report on the model of each seed, and on each cause of differences."""
    comparing.set_up(is_compiled)
    for number, seed in enumerate(seeds):
        Search(seed, shrink_s, report).run()
        if number % OF_A_COLLECTION == 0:
            gc.collect(1)


class Search:
    """Draws the model of one seed and compares it; a new difference is made small.

    Args:
        seed: of hypothesis.
        shrink_s: seconds for making a difference small.
        report: takes what comes out.
    """

    def __init__(self, seed: int, shrink_s: float, report: Report) -> None:
        self.seed, self.shrink_s, self.report = seed, shrink_s, report
        self.known: dict[str, Outcome] = {}
        self.sought = ""
        self.until = 0.0
        self.smallest: tuple[Any, Outcome] | None = None

    def run(self) -> None:
        phases = (Phase.generate, Phase.shrink) if self.shrink_s else (Phase.generate,)
        settings = hypothesis.settings(max_examples=EXAMPLES, phases=phases, **QUIET)
        with contextlib.suppress(DifferenceError, OutOfTime):
            hypothesis.seed(self.seed)(settings(hypothesis.given(specifications())(self.judge)))()
        if self.smallest is None:
            return
        spec, found = self.smallest
        _causes.setdefault(signature(found), []).append(traits(spec))
        cause = f"{signature(found)} [{', '.join(layers_of(spec))}]"
        detail = f"{found.detail} {found.amount:.3g}"
        self.report({"cause": cause, "detail": detail, "program": program_of(spec), "spec": spec})

    def judge(self, spec: Any) -> None:
        """Compare one model, and raise on a new difference, or one like that which is being made small.

        Raises:
            DifferenceError: it differs.
            OutOfTime: it was made small for long enough.
        """
        text = json.dumps(spec, sort_keys=True)
        if text == _simplest.setdefault("text", text):
            return
        if self.sought and time.monotonic() > self.until:
            raise OutOfTime
        if text not in self.known:
            self.known[text] = comparing.outcome_of(spec)
            if not self.sought:
                self._count(spec, self.known[text])
        found = self.known[text]
        if not found.is_difference or is_known(spec, found) or self.sought not in ("", signature(found)):
            return
        if not self.sought:
            self.sought, self.until = signature(found), time.monotonic() + self.shrink_s
        self.smallest = spec, found
        raise DifferenceError(found.kind)

    def _count(self, spec: Any, found: Outcome) -> None:
        part = {"spec": spec} if found.is_difference else {}
        about = {
            "kind": found.kind,
            "detail": found.detail[:300],
            "differs": found.is_difference,
            "amount": found.amount,
        }
        self.report({**about, "layers": layers_of(spec), **part})
