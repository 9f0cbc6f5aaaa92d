"""Elements in another order, fewer or more of them: shuffle, take, skip, repeat, concatenate, shard."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

from distnet.pipelines.buffer_shuffle import ShuffleSeeds, buffer_order, shuffled_by_buffer
from distnet.pipelines.elements import Element
from distnet.pipelines.stage import INFINITE, UNKNOWN, PipelineStage, Rearranged
from distnet.types import Array, Json


@dataclass(frozen=True, eq=False)
class Shuffled(Rearranged):
    """Elements in the order of ``shuffled_by_buffer``.

    Args:
        inner: the stage shuffled.
        buffer_size: how many wait at a time.
        seeds: where the random numbers begin.
        is_reshuffled: whether each pass has an order of its own.
        begun: how many passes loops have begun.
    """

    inner: PipelineStage
    buffer_size: int
    seeds: ShuffleSeeds
    is_reshuffled: bool = True
    begun: list[int] = field(default_factory=lambda: [0], repr=False)

    @property
    def count(self) -> int:
        """As many as before."""
        return self.inner.count

    @property
    def is_addressed(self) -> bool:
        """Unless there are infinitely many elements."""
        return super().is_addressed and self.inner.count != INFINITE

    def place(self, turn: int, i: int) -> tuple[PipelineStage, int, int]:
        """See ``Rearranged.place``."""
        return self.inner, turn, int(_order(self.inner.count, self.buffer_size, self._seeds(turn))[i])

    def stream(self, turn: int) -> Iterator[Element]:
        """See ``PipelineStage.stream``."""
        return shuffled_by_buffer(self.inner.elements(turn), self.buffer_size, self._seeds(turn))

    def begin(self, turns: int) -> int:
        """See ``PipelineStage.begin``."""
        super().begin(turns)
        self.begun[0] += turns
        return self.begun[0] - turns

    def facts(self) -> list[Json]:
        """With the seeds."""
        return [*super().facts(), self.buffer_size, self.seeds.one, self.seeds.two]

    def _seeds(self, turn: int) -> ShuffleSeeds:
        return self.seeds.of_pass(turn) if self.is_reshuffled else self.seeds


@functools.lru_cache(maxsize=16)
def _order(rows: int, buffer_size: int, seeds: ShuffleSeeds) -> Array:
    return buffer_order(rows, buffer_size, seeds)


@dataclass(frozen=True, eq=False)
class Taken(Rearranged):
    """The elements from ``start`` to ``stop`` (None: to the end), one of ``step``."""

    inner: PipelineStage
    start: int = 0
    stop: int | None = None
    step: int = 1

    @property
    def count(self) -> int:
        """Not known where the elements have not been counted."""
        if self.inner.count == INFINITE:
            return INFINITE if self.stop is None else len(range(self.start, self.stop, self.step))
        if self.inner.count == UNKNOWN:
            return UNKNOWN if self.stop != 0 else 0
        return len(range(self.inner.count)[self.start : self.stop : self.step])

    def place(self, turn: int, i: int) -> tuple[PipelineStage, int, int]:
        """See ``Rearranged.place``."""
        return self.inner, turn, self.start + i * self.step

    def stream(self, turn: int) -> Iterator[Element]:
        """See ``PipelineStage.stream``."""
        return itertools.islice(self.inner.elements(turn), self.start, self.stop, self.step)


@dataclass(frozen=True, eq=False)
class Repeated(Rearranged):
    """Several passes, or infinitely many, one after the other.

    Args:
        inner: the stage repeated.
        times: how often; None for ever.
    """

    inner: PipelineStage
    times: int | None = None

    @property
    def count(self) -> int:
        """A multiple of what it was."""
        if self.times == 0 or self.inner.count == 0:
            return 0
        if self.times is None or self.inner.count == INFINITE:
            return INFINITE
        return UNKNOWN if self.inner.count == UNKNOWN else self.times * self.inner.count

    @property
    def turns(self) -> int:
        """As many for each pass."""
        return max(1, self.times or 1) * self.inner.turns

    def place(self, turn: int, i: int) -> tuple[PipelineStage, int, int]:
        """See ``Rearranged.place``."""
        if self.inner.count == INFINITE:
            return self.inner, turn, i
        passed, number = divmod(i, self.inner.count)
        return self.inner, turn + passed * self.inner.turns, number

    def stream(self, turn: int) -> Iterator[Element]:
        """See ``PipelineStage.stream``."""
        for passed in itertools.count() if self.times is None else range(self.times):
            is_empty = True
            for element in self.inner.elements(turn + passed * self.inner.turns):
                is_empty = False
                yield element
            if is_empty:
                return


@dataclass(frozen=True, eq=False)
class Concatenated(Rearranged):
    """The elements of one stage, then those of another."""

    first: PipelineStage
    second: PipelineStage

    @property
    def count(self) -> int:
        """Their sum."""
        counts = self.first.count, self.second.count
        return INFINITE if INFINITE in counts else UNKNOWN if UNKNOWN in counts else sum(counts)

    @property
    def is_addressed(self) -> bool:
        """Where the first can be counted."""
        return super().is_addressed and self.first.count != UNKNOWN

    def place(self, turn: int, i: int) -> tuple[PipelineStage, int, int]:
        """See ``Rearranged.place``."""
        is_first = self.first.count == INFINITE or i < self.first.count
        return (self.first, turn, i) if is_first else (self.second, turn, i - self.first.count)

    def stream(self, turn: int) -> Iterator[Element]:
        """See ``PipelineStage.stream``."""
        return itertools.chain(self.first.elements(turn), self.second.elements(turn))
