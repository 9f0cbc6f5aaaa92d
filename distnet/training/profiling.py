"""A training whose parts are timed: what it works with stands behind clocks, for which no other training pays."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import replace
from platform import node
from typing import Any, ClassVar, TypeVar, cast

from distnet.callbacks.profiler import Profiler
from distnet.callbacks.rank_times import RankTimes
from distnet.comm import Communicator
from distnet.data.sources import Source
from distnet.errors import ArgumentError, CheckpointError
from distnet.parallel.clocks import clock_offsets
from distnet.timeline import DATA, EVALUATION, OWN_STEP, Timeline
from distnet.training.clocked import (
    Clocked,
    ClockedCommunicator,
    ClockedExchange,
    ClockedHooks,
    ClockedRuns,
    ClockedSource,
    ClockedSteps,
)
from distnet.training.fit_arguments import Fit
from distnet.training.memory import memory_use_of_steps

T = TypeVar("T")


class NoProfiling:
    """A ``fit`` without a profile: everything is as it is."""

    is_on: ClassVar[bool] = False

    def __init__(self, ranks: Communicator) -> None:
        self.ranks = ranks

    def timed_fit(self, fit: Fit) -> Fit:
        """What to train on."""
        return fit

    def timed_steps(self, make_steps: Callable[[Communicator], T]) -> T:
        """What takes the steps, made for the ranks."""
        return make_steps(self.ranks)

    def timed_hooks(self, hooks: T) -> T:
        """The callbacks."""
        return hooks

    def reported(self) -> AbstractContextManager[None]:
        """Within the block ``fit`` trains; at its end there is nothing to report."""
        return nullcontext()


class Profiling(NoProfiling):
    """The profile of one ``fit``: clocks around what it works with, and the report.

    Args:
        profiler: of this rank; that of rank 0 gets the report.
        ranks: that train.
    """

    is_on: ClassVar[bool] = True

    def __init__(self, profiler: Profiler, ranks: Communicator) -> None:
        super().__init__(ranks)
        self.profiler = profiler
        self.timeline = Timeline(*profiler.steps)
        self._clocks = clock_offsets(ranks)
        self._steps: Any = None

    def timed_fit(self, fit: Fit) -> Fit:
        """What to train on, behind clocks."""
        train, validation = ClockedSource(fit.train, self.timeline, "read data", DATA, is_training=True), fit.validation
        if validation is not None:
            clocked = ClockedSource(validation, self.timeline, "read validation data", EVALUATION)
            validation = cast(Source, clocked)
        return replace(fit, train=cast(Source, train), validation=validation)

    def timed_steps(self, make_steps: Callable[[Communicator], Any]) -> Any:
        """What takes the steps, and each part of a step, behind clocks."""
        line, ranks = self.timeline, self.ranks
        self._steps = steps = make_steps(
            ranks if ranks.size == 1 else cast(Communicator, ClockedCommunicator(ranks, line))
        )
        steps.timeline = line
        if hasattr(steps, "own"):
            own = {"train_step": ("train_step", OWN_STEP), "test_step": ("test_step", EVALUATION)}
            steps.own = Clocked(steps.own, line, **own)
        else:
            for part in steps.parts:
                part.timeline = line
                part.runs = ClockedRuns(part.runs, line)
            steps.exchange = ClockedExchange(steps.exchange, line)
        return ClockedSteps(steps, line)

    def timed_hooks(self, hooks: Any) -> Any:
        """The callbacks behind clocks: rank 0 calls them, and all ranks share what they changed."""
        return ClockedHooks(hooks, self.timeline)

    @contextmanager
    def reported(self) -> Iterator[None]:
        """Within the block ``fit`` trains; at its end rank 0 gets the report of all ranks.

        Of a training that ends by an error rank 0 reports what it did itself: the ranks may be anywhere.
        """
        self.profiler.is_at_work = True
        try:
            yield
        except BaseException:
            if self.ranks.rank == 0:
                with suppress(CheckpointError):
                    self.profiler.receive([self._own_times()], is_whole=False)
            raise
        finally:
            self.profiler.is_at_work = False
        of_ranks, error = self._gathered(), None
        if self.ranks.rank == 0:
            try:
                self.profiler.receive(of_ranks)
            except Exception as raised:
                error = raised
        self.ranks.relay(error)

    def _own_times(self) -> RankTimes:
        timeline, steps = self.timeline, self._steps
        memory = memory_use_of_steps(steps.model, [steps])
        return RankTimes(self.ranks.rank, node(), timeline.intervals, timeline.steps, timeline.left_out, memory=memory)

    def _gathered(self) -> list[RankTimes]:
        """What every rank did, on rank 0; the others' come one after the other, so that no rank holds them all."""
        gathered = []
        for rank, clock in enumerate(self._clocks):
            theirs = self.ranks.broadcast_object(self._own_times() if rank == self.ranks.rank else None, rank)
            if self.ranks.rank == 0 and theirs is not None:
                gathered.append(replace(theirs, offset_ns=clock.offset_ns, clock_error_ns=clock.error_ns))
        return gathered


def profiling_of(callbacks: Sequence[Any], ranks: Communicator) -> NoProfiling:
    """What profiles a ``fit`` with these callbacks, if one of them says so.

    Raises:
        ArgumentError: more than one does.
    """
    profilers = [callback for callback in callbacks if isinstance(callback, Profiler)]
    if len(profilers) > 1:
        raise ArgumentError(
            f"fit: expected one Profiler, received {len(profilers)}. Leave out profile=... where a Profiler is among "
            "the callbacks."
        )
    return Profiling(profilers[0], ranks) if profilers else NoProfiling(ranks)
