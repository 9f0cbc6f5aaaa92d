"""Where global batches come from: arrays, which are indexed, and sequences of batches, which every rank asks.

Of every batch each rank gets its own rows. Generators and datasets have files of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from itertools import count, islice
from typing import Any, ClassVar, Protocol, TypeVar

from distnet import addresses
from distnet.comm import Communicator
from distnet.comm.shares import shard
from distnet.comm.work import at_work
from distnet.data.arrays import ArrayData, naming, shuffled
from distnet.data.batch import Batch
from distnet.data.feeding import Feeding
from distnet.data.reading_ahead import ReadingAhead
from distnet.errors import DataError
from distnet.types import Json

T = TypeVar("T")

Unpack = Callable[[Any], ArrayData]
"""Makes arrays that fit the model of what a sequence or a generator gives."""


class Source(Protocol):
    """Global batches, of which this rank gets its rows.

    Attributes:
        batches: number of batches of an epoch; None for a generator, which does not say.
        sample: a few rows, or the first batch, to tell shapes by.
        facts: what the rows of a batch depend on besides its number, by name.
        drawn: batches and epochs taken so far, where the next one depends on that.
        has_addresses: whether the next one depends on nothing but its number.
        takes_room: whether it asks for memory, for rows that it gathers one batch after the other.
    """

    has_addresses: ClassVar[bool]

    @property
    def takes_room(self) -> bool: ...

    @property
    def batches(self) -> int | None: ...

    @property
    def sample(self) -> ArrayData: ...

    @property
    def facts(self) -> dict[str, Json]: ...

    @property
    def drawn(self) -> tuple[int, int]: ...

    def check(self, dtype: str) -> None:
        """Look at what this rank can see without the others, before the first batch.

        Args:
            dtype: the model's.

        Raises:
            DataError: names the array and the row of what cannot be trained on.
        """

    def epoch(self, number: int, batches: int | None, seed: int = 0, first: int = 0) -> Generator[Batch, None, None]:
        """The batches of epoch ``number`` from its ``first`` on, in an order addressed by ``seed``.

        Args:
            batches: of the whole epoch; there are fewer where the data end.
        """

    def skip(self, drawn: tuple[int, int]) -> None:
        """Be as if so many batches and epochs had been taken."""

    def keep(self) -> None:
        """From here on remember what is taken, so that ``skip`` can go back to here."""

    def feed(self, feeding: Feeding) -> None:
        """From now on put rows where ``feeding`` says, if they are gathered from arrays."""


@dataclass
class ArraySource:
    """Batches of arrays in memory.

    Args:
        data: the rows.
        batch_size: rows of a global batch.
        ranks: who shares them.
        shuffle: see ``shuffled``.
        feeding: where rows go, if they are gathered; None for memory of each batch's own.
    """

    has_addresses: ClassVar[bool] = True

    data: ArrayData
    batch_size: int
    ranks: Communicator
    shuffle: bool | str = False
    feeding: Feeding | None = None

    @property
    def batches(self) -> int:
        """The last batch may be smaller."""
        return self.data.batches_per_epoch(self.batch_size)

    @property
    def sample(self) -> ArrayData:
        """All rows."""
        return self.data

    @property
    def facts(self) -> dict[str, Json]:
        """Rows and batches, and how they are shuffled."""
        return {"rows": self.data.rows, "batch_size": self.batch_size, "shuffle": self.shuffle}

    @property
    def drawn(self) -> tuple[int, int]:
        """Nothing: batches of arrays have addresses."""
        return 0, 0

    def check(self, dtype: str) -> None:
        """This rank's share of the rows."""
        self.data.check_finite(shard(self.data.rows, self.ranks.rank, self.ranks.size), dtype)

    def skip(self, drawn: tuple[int, int]) -> None:
        """Nothing to do."""

    def keep(self) -> None:
        """Nothing to do: batches have addresses."""

    @property
    def takes_room(self) -> bool:
        """Unless rows lie in order, or many batches are gathered together."""
        return bool(self.shuffle) and self.data.batches_at_once(self.batch_size) < 2

    def feed(self, feeding: Feeding) -> None:
        """As of any source."""
        self.feeding = feeding

    def epoch(self, number: int, batches: int | None, seed: int = 0, first: int = 0) -> Generator[Batch, None, None]:
        """The batches of an epoch, from its ``first`` on.

        With fewer steps than the rows have batches, epochs go on where the last one stopped; which
        batches are an epoch's depends on its number alone, so that a resumed training meets the same.
        """
        if self.feeding is None or not self.takes_room:
            yield from self._rounds(number, batches, seed, first, self.data.batches)
            return
        gathers = partial(self.data.gathers, room=self.feeding.room)
        with closing(self.feeding.in_order(self._rounds(number, batches, seed, first, gathers))) as each:
            yield from each

    def _rounds(
        self, number: int, batches: int | None, seed: int, first: int, of_round: Callable[..., Iterator[T]]
    ) -> Generator[T, None, None]:
        """What ``of_round`` gives for the batches of an epoch, which may be of several rounds through the rows.

        Args:
            of_round: takes the batch size, this rank's share, the order of the rows, the first batch's number, and
                whether ranks share it.
        """
        share = partial(shard, rank=self.ranks.rank, size=self.ranks.size)
        for round_, at, taken in rounds(self.batches, number, batches, first):
            order = shuffled(self.data.rows, self.batch_size, self.shuffle, seed, round_)
            yield from islice(of_round(self.batch_size, share, order, at, self.ranks.size > 1), taken)


