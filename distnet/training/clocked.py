"""What a training works with, behind clocks: each does what it did, and its calls are intervals of a timeline."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from typing import Any

from distnet.data.batch import Batch
from distnet.parallel.exchange import StepSums
from distnet.timeline import (
    BACKWARD,
    CALLBACKS,
    EVALUATION,
    EXCHANGE,
    FINISHED_SUM,
    FORWARD,
    LOSS,
    STARTED_SUM,
    STEP,
    SUM,
    UPDATE,
    WAIT,
    WAITING,
    Timeline,
)
from distnet.types import Array


class Clocked:
    """An object, some of whose methods are timed.

    Args:
        inner: the object.
        timeline: where the calls become intervals.
        methods: the name and category of each method's calls.
    """

    def __init__(self, inner: Any, timeline: Timeline, **methods: tuple[str, str]) -> None:
        self.inner, self.timeline = inner, timeline
        for method, (name, category) in methods.items():
            setattr(self, method, timeline.timed(getattr(inner, method), name, category))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


class ClockedCommunicator(Clocked):
    """The other ranks: what is sent, and waiting for them where nothing is."""

    def __init__(self, inner: Any, timeline: Timeline) -> None:
        waits = "barrier", "local_barrier", "poll"
        sends = SUM, "broadcast", "broadcast_object"
        methods = dict.fromkeys(waits, (WAIT, WAITING)) | {method: (method, EXCHANGE) for method in sends}
        super().__init__(inner, timeline, **methods)

    def iallreduce(self, buffer: Array) -> Clocked:
        """Start the sum, which is waited for later."""
        with self.timeline.interval(STARTED_SUM, EXCHANGE):
            request = self.inner.iallreduce(buffer)
        return Clocked(request, self.timeline, wait=(FINISHED_SUM, EXCHANGE))

    def iallreduce_across_nodes(self, buffer: Array) -> Clocked:
        """As ``iallreduce``."""
        with self.timeline.interval("start allreduce across nodes", EXCHANGE):
            request = self.inner.iallreduce_across_nodes(buffer)
        return Clocked(request, self.timeline, wait=("finish allreduce across nodes", EXCHANGE))


class ClockedSource(Clocked):
    """Batches, each of which is waited for.

    Args:
        inner: where they come from.
        timeline: as of ``Clocked``; it is told of each step.
        step: how the interval is named, and its category.
        is_training: whether each batch is a step.
    """

    def __init__(self, inner: Any, timeline: Timeline, name: str, category: str, is_training: bool = False) -> None:
        super().__init__(inner, timeline)
        self.interval, self.is_training, self.taken = (name, category), is_training, 0

    def epoch(self, *args: Any, **options: Any) -> Generator[Batch, None, None]:
        """The batches of an epoch."""
        with closing(self.inner.epoch(*args, **options)) as batches:
            while True:
                if self.is_training:
                    self.timeline.come_to(self.taken)
                with self.timeline.interval(*self.interval):
                    batch = next(batches, None)
                if batch is None:
                    return
                self.taken += 1
                yield batch


class ClockedRuns(Clocked):
    """Runs of batches, forward and backward."""

    def of(self, batch: Batch, x: Sequence[Array]) -> Clocked:
        """What runs this batch."""
        parts = {
            "forward": ("forward", FORWARD),
            "backward": ("backward", BACKWARD),
            "evaluate": ("loss and metrics", LOSS),
        }
        return Clocked(self.inner.of(batch, x), self.timeline, **parts)


class ClockedExchange(Clocked):
    """The sum over ranks; the update within it is told from it."""

    def sum_and_update(self, optimizer: Any) -> StepSums:
        """Sum and update."""
        methods = dict.fromkeys(("apply", "advance", "finish"), ("update", UPDATE))
        with self.timeline.interval("sum over ranks", EXCHANGE):
            sums: StepSums = self.inner.sum_and_update(Clocked(optimizer, self.timeline, **methods))
        return sums


class ClockedSteps(Clocked):
    """Steps of training and of evaluation, counted."""

    def __init__(self, inner: Any, timeline: Timeline) -> None:
        super().__init__(inner, timeline, test=("validation batch", EVALUATION))
        self.taken = 0

    def train(self, batch: Batch, leave: bool = False, has_read: bool = False) -> StepSums:
        """Take a step."""
        with self.timeline.interval(f"step {self.taken}", STEP):
            sums: StepSums = self.inner.train(batch, leave, has_read)
        self.taken += 1
        return sums


class ClockedHooks(Clocked):
    """Callbacks' hooks, and the news of them among ranks."""

    def __init__(self, inner: Any, timeline: Timeline) -> None:
        share: tuple[str, str] = "share what callbacks changed", CALLBACKS
        shares = "share", "share_after_batch", "share_after_test_batch"
        super().__init__(inner, timeline, **(dict.fromkeys(shares, share) if inner.communicator.size > 1 else {}))

    def call(self, hook: str, *args: Any, **options: Any) -> None:
        """Call it on rank 0."""
        if self.inner.is_root:
            with self.timeline.interval(hook, CALLBACKS):
                self.inner.call(hook, *args, **options)
