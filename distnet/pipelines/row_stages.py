"""Where rows come from: arrays, several datasets side by side, functions of rows."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import numpy as np

from distnet.checksums import checksum
from distnet.errors import DataError
from distnet.pipelines.elements import Element, as_element, count_rows
from distnet.pipelines.stage import INFINITE, UNKNOWN, PipelineStage
from distnet.tree import flatten, map_structure
from distnet.types import Array, Json


@dataclass(frozen=True, eq=False)
class Slices(PipelineStage):
    """The rows of arrays.

    Args:
        arrays: nested arrays of equally many rows.
    """

    arrays: Element

    @property
    def count(self) -> int:
        """As many as the arrays have rows."""
        return count_rows(self.arrays)

    def at(self, turn: int, i: int) -> Element:
        """See ``PipelineStage.at``."""
        return map_structure(lambda leaf: np.asarray(leaf[i]), self.arrays)

    def many(self, turn: int, places: Sequence[int]) -> Element:
        """See ``PipelineStage.many``."""
        return map_structure(lambda leaf: leaf[np.asarray(places, np.intp)], self.arrays)

    def facts(self) -> list[Json]:
        """Number of rows, and checksums."""
        return [self.count, *[_digest(leaf) for leaf in flatten(self.arrays)]]


def _digest(leaf: Array) -> int:
    """Of numbers their checksum; of paths that of the files' names, for ranks may find them in different folders."""
    if leaf.dtype.kind not in "OSU":
        return checksum(leaf)
    names = "\n".join(os.path.basename(str(entry)) for entry in leaf.reshape(-1))
    return checksum(np.frombuffer(names.encode("utf-8", "surrogateescape"), np.uint8))


@dataclass(frozen=True, eq=False)
class SeriesWindows(PipelineStage):
    """Windows of a time series.

    Args:
        steps: (time, ...).
        starts: the first time of each window.
        length: times in a window.
        rate: from one time in a window to the next.
    """

    steps: Array
    starts: Array
    length: int
    rate: int

    @property
    def count(self) -> int:
        """As many as there are starts."""
        return len(self.starts)

    def at(self, turn: int, i: int) -> Element:
        """See ``PipelineStage.at``."""
        return self.steps[self.starts[i] + np.arange(self.length) * self.rate]

    def many(self, turn: int, places: Sequence[int]) -> Element:
        """See ``PipelineStage.many``."""
        starts = self.starts[np.asarray(places, np.intp)]
        return self.steps[starts[:, None] + np.arange(self.length) * self.rate]

    def facts(self) -> list[Json]:
        """Checksums, and the windows' form."""
        return [checksum(self.steps), checksum(self.starts), self.length, self.rate]


@dataclass(frozen=True, eq=False)
class Zipped(PipelineStage):
    """Tuples of elements of several stages; as many as the shortest has."""

    parts: tuple[PipelineStage, ...]

    @property
    def sources(self) -> Sequence[PipelineStage]:
        """The parts."""
        return self.parts

    @property
    def count(self) -> int:
        """Of the shortest."""
        counts = [part.count for part in self.parts if part.count != INFINITE]
        return INFINITE if not counts else UNKNOWN if UNKNOWN in counts else min(counts)

    def at(self, turn: int, i: int) -> Element:
        """See ``PipelineStage.at``."""
        return tuple(part.at(turn, i) for part in self.parts)

    def many(self, turn: int, places: Sequence[int]) -> Element:
        """See ``PipelineStage.many``."""
        return tuple(part.many(turn, places) for part in self.parts)

    def stream(self, turn: int) -> Iterator[Element]:
        """See ``PipelineStage.stream``."""
        return zip(*(part.elements(turn) for part in self.parts), strict=False)

    def rows(self, turn: int, i: int) -> int | None:
        """See ``PipelineStage.rows``."""
        counts = {part.rows(turn, i) for part in self.parts}
        return counts.pop() if len(counts) == 1 else None

    def part(self, turn: int, i: int, rows: slice) -> Element:
        """See ``PipelineStage.part``."""
        return tuple(part.part(turn, i, rows) for part in self.parts)


@dataclass(frozen=True, eq=False)
class Mapped(PipelineStage):
    """A function of each element: of the parts of a tuple as its arguments."""

    inner: PipelineStage
    function: Callable[..., Any]

    @property
    def count(self) -> int:
        """As many as before."""
        return self.inner.count

    def at(self, turn: int, i: int) -> Element:
        """See ``PipelineStage.at``."""
        return as_element(applied(self.function, self.inner.at(turn, i)))

    def stream(self, turn: int) -> Iterator[Element]:
        """See ``PipelineStage.stream``."""
        return map(as_element, map(applied, repeat(self.function), self.inner.elements(turn)))


@dataclass(frozen=True, eq=False)
class Sifted(PipelineStage):
    """The elements of which a function is true."""

    inner: PipelineStage
    predicate: Callable[..., Any]

    @property
    def count(self) -> int:
        """Not known."""
        return UNKNOWN

    @property
    def is_addressed(self) -> bool:
        """No: which element is the i-th is known when all before it were looked at."""
        return False

    def at(self, turn: int, i: int) -> Element:
        """See ``PipelineStage.at``."""
        raise NotImplementedError

    def stream(self, turn: int) -> Iterator[Element]:
        """See ``PipelineStage.stream``."""
        for element in self.inner.elements(turn):
            verdict = np.asarray(applied(self.predicate, element))
            if verdict.ndim:
                raise DataError(f"filter: expected True or False, received an array of shape {verdict.shape}.")
            if verdict:
                yield element


@dataclass(frozen=True, eq=False)
class Enumerated(PipelineStage):
    """Pairs of a number, counted from ``start``, and an element."""

    inner: PipelineStage
    start: int = 0

    @property
    def count(self) -> int:
        """As many as before."""
        return self.inner.count

    def at(self, turn: int, i: int) -> Element:
        """See ``PipelineStage.at``."""
        return np.asarray(self.start + i, np.int64), self.inner.at(turn, i)

    def stream(self, turn: int) -> Iterator[Element]:
        """See ``PipelineStage.stream``."""
        for number, element in enumerate(self.inner.elements(turn), self.start):
            yield np.asarray(number, np.int64), element


def applied(function: Callable[..., Any], element: Element) -> Any:
    """What a user's function gives for an element."""
    return function(*element) if type(element) is tuple else function(element)
