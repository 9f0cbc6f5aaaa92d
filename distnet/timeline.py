"""What a rank did when: intervals of time with names, kept in memory while a training is profiled."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import get_ident
from time import perf_counter_ns
from typing import Any, NamedTuple

STEP, FORWARD, BACKWARD, LOSS, OWN_STEP = "step", "forward", "backward", "loss", "own step"
WAITING, EXCHANGE, UPDATE = "waiting", "exchange", "update"
DATA, CALLBACKS, EVALUATION, INSTRUCTION = "data", "callbacks", "evaluation", "instruction"
"""Categories: what a rank does in an interval."""

WAIT = "wait for ranks"
"""The name of waiting, for nothing else."""

SUM, STARTED_SUM, FINISHED_SUM = "allreduce", "start allreduce", "finish allreduce"
"""Names: of a sum over all ranks; of one that is started, and waited for later."""

MOST_INTERVALS = 200_000
"""That a rank keeps, about 40 MB."""

_AT_LEAST = 10
"""First steps that are kept until as many of those wanted are: a short training has few others."""


class Interval(NamedTuple):
    """A named stretch of time.

    Args:
        thread: 0 is the thread that trains.
        depth: in how many intervals of the thread it lies.
        name: of a layer's call, an instruction, a phase of the step ...
        category: one of this module's.
        begin_ns, end_ns: by this process's ``time.perf_counter_ns``.
    """

    thread: int
    depth: int
    name: str
    category: str
    begin_ns: int
    end_ns: int


class Timeline:
    """The intervals of one rank.

    Args:
        first, last: steps to keep, counted from 0. Of a training that ends soon after the first one, or before it,
            the first steps are kept, too.

    Attributes:
        steps: how many steps there were.
        left_out: how many intervals there were beyond the most that are kept.
    """

    def __init__(self, first: int, last: int) -> None:
        self.first, self.last = first, last
        self.steps = self.left_out = 0
        self._is_open = False
        self._early = 0
        """Of the intervals kept those that are of earlier steps."""
        self._kept: list[Interval] = []
        self._under_way: defaultdict[int, list[tuple[str, str, int]]] = defaultdict(list)
        self._threads: dict[int, int] = {}

    @property
    def intervals(self) -> list[Interval]:
        """Those that have ended, in order of their ends."""
        is_apart = self._early and self.first > _AT_LEAST and self.steps <= self.first
        return self._kept[: self._early] if is_apart else list(self._kept)

    def come_to(self, step: int) -> None:
        """Say that this step is next; between steps nothing is under way."""
        self.steps = max(self.steps, step)
        if step == self.first:
            self._early = len(self._kept)
        if self._early and step == self._enough:
            del self._kept[: self._early]
            self._early = 0
        self._is_open = step < min(self.first, _AT_LEAST) or self.first <= step <= self.last

    @property
    def _enough(self) -> int:
        """The step before which enough of those wanted are kept: one where others lie between them and the first."""
        return min(self.first + (_AT_LEAST if self.first <= _AT_LEAST else 1), self.last + 1)

    def begin(self, name: str, category: str) -> None:
        """Begin an interval within the one under way in this thread."""
        self._under_way[get_ident()].append((name, category, perf_counter_ns()))

    def end(self) -> None:
        """End the interval that this thread began last."""
        end_ns, thread = perf_counter_ns(), get_ident()
        under_way = self._under_way[thread]
        name, category, begin_ns = under_way.pop()
        if not self._is_open:
            return
        if len(self._kept) >= MOST_INTERVALS:
            self.left_out += 1
            return
        number = self._threads.setdefault(thread, len(self._threads))
        self._kept.append(Interval(number, len(under_way), name, category, begin_ns, end_ns))

    @contextmanager
    def interval(self, name: str, category: str) -> Iterator[None]:
        """The block is an interval, however it ends; what began within it ends with it."""
        under_way = self._under_way[get_ident()]
        depth = len(under_way)
        self.begin(name, category)
        try:
            yield
        finally:
            while len(under_way) > depth:
                self.end()

    def timed(self, function: Callable[..., Any], name: str, category: str) -> Callable[..., Any]:
        """The function, each of whose calls is an interval."""

        def timed_function(*args: Any, **options: Any) -> Any:
            self.begin(name, category)
            made = function(*args, **options)
            self.end()
            return made

        return timed_function
