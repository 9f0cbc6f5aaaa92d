"""Batches of a ``Dataset``: each rank makes its own rows, where these can be made by themselves."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count, islice
from typing import Any, ClassVar

from distnet.comm import Communicator
from distnet.comm.shares import shard
from distnet.comm.work import at_work
from distnet.data.arrays import ArrayData, naming
from distnet.data.batch import Batch
from distnet.data.feeding import Feeding
from distnet.data.sources import Unpack, rounds
from distnet.errors import DataError
from distnet.pipelines.stage import INFINITE, UNKNOWN, PipelineStage
from distnet.types import Json


@dataclass
class DatasetSource:
    """Batches whose elements are made by a pipeline.

    Args:
        stage: the last step of the pipeline.
        unpack: makes arrays of an element.
        ranks: who shares the batches.
    """

    has_addresses: ClassVar[bool] = False
    takes_room: ClassVar[bool] = False

    stage: PipelineStage
    unpack: Unpack
    ranks: Communicator
    _stream: Iterator[Any] | None = field(default=None, init=False, repr=False)
    _place: int = field(default=0, init=False, repr=False)

    @property
    def batches(self) -> int | None:
        """Number of elements; None where it is infinite or not known."""
        return None if self.stage.count < 0 else self.stage.count

    @property
    def is_endless(self) -> bool:
        """Whether an epoch does not end by itself."""
        return self.stage.count == INFINITE

    @property
    def sample(self) -> ArrayData:
        """A row of the first batch, where it can be made by itself; else the first batch.

        Raises:
            DataError: there is none.
        """
        stage = self.stage
        with naming("batch 0 of the dataset"):
            if stage.is_addressed and stage.count != 0 and stage.rows(0, 0) is not None:
                return self.unpack(stage.part(0, 0, slice(0, 1)))
            first = list(islice(stage.elements(0), 1))
            if not first:
                raise DataError("x: expected a dataset of at least one batch, received one without any.")
            return self.unpack(first[0])

    @property
    def facts(self) -> dict[str, Json]:
        """Number of batches, and what they are made of."""
        return {"batches": self.batches, "dataset": self.stage.facts()}

    @property
    def drawn(self) -> tuple[int, int]:
        """Nothing: elements have addresses, or are made anew for each pass."""
        return 0, 0

    def check(self, dtype: str) -> None:
        """Nothing: batches are looked at when they are made."""

    def feed(self, feeding: Feeding) -> None:
        """Nothing: the pipeline makes its batches where it wants."""

    def keep(self) -> None:
        """Nothing to do: batches have places."""

    def skip(self, drawn: tuple[int, int]) -> None:
        """Nothing to do."""

    def epoch(self, number: int, batches: int | None, seed: int = 0, first: int = 0) -> Generator[Batch, None, None]:
        """The batches of an epoch, from its ``first`` on.

        With fewer steps than there are batches, and of a dataset without end, epochs go on where the last one stopped.
        """
        stage = self.stage
        if stage.is_addressed and stage.count != UNKNOWN:
            yield from (self._made(turn, i) for turn, i in self._places(number, batches, first))
        elif batches is None:
            yield from map(self._whole, count(first), islice(stage.elements(number * stage.turns), first, None))
        else:
            yield from self._drawn(number * batches + first, batches - first)

    def _places(self, number: int, batches: int | None, first: int) -> Iterator[tuple[int, int]]:
        """The passes and numbers of an epoch's batches."""
        if self.is_endless:
            start = number * (batches or 0)
            yield from ((0, i) for i in islice(count(start), first, batches))
            return
        for round_, at, taken in rounds(self.stage.count, number, batches, first):
            yield from ((round_ * self.stage.turns, i) for i in range(at, at + taken))

    def _drawn(self, place: int, wanted: int) -> Iterator[Batch]:
        """Batches of passes one after the other, from number ``place`` of all on."""
        if self._stream is None or self._place > place:
            self._stream, self._place = self._passes(), 0
        for _ in islice(self._stream, place - self._place):
            self._place += 1
        for element in islice(self._stream, wanted):
            self._place += 1
            yield self._whole(self._place - 1, element)

    def _passes(self) -> Iterator[Any]:
        for number in count():
            is_empty = True
            for element in self.stage.elements(number * self.stage.turns):
                is_empty = False
                yield element
            if is_empty:
                return

    def _made(self, turn: int, i: int) -> Batch:
        at_work(f"batch {i} of the dataset")
        rows = self.stage.rows(turn, i)
        if rows is None:
            return self._whole(i, self.stage.at(turn, i))
        part = self._share(rows)
        # A rank without rows makes one, from which it takes shapes and no rows.
        is_idle = part.stop == part.start
        with naming(f"batch {i} of the dataset"):
            data = self.unpack(self.stage.part(turn, i, slice(0, 1) if is_idle else part))
        kept = data.batch(None, 0, data.rows, lambda given: slice(0, 0 if is_idle else given))
        return replace(kept, first_row=part.start, global_rows=rows)

    def _whole(self, number: int, element: Any) -> Batch:
        """This rank's rows of a batch that every rank has made."""
        with naming(f"batch {number} of the dataset"):
            data = self.unpack(element)
        checksums = data.checksums() if self.ranks.size > 1 else ()
        return data.batch(None, 0, data.rows, self._share, checksums=checksums)

    @property
    def _share(self) -> Callable[[int], slice]:
        return partial(shard, rank=self.ranks.rank, size=self.ranks.size)
