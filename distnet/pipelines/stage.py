"""A step of a pipeline: what its elements are, by their numbers wherever that can be said."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

from distnet.pipelines.elements import Element, sliced, stacked
from distnet.types import Json

INFINITE, UNKNOWN = -1, -2
"""Numbers of elements, as ``tf.data`` says them."""


@dataclass(frozen=True, eq=False)
class PipelineStage(ABC):
    """Elements that are made when they are asked for.

    Each pass through them has a number: what shuffles gives other orders to other passes. A stage whose elements
    have addresses makes any of them, ``at(turn, i)``, and any rows of a batch, so that a rank makes those it needs;
    of others ``elements`` gives one after the other.
    """

    @property
    @abstractmethod
    def count(self) -> int:
        """Number of elements; ``INFINITE``, ``UNKNOWN``."""

    @abstractmethod
    def at(self, turn: int, i: int) -> Element:
        """Element ``i`` of pass ``turn``, where elements have addresses."""

    @property
    def sources(self) -> Sequence[PipelineStage]:
        """The stages that this one takes elements from."""
        return [value for value in (getattr(self, f.name) for f in fields(self)) if isinstance(value, PipelineStage)]

    @property
    def is_addressed(self) -> bool:
        """Whether any element can be made by itself."""
        return all(source.is_addressed for source in self.sources)

    @property
    def turns(self) -> int:
        """How many passes through what is shuffled one pass through this takes."""
        return max([source.turns for source in self.sources], default=1)

    def elements(self, turn: int) -> Iterator[Element]:
        """All elements of a pass."""
        if not self.is_addressed:
            yield from self.stream(turn)
            return
        for i in itertools.count() if self.count == INFINITE else range(self.count):
            yield self.at(turn, i)

    def stream(self, turn: int) -> Iterator[Element]:
        """All elements of a pass, where they have no addresses."""
        raise NotImplementedError

    def many(self, turn: int, places: Sequence[int]) -> Element:
        """A batch of some elements."""
        return stacked([self.at(turn, i) for i in places], places[0])

    def rows(self, turn: int, i: int) -> int | None:
        """How many rows element ``i`` has; None unless it is a batch, and that is known before it is made."""
        return None

    def part(self, turn: int, i: int, rows: slice) -> Element:
        """Some rows of element ``i``, which is a batch."""
        return sliced(self.at(turn, i), rows)

    def begin(self, turns: int) -> int:
        """Begin a pass of a loop, which takes so many turns; the number of the first.

        Whoever loops gets another order each time, whichever of the datasets made of one shuffle it loops over.
        Training does not begin passes: its turns are those of its epochs.
        """
        return max([source.begin(turns) for source in self.sources], default=0)

    def facts(self) -> list[Json]:
        """What the elements depend on, and can be compared between ranks."""
        return [fact for source in self.sources for fact in source.facts()]


@dataclass(frozen=True, eq=False)
class Rearranged(PipelineStage):
    """The elements of other stages, in another order."""

    @abstractmethod
    def place(self, turn: int, i: int) -> tuple[PipelineStage, int, int]:
        """Where element ``i`` comes from: the stage, the pass through it, and its number there."""

    def at(self, turn: int, i: int) -> Element:
        """See ``PipelineStage.at``."""
        stage, its_turn, number = self.place(turn, i)
        return stage.at(its_turn, number)

    def rows(self, turn: int, i: int) -> int | None:
        """See ``PipelineStage.rows``."""
        stage, its_turn, number = self.place(turn, i)
        return stage.rows(its_turn, number)

    def part(self, turn: int, i: int, rows: slice) -> Element:
        """See ``PipelineStage.part``."""
        stage, its_turn, number = self.place(turn, i)
        return stage.part(its_turn, number, rows)

    def many(self, turn: int, places: Sequence[int]) -> Element:
        """See ``PipelineStage.many``."""
        those = [self.place(turn, i) for i in places]
        if any(stage is not those[0][0] or its_turn != those[0][1] for stage, its_turn, _ in those):
            return super().many(turn, places)
        return those[0][0].many(those[0][1], [number for _, _, number in those])


class HasPipeline:
    """A ``Dataset``, to those that take its elements: it is known before its many stages are imported."""

    stage: PipelineStage
