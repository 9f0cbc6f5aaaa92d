"""Batches that a generator yields: rank 0 draws, and hands the others their rows."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from functools import cached_property, partial
from itertools import chain, count, islice
from typing import Any, ClassVar

from distnet.comm import Communicator
from distnet.comm.shares import shard
from distnet.comm.work import at_work
from distnet.data.arrays import ArrayData, naming
from distnet.data.batch import Batch
from distnet.data.feeding import Feeding
from distnet.data.sources import Unpack
from distnet.errors import DataError, DistnetError
from distnet.types import Json


class GeneratorSource:
    """Batches that a generator yields: rank 0 draws, every rank is handed its rows.

    Args:
        generator: yields ``(x, y)`` or ``(x, y, sample_weight)``; drawn from on rank 0 only.
        unpack: makes arrays of what it yields.
        ranks: who shares the batches.
        meet: is shown every batch, also on the ranks that do not draw.
    """

    batches = None
    has_addresses: ClassVar[bool] = False
    takes_room: ClassVar[bool] = False

    def __init__(
        self, generator: Iterator[Any], unpack: Unpack, ranks: Communicator, meet: Callable[[Batch], None]
    ) -> None:
        self.unpack, self.ranks, self.meet = unpack, ranks, meet
        self._taken = 0
        self._drawn = generator
        self._kept_from = 0
        self._kept: list[Any] | None = None

    @cached_property
    def sample(self) -> ArrayData:
        """The first batch, which rank 0 hands to all, whole: all ranks ask for it together, before any other.

        Raises:
            DataError: there is none.
            Exception: rank 0's generator fails.
        """
        first, failure = [], None
        if self.ranks.rank == 0:
            try:
                first = list(islice(self._drawn, 1))
            except Exception as error:  # the user's own, which all ranks raise here
                failure = error
        self.ranks.relay(failure)
        first = self.ranks.broadcast_object(first)
        if not first:
            raise DataError("x: expected a generator of batches, received one that yields nothing.")
        self._drawn = chain(first, self._drawn)
        with naming("batch 0 of the generator"):
            return self.unpack(first[0])

    @property
    def facts(self) -> dict[str, Json]:
        """None are known."""
        return {}

    @property
    def drawn(self) -> tuple[int, int]:
        """The batches taken."""
        return self._taken, 0

    def check(self, dtype: str) -> None:
        """Nothing: batches are looked at when they are drawn."""

    def feed(self, feeding: Feeding) -> None:
        """Nothing: the generator makes its batches where it wants."""

    def keep(self) -> None:
        """Remember the batches that are drawn from here on."""
        self._kept_from, self._kept = self._taken, []

    def skip(self, drawn: tuple[int, int]) -> None:
        """Draw and drop batches, those that were trained on before an interruption; or give kept ones again.

        Raises:
            DataError: there are not so many.
        """
        if self.ranks.rank == 0 and self._kept is not None:
            self._drawn = chain(self._kept[drawn[0] - self._kept_from :], self._drawn)
        elif self.ranks.rank == 0:
            wanted = drawn[0] - self._taken
            dropped = 0
            for _ in islice(self._drawn, wanted):
                dropped += 1
                at_work(f"batch {dropped} of the generator, which was trained on before")
            if dropped < wanted:
                raise DataError(
                    f"x: expected a generator of the batches that this training is resumed on, received one that ends "
                    f"after {self._taken + dropped}, when {drawn[0]} had been trained on. Start it from its beginning."
                )
        self._taken = drawn[0]
        if self._kept is not None:
            self.keep()

    def epoch(self, number: int, batches: int | None, seed: int = 0, first: int = 0) -> Generator[Batch, None, None]:
        """The next batches, up to ``batches`` in the epoch; fewer where the generator runs dry."""
        for _ in islice(count(), first, batches):
            parts = self._parts() if self.ranks.rank == 0 else None
            batch = self.ranks.scatter_object(parts)
            if batch is None:
                return
            if isinstance(batch, DistnetError):
                raise batch
            self._taken += 1
            self.meet(batch)
            yield batch

    def _parts(self) -> list[Batch | DistnetError | None]:
        """Each rank's rows of the next batch; for each None once there is none, or what is wrong with it."""
        at_work(f"batch {self._taken} of the generator")
        drawn = list(islice(self._drawn, 1))
        if self._kept is not None:
            self._kept += drawn
        if not drawn:
            return [None] * self.ranks.size
        try:
            with naming(f"batch {self._taken} of the generator"):
                data = self.unpack(drawn[0])
        except DistnetError as error:
            return [error] * self.ranks.size
        shares = (partial(shard, rank=rank, size=self.ranks.size) for rank in range(self.ranks.size))
        return [data.batch(None, 0, data.rows, share) for share in shares]
