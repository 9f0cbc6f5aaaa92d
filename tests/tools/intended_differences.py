"""The table of differences from Keras that are meant: each with its condition and its reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Spec = Mapping[str, Any]


@dataclass(frozen=True)
class Intended:
    """A difference that is meant.

    Args:
        name: short, for the summary.
        reason: why distnet does not do as Keras does.
        condition: whether a specification with a difference of this kind and detail is of this kind.
    """

    name: str
    reason: str
    condition: Callable[[Spec, str, str], bool]

    def covers(self, spec: Spec, kind: str, detail: str) -> bool:
        return self.condition(spec, kind, detail)


def calls_of(spec: Spec) -> Iterator[Spec]:
    """All calls, those within models among them."""
    for call in spec["calls"]:
        yield call
        if "model" in call:
            yield from calls_of(call["model"])


INTENDED: list[Intended] = []