@dataclass
class SequenceSource:
    """Batches of an object with ``len`` and ``[i]``, such as ``keras.utils.Sequence``.

    One that offers ``rows(round, i, part)`` and ``global_rows(i)`` is asked for this rank's rows only;
    of any other each rank makes the whole batch and keeps its rows.

    Args:
        sequence: whose items are ``(x, y)`` or ``(x, y, sample_weight)``.
        unpack: makes arrays of an item.
        ranks: who shares the batches.
        shuffle: whether the batches come in an order addressed by seed and epoch.
        reading: how far ahead batches are made.
        ended: epochs that the sequence was told the end of.
        begun: the epoch that it was told the beginning of, until it is told its end.
    """

    has_addresses: ClassVar[bool] = False
    takes_room: ClassVar[bool] = False

    sequence: Any
    unpack: Unpack
    ranks: Communicator
    shuffle: bool = False
    reading: ReadingAhead = ReadingAhead()
    ended: int = 0
    begun: int | None = None

    @property
    def batches(self) -> int | None:
        """Length of the sequence; None where it has no end."""
        count: int | None = self.sequence.num_batches if says_its_batches(self.sequence) else len(self.sequence)
        return count

    @property
    def sample(self) -> ArrayData:
        """The first batch."""
        if self.batches == 0:
            raise DataError("x: expected a sequence of at least one batch, received one of length 0.")
        with naming("batch 0 of the sequence"):
            return self.unpack(self.sequence[0])

    @property
    def facts(self) -> dict[str, Json]:
        """Number of batches, and whether they are shuffled."""
        return {"batches": self.batches, "shuffle": self.shuffle}

    @property
    def drawn(self) -> tuple[int, int]:
        """How often the sequence was told of an epoch's end."""
        return 0, self.ended

    def check(self, dtype: str) -> None:
        """The first batch."""
        self.sample.check_finite(slice(0, self.sample.rows), dtype)

    def feed(self, feeding: Feeding) -> None:
        """Nothing: the sequence makes its batches where it wants."""

    def keep(self) -> None:
        """Nothing to do: batches have numbers."""

    def skip(self, drawn: tuple[int, int]) -> None:
        """Tell the sequence of the ends of epochs that were before an interruption."""
        for _ in range(self.ended, drawn[1]):
            self._end()

    def epoch(self, number: int, batches: int | None, seed: int = 0, first: int = 0) -> Generator[Batch, None, None]:
        """The batches of an epoch from its ``first`` on, after which the sequence is told of its end.

        With fewer steps than the sequence has batches, and of one without end, epochs go on where the last one stopped.
        """
        if hasattr(self.sequence, "on_epoch_begin") and self.begun != number:
            self.sequence.on_epoch_begin()
        self.begun = number
        # Parts of batches have addresses; whole ones are made in order, as by chance they may be.
        yield from self.reading.or_of(self.sequence).in_order(
            lambda place: self._batch(*place),
            self._places(number, batches, seed, first),
            hasattr(self.sequence, "rows"),
        )
        self._end()

    def _places(self, number: int, batches: int | None, seed: int, first: int) -> Iterator[tuple[int, int]]:
        """The rounds and numbers of an epoch's batches."""
        length = self.batches
        if length is None:
            yield from ((number, i) for i in islice(count(number * (batches or 0)), first, batches))
            return
        for round_, at, taken in rounds(length, number, batches, first):
            order = addresses.generator(seed, "shuffle", round_).permutation(length) if self.shuffle else None
            for i in range(at, at + taken):
                yield round_, i if order is None else int(order[i])

    def _end(self) -> None:
        self.ended += 1
        self.begun = None
        if hasattr(self.sequence, "on_epoch_end"):
            self.sequence.on_epoch_end()

    def _batch(self, round_: int, i: int) -> Batch:
        share = partial(shard, rank=self.ranks.rank, size=self.ranks.size)
        at_work(f"batch {i} of the sequence")
        with naming(f"batch {i} of the sequence"):
            if not hasattr(self.sequence, "rows"):
                data = self.unpack(self.sequence[i])
                checksums = data.checksums() if self.ranks.size > 1 else ()
                return data.batch(None, 0, data.rows, share, checksums=checksums)
            rows = self.sequence.global_rows(i)
            part = share(rows)
            # A rank without rows asks for one, from which it takes shapes and no rows.
            is_idle = part.stop == part.start
            data = self.unpack(self.sequence.rows(round_, i, slice(0, 1) if is_idle else part))
            kept = data.batch(None, 0, data.rows, lambda given: slice(0, 0 if is_idle else given))
            return replace(kept, first_row=part.start, global_rows=rows)


def rounds(length: int, number: int, steps: int | None, first: int) -> Iterator[tuple[int, int, int]]:
    """Where the steps of an epoch lie in rounds through all batches.

    Args:
        length: batches of a round.
        number: of the epoch.
        steps: of every epoch; None for ``length``.
        first: the step to begin with.

    Yields:
        A round's number, the place in it to begin at, and how many batches to take.
    """
    steps = length if steps is None else steps
    left = steps - first
    round_, at = divmod(number * steps + first, length)
    while left > 0:
        taken = min(left, length - at)
        yield round_, at, taken
        left, round_, at = left - taken, round_ + 1, 0


def says_its_batches(sequence: Any) -> bool:
    """Whether it is a dataset of Keras 3's kind, whose number of batches may be None."""
    return hasattr(type(sequence), "num_batches")
