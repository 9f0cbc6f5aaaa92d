"""Where the time of a rank's steps went: the intervals of a profile, each without those within it, added up."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from distnet.callbacks.rank_times import RankTimes
from distnet.timeline import (
    BACKWARD,
    CALLBACKS,
    DATA,
    EVALUATION,
    EXCHANGE,
    FORWARD,
    INSTRUCTION,
    LOSS,
    OWN_STEP,
    STEP,
    UPDATE,
    WAITING,
    Interval,
)

BETWEEN, LOOP = "between layers", "training loop"
PHASES = {
    LOSS: "loss and metrics", OWN_STEP: "train_step", WAITING: "waiting for ranks", EXCHANGE: "exchange",
    UPDATE: "update", DATA: "reading data", CALLBACKS: "callbacks", STEP: "rest of the step",
}  # fmt: skip
"""Rows of the table that are no layers, by category."""


class Owner(NamedTuple):
    """What an interval's time is counted for.

    Args:
        row: a layer's name, behind those of the models that it is in; or of a phase.
        category: of the interval.
    """

    row: str
    category: str


@dataclass
class Costs:
    """Of one rank, in ns over all its steps.

    Args:
        steps: how many there are.
        of: the time of each owner.
        instructions: the part of it that an instruction of this name took.
    """

    steps: int
    of: Counter[Owner] = field(default_factory=Counter)
    instructions: Counter[tuple[Owner, str]] = field(default_factory=Counter)

    def ms(self, row: str, category: str | None = None) -> float:
        """Of a row, a step; by default in all its categories."""
        total = sum(ns for owner, ns in self.of.items() if owner.row == row and category in (None, owner.category))
        return total / 1e6 / max(self.steps, 1)

    @property
    def evaluation_ms(self) -> float:
        """Of validation, in all."""
        return sum(ns for owner, ns in self.of.items() if owner.category == EVALUATION) / 1e6

    @property
    def rows(self) -> set[str]:
        """What is a part of the steps."""
        return {owner.row for owner in self.of if owner.category != EVALUATION}

    @property
    def step_ms(self) -> float:
        """A step, with what is between it and the next."""
        return sum(self.ms(row) for row in self.rows)


def costs_of(of_rank: RankTimes) -> Costs:
    """Add up what the thread that trains did."""
    costs = Costs(len(of_rank.kept_steps))
    within: list[tuple[Interval, Owner]] = []
    end_ns: int | None = None
    for interval in sorted((i for i in of_rank.intervals if i.thread == 0), key=lambda i: (i.begin_ns, i.depth)):
        while within and within[-1][0].depth >= interval.depth:
            within.pop()
        owner = _owner(interval, [outer for outer, _ in within], within[-1][1] if within else None)
        duration = interval.end_ns - interval.begin_ns
        costs.of[owner] += duration
        if within:
            outer, its_owner = within[-1]
            costs.of[its_owner] -= duration
            if outer.category == INSTRUCTION:
                costs.instructions[its_owner, outer.name] -= duration
        elif end_ns is not None:
            costs.of[Owner(LOOP, LOOP)] += interval.begin_ns - end_ns
        if interval.category == INSTRUCTION:
            costs.instructions[owner, interval.name] += duration
        end_ns = interval.end_ns if not within else end_ns
        within.append((interval, owner))
    return costs


def _owner(interval: Interval, outer: list[Interval], owner: Owner | None) -> Owner:
    category = interval.category
    if category == EVALUATION or (owner is not None and owner.category == EVALUATION):
        return Owner(EVALUATION, EVALUATION)
    if category == INSTRUCTION and owner is not None:
        return owner
    if category in (FORWARD, BACKWARD):
        names = [other.name for other in (*outer, interval) if other.category == category]
        return Owner("/".join(names[1:]) or BETWEEN, category)
    return Owner(PHASES.get(category, category), category)
