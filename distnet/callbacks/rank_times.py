"""What a rank did while a training was profiled, as rank 0 gets it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from distnet.callbacks.memory_use import MemoryUse
from distnet.timeline import DATA, STEP, Interval


@dataclass(frozen=True)
class RankTimes:
    """One rank's intervals.

    Args:
        rank: whose they are.
        host: the name of its machine.
        intervals: by its clock.
        steps: how many steps the training had.
        left_out: intervals beyond the most that a rank keeps.
        offset_ns: how much its clock was ahead of rank 0's.
        clock_error_ns: how much that may be wrong.
        memory: what the model's arrays take of its memory.
    """

    rank: int
    host: str
    intervals: Sequence[Interval]
    steps: int
    left_out: int
    offset_ns: int = 0
    clock_error_ns: int = 0
    memory: MemoryUse = MemoryUse()

    @property
    def kept_steps(self) -> list[int]:
        """Numbers of the steps among the intervals."""
        return sorted(int(i.name.removeprefix("step ")) for i in self.intervals if i.category == STEP)

    @property
    def first_step(self) -> Interval | None:
        """Step 0, if it was kept and others were, too: it makes plans and compiles kernels."""
        first = next((i for i in self.intervals if i.category == STEP and i.name == "step 0"), None)
        return first if len(self.kept_steps) > 1 else None

    def after(self, step: Interval) -> RankTimes:
        """What was done from the next step's batch on."""
        begin_ns = min(i.begin_ns for i in self.intervals if i.category == DATA and i.begin_ns >= step.end_ns)
        return replace(self, intervals=[i for i in self.intervals if i.begin_ns >= begin_ns])


def said_steps(of_ranks: Sequence[RankTimes]) -> str:
    """Which steps were recorded, and what was left out."""
    first = of_ranks[0]
    kept, left_out = first.kept_steps, sum(of_rank.left_out for of_rank in of_ranks)
    which = f"steps {kept[0]} to {kept[-1]} of {first.steps}" if kept else f"none of {first.steps} steps"
    return which + (f", without {left_out} intervals beyond the most that ranks keep" if left_out else "")
