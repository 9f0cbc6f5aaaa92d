"""Elements put into batches, batches taken apart, and elements kept."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from distnet.pipelines.elements import Element, count_rows, padded, read_only, sliced, stacked
from distnet.pipelines.stage import INFINITE, UNKNOWN, PipelineStage
from distnet.tree import map_structure


@dataclass(frozen=True, eq=False)
class Batched(PipelineStage):
    """Batches of ``size`` elements; the last one may be smaller, unless it is dropped."""

    inner: PipelineStage
    size: int
    drops_remainder: bool = False

    @property
    def count(self) -> int:
        """Rounded up, or down where the remainder is dropped."""
        elements = self.inner.count
        if elements in (INFINITE, UNKNOWN):
            return elements
        return elements // self.size if self.drops_remainder else -(-elements // self.size)

    def at(self, turn: int, i: int) -> Element:
        """See ``PipelineStage.at``."""
        rows = self.rows(turn, i)
        return self.part(turn, i, slice(0, rows))

    def rows(self, turn: int, i: int) -> int:
        """See ``PipelineStage.rows``."""
        elements = self.inner.count
        return self.size if elements == INFINITE else min(self.size, elements - i * self.size)

    def part(self, turn: int, i: int, rows: slice) -> Element:
        """See ``PipelineStage.part``."""
        first = i * self.size
        return self.inner.many(turn, range(first, first + self.rows(turn, i))[rows])

    def stream(self, turn: int) -> Iterator[Element]:
        """See ``PipelineStage.stream``."""
        yield from _streamed(self.inner.elements(turn), self.size, self.drops_remainder, stacked)


@dataclass(frozen=True, eq=False)
class PaddedBatched(PipelineStage):
    """As ``Batched``, with elements filled up with zeros to the largest of a batch, for which all of it is needed."""

    inner: PipelineStage
    size: int
    drops_remainder: bool = False

    @property
    def count(self) -> int:
        """See ``Batched``."""
        return self._batches.count

    def at(self, turn: int, i: int) -> Element:
        """See ``PipelineStage.at``."""
        first = i * self.size
        places = range(first, first + self._batches.rows(turn, i))
        return padded([self.inner.at(turn, place) for place in places])

    def stream(self, turn: int) -> Iterator[Element]:
        """See ``PipelineStage.stream``."""
        yield from _streamed(self.inner.elements(turn), self.size, self.drops_remainder, padded)

    @property
    def _batches(self) -> Batched:
        return Batched(self.inner, self.size, self.drops_remainder)


def _streamed(
    elements: Iterator[Element], size: int, drops_remainder: bool, put: Callable[[list[Element]], Element]
) -> Iterator[Element]:
    while waiting := list(itertools.islice(elements, size)):
        if len(waiting) < size and drops_remainder:
            return
        yield put(waiting)


@dataclass(frozen=True, eq=False)
class Unbatched(PipelineStage):
    """The rows of batches, of sizes that are not known before."""

    inner: PipelineStage

    @property
    def count(self) -> int:
        """Not known, but for none and infinitely many."""
        return self.inner.count if self.inner.count in (0, INFINITE) else UNKNOWN

    @property
    def is_addressed(self) -> bool:
        """No."""
        return False

    def at(self, turn: int, i: int) -> Element:
        """See ``PipelineStage.at``."""
        raise NotImplementedError

    def stream(self, turn: int) -> Iterator[Element]:
        """See ``PipelineStage.stream``."""
        for batch in self.inner.elements(turn):
            for row in range(count_rows(batch, "unbatch")):
                yield map_structure(lambda leaf, row=row: leaf[row, ...], batch)


@dataclass(frozen=True, eq=False)
class Cached(PipelineStage):
    """Elements that are made once, in the order of the first pass, and kept in memory.

    Of batches each rank keeps the rows that it asks for.
    """

    inner: PipelineStage
    kept: dict[object, Element] = field(default_factory=dict, repr=False, compare=False)

    @property
    def count(self) -> int:
        """As many as before."""
        return self.inner.count

    @property
    def turns(self) -> int:
        """All passes are alike."""
        return 1

    def begin(self, turns: int) -> int:
        """All passes are alike."""
        return 0

    def at(self, turn: int, i: int) -> Element:
        """See ``PipelineStage.at``."""
        return self._kept(i, lambda: self.inner.at(0, i))

    def rows(self, turn: int, i: int) -> int | None:
        """See ``PipelineStage.rows``."""
        return self.inner.rows(0, i)

    def part(self, turn: int, i: int, rows: slice) -> Element:
        """See ``PipelineStage.part``."""
        if i in self.kept:
            return sliced(self.kept[i], rows)
        return self._kept((i, rows.start, rows.stop), lambda: self.inner.part(0, i, rows))

    def stream(self, turn: int) -> Iterator[Element]:
        """See ``PipelineStage.stream``."""
        if "all" not in self.kept:
            made = []
            for element in self.inner.elements(0):
                made.append(map_structure(read_only, element))
                yield made[-1]
            self.kept["all"] = made
            return
        yield from self.kept["all"]

    def _kept(self, key: object, make: Callable[[], Element]) -> Element:
        if key not in self.kept:
            self.kept[key] = map_structure(read_only, make())
        return self.kept[key]
