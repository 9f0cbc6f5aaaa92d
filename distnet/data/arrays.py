"""Arrays in memory -> global batches, of which each rank takes its rows."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import repeat, zip_longest
from typing import TypeAlias, TypeVar

import numpy as np

from distnet import addresses
from distnet.arguments import check_option
from distnet.checksums import checksum
from distnet.data.batch import Batch, Places
from distnet.data.feeding import Gather, Room
from distnet.errors import ArgumentError, DataError, ShapeError
from distnet.types import Array, DType

Share: TypeAlias = Callable[[int], slice]
"""Picks one rank's part of a number of rows."""

_ROWS_PER_CHECK = 4096
_LOOKED_AT = 1 << 14
"""Bytes of each array whose checksum is compared in a step: some rows of more."""
_AT_ONCE_BYTES, _MOST_AT_ONCE = 1 << 16, 100
"""Of rows that are gathered at once for several batches, and the most of these: taking a few rows takes longer than
looking where they are."""

_MOST_KEPT = 4096
"""Rows whose order is kept."""

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class _Place:
    """Where the rows of batches of one size are put, one after the other: such batches are alike.

    Args:
        part: this rank's, of the rows.
        rooms: memory for the rows of each input, or None.
        looked_at: the arrays whose checksums are taken, with their names, and of which rows: one of so many.
    """

    part: slice
    rooms: list[Array | None]
    looked_at: list[tuple[str, Array, int]]


@dataclass(frozen=True)
class ArrayData:
    """Arrays of equal length: inputs, targets and sample weights.

    Args:
        x: one array for each input.
        y: one array for each output; empty when there are no targets.
        weight: one array of sample weights for each output, or None.
    """

    x: tuple[Array, ...]
    y: tuple[Array, ...] = ()
    weight: tuple[Array | None, ...] = ()

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.x[0])

    def named(self) -> list[tuple[str, Array]]:
        """The arrays with their names: ``x``, or ``x[0]``, ``x[1]`` where there are several."""
        groups = (("x", self.x), ("y", self.y), ("sample_weight", self.weight))
        return [
            (f"{name}[{i}]" if len(arrays) > 1 else name, array)
            for name, arrays in groups for i, array in enumerate(arrays) if array is not None
        ]  # fmt: skip

    def batches_per_epoch(self, batch_size: int) -> int:
        """Number of batches; the last one may be smaller."""
        return math.ceil(self.rows / batch_size)

    def batch(
        self,
        order: Array | None,
        start: int,
        stop: int,
        share: Share,
        names_rows: bool = False,
        checksums: tuple[tuple[str, int], ...] = (),
        rooms: Sequence[Array | None] = (),
    ) -> Batch:
        """This rank's part of the global batch of positions ``start`` to ``stop``.

        Args:
            order: row at each position; None if they lie in order.
            share: picks this rank's part of a number of rows.
            names_rows: whether rows are numbered as the user numbers them, so that messages can name them.
            checksums: of the batch.
            rooms: memory for the rows of each input, or None; by default they get their own.
        """
        part = share(stop - start)
        positions = slice(start + part.start, start + part.stop)
        mine = positions if order is None else order[positions]
        places = None if not names_rows else range(self.rows)[positions] if order is None else order[positions]
        return self._taken(mine, part.start, stop - start, places, checksums, rooms)

    def _taken(
        self, mine: Array | slice, first_row: int, global_rows: int, places: Places,
        checksums: tuple[tuple[str, int], ...], rooms: Sequence[Array | None],
    ) -> Batch:  # fmt: skip
        return Batch(
            tuple([_taken(a, mine, room) for a, room in zip_longest(self.x, rooms)]),
            tuple([_taken(a, mine) for a in self.y]),
            tuple([None if w is None else w[mine] for w in self.weight]),
            first_row,
            global_rows,
            places,
            checksums,
        )

    def batches(
        self, batch_size: int, share: Share, order: Array | None = None, first: int = 0, is_shared: bool = False
    ) -> Iterator[Batch]:
        """This rank's part of every global batch from number ``first`` on; with checksums where it ``is_shared``.

        Of small batches whose rows are to be gathered, many are gathered at once.
        """
        if order is not None and self.batches_at_once(batch_size) > 1:
            yield from self._together(batch_size, share, order, first, is_shared)
            first = max(first, self.rows // batch_size)
        for start in range(first * batch_size, self.rows, batch_size):
            stop = min(start + batch_size, self.rows)
            rows = range(start, stop) if order is None else order[start:stop]
            checksums = self.checksums(rows, _LOOKED_AT) if is_shared else ()
            yield self.batch(order, start, stop, share, True, checksums)

    def batches_at_once(self, batch_size: int) -> int:
        """How many small batches may be gathered together."""
        return min(_AT_ONCE_BYTES // max(self._row_bytes * batch_size, 1), _MOST_AT_ONCE)

    @functools.cached_property
    def _row_bytes(self) -> int:
        return sum(a.nbytes // len(a) for a in (*self.x, *self.y, *self.weight) if a is not None)

    def _together(self, batch_size: int, share: Share, order: Array, first: int, is_shared: bool) -> Iterator[Batch]:
        """The whole batches, many of which are gathered at once."""
        part, form, whole, many = share(batch_size), object(), self.rows // batch_size, self.batches_at_once(batch_size)
        for start in range(first, whole, many):
            stop = min(start + many, whole)
            rows = order[start * batch_size : stop * batch_size].reshape(-1, batch_size)
            x, y = ([_by_batch(a, rows) for a in arrays] for arrays in (self.x, self.y))
            weight = [None if w is None else _by_batch(w, rows) for w in self.weight]
            told = (
                self._checksums_by_batch([a for a in (*x, *y, *weight) if a is not None]) if is_shared else repeat(())
            )
            own_x, own_y = (_side_by_side([a[:, part] for a in arrays]) for arrays in (x, y))
            own_weight = _side_by_side([repeat(None) if w is None else w[:, part] for w in weight])
            for of_x, of_y, of_weight, places, checksums in zip(
                own_x, own_y, own_weight, rows[:, part], told, strict=False
            ):
                yield Batch(of_x, of_y, of_weight, part.start, batch_size, places, checksums, form)

    def _checksums_by_batch(self, gathered: Sequence[Array]) -> Iterator[tuple[tuple[str, int], ...]]:
        """The ``checksums`` of each batch, whose rows are gathered, as those of all its rows."""
        looked_at = self._looked_at(gathered[0].shape[1], True)
        for arrays in zip(*gathered, strict=True):
            yield tuple([(name, checksum(a[::step])) for (name, _, step), a in zip(looked_at, arrays, strict=True)])

    def checksums(
        self, rows: Sequence[int] | Array | None = None, most: int | None = None
    ) -> tuple[tuple[str, int], ...]:
        """Of what the inputs, targets and weights hold.

        Args:
            rows: some of them; None for all.
            most: bytes of each array to look at, some rows of more.
        """
        return tuple([(name, _checksum(array, rows, most)) for name, array in self.named()])

    def gathers(
        self, batch_size: int, share: Share, order: Array, first: int, is_shared: bool, room: Room
    ) -> Iterator[Gather]:
        """The same batches, each to be gathered into memory that ``room`` gives."""
        rows, known = self.rows, dict[tuple[int, int], _Place]()

        def gather(start: int, stop: int, number: int) -> Callable[[], Batch]:
            place = known.get((stop - start, number))
            if place is None:
                part = share(stop - start)
                rooms = self._rooms(part.stop - part.start, number, room)
                place = known[stop - start, number] = _Place(part, rooms, self._looked_at(stop - start, is_shared))
            return partial(self._gathered, order, start, stop, place)

        for start in range(first * batch_size, rows, batch_size):
            yield partial(gather, start, min(start + batch_size, rows))

    def _rooms(self, rows: int, number: int, room: Room) -> list[Array | None]:
        """Memory for so many rows of each input, in set ``number``; None for one whose rows are taken otherwise."""
        return [
            room(i, number, (rows, *a.shape[1:]), a.dtype) if a.flags.c_contiguous and a.dtype.kind != "O" else None
            for i, a in enumerate(self.x)
        ]

    def _looked_at(self, rows: int, is_shared: bool) -> list[tuple[str, Array, int]]:
        """The arrays whose checksums ranks compare, and from one to the next of those of so many rows that they see."""
        return [(name, a, _step_between(a, rows, _LOOKED_AT)) for name, a in self.named()] if is_shared else []

    def _gathered(self, order: Array, start: int, stop: int, place: _Place) -> Batch:
        """The batch of positions ``start`` to ``stop``, of which this rank has a part."""
        part, rows = place.part, order[start:stop]
        checksums = tuple([(name, checksum(_taken(a, rows[::step]))) for name, a, step in place.looked_at])
        batch = self._taken(rows[part], part.start, stop - start, rows[part], checksums, place.rooms)
        batch.form = place
        return batch

    def split(self, fraction: float) -> tuple[ArrayData, ArrayData]:
        """The first rows, and the last ``fraction`` of them.

        Raises:
            ArgumentError: the fraction is not between 0 and 1.
            DataError: one part would have no rows.
        """
        if not isinstance(fraction, float | np.floating) or not 0 < fraction < 1:
            raise ArgumentError(f"validation_split: expected a number between 0 and 1, received {fraction!r}.")
        at = math.floor(self.rows * (1 - fraction))
        if at == 0 or at == self.rows:
            raise DataError(
                f"validation_split={fraction} of {self.rows} rows leaves {at} rows to train on and "
                f"{self.rows - at} to validate on. Both need at least one: give more rows or another fraction."
            )
        return self._rows(slice(0, at)), self._rows(slice(at, None))

    def check_finite(self, rows: slice, dtype: str = "float64") -> None:
        """Fail if one of these rows holds NaN, infinity, or a number too large for the model's dtype.

        Args:
            rows: which to check; the ranks share them out.
            dtype: the model's, if it holds less than the arrays' dtype.

        Raises:
            DataError: the message names the array and the row.
        """
        weights = tuple(w for w in self.weight if w is not None)
        for what, arrays in (("x", self.x), ("y", self.y), ("sample_weight", weights)):
            for array in arrays:
                if array.dtype.kind == "f":
                    _check_rows_finite(what, array, rows, np.dtype(dtype))

    def _rows(self, rows: slice) -> ArrayData:
        return ArrayData(
            tuple(a[rows] for a in self.x),
            tuple(a[rows] for a in self.y),
            tuple(None if w is None else w[rows] for w in self.weight),
        )


def _checksum(array: Array, rows: Sequence[int] | Array | None, most: int | None) -> int:
    """CRC-32 of some rows, evenly spread if they have more than ``most`` bytes."""
    if rows is None:
        return checksum(array)
    if most is not None:
        rows = rows[:: _step_between(array, len(rows), most)]
    part = array[rows.start : rows.stop : rows.step] if isinstance(rows, range) else _taken(array, np.asarray(rows))
    return checksum(part)


def _step_between(array: Array, rows: int, most: int) -> int:
    """From one to the next of those of so many rows of an array that are looked at, with ``most`` bytes or one row."""
    return max(1, -(-rows * array.nbytes // (most * len(array))))


def _taken(array: Array, rows: Array | slice, room: Array | None = None) -> Array:
    """Some rows; ``take`` is the fastest, but copies all of an array that is not contiguous.

    Args:
        room: for the rows of a contiguous array that ``rows`` numbers.
    """
    if isinstance(rows, slice) or not array.flags.c_contiguous:
        return array[rows]
    if room is None:
        return array.take(rows, 0)
    return array.take(rows, 0, room, "clip")  # "raise" would write elsewhere first; the rows are known to exist


def _by_batch(array: Array, rows: Array) -> Array:
    """The rows of each batch, whose numbers are ``rows`` (batches, rows)."""
    return _taken(array, rows.reshape(-1)).reshape(*rows.shape, *array.shape[1:])


def _side_by_side(arrays: Sequence[Iterable[T]]) -> Iterator[tuple[T, ...]]:
    """For each batch what all have for it; of no arrays nothing, without end."""
    return zip(*arrays, strict=False) if arrays else repeat(())


@contextmanager
def naming(what: str) -> Iterator[None]:
    """Within the block every error about data says that it is ``what``."""
    try:
        yield
    except DataError as error:
        raise DataError(f"{what}: {error}", error.row) from None
    except ShapeError as error:
        raise ShapeError(f"{what}: {error}") from None
    except StopIteration as error:  # which would end the epoch of this rank alone, without a word
        raise DataError(
            f"{what}: making it raised StopIteration. How many batches there are is what their length says: give as "
            "many, or raise another error."
        ) from error


def shuffled(rows: int, batch_size: int, shuffle: bool | str, seed: int, epoch: int) -> Array | None:
    """The order of an epoch's rows, addressed by seed and epoch; None if they keep their order.

    Args:
        shuffle: True shuffles rows, ``"batch"`` whole batches, False nothing.

    Raises:
        ArgumentError: ``shuffle`` is none of these.
    """
    check_shuffle(shuffle)
    if not shuffle:
        return None
    return (_kept_order if rows <= _MOST_KEPT else _order)(rows, batch_size, shuffle == "batch", seed, epoch)


def _order(rows: int, batch_size: int, is_by_batch: bool, seed: int, epoch: int) -> Array:
    rng = addresses.generator(seed, "shuffle", epoch)
    if not is_by_batch:
        return rng.permutation(rows)
    blocks = [np.arange(start, min(start + batch_size, rows)) for start in range(0, rows, batch_size)]
    return np.concatenate([blocks[i] for i in rng.permutation(len(blocks))])


@functools.lru_cache(maxsize=16)
def _kept_order(rows: int, batch_size: int, is_by_batch: bool, seed: int, epoch: int) -> Array:
    """The same of few rows, kept for the next ``fit``: a generator takes as long as a step of a small model."""
    order = _order(rows, batch_size, is_by_batch, seed, epoch)
    order.flags.writeable = False
    return order


def check_shuffle(shuffle: object) -> None:
    """Raise ArgumentError unless it says how rows are shuffled; see ``shuffled``."""
    check_option("shuffle", shuffle, (True, False, "batch"))


def _finite_in(dtype: DType, part: Array) -> Array:
    """Which entries are finite once they are of this dtype."""
    with np.errstate(over="ignore"):
        finite: Array = np.isfinite(part.astype(dtype))
    return finite


def _check_rows_finite(what: str, array: Array, rows: slice, dtype: DType) -> None:
    for start in range(rows.start, rows.stop, _ROWS_PER_CHECK):
        part = array[start : min(start + _ROWS_PER_CHECK, rows.stop)]
        finite = np.isfinite(part) if part.dtype == dtype else _finite_in(dtype, part)
        if not np.logical_and.reduce(finite, None):
            entry = tuple(np.argwhere(~finite)[0])
            held = f"{part[entry]}" + (f", which is infinite in {dtype}" if np.isfinite(part[entry]) else "")
            raise DataError(
                f"{what}: row {start + entry[0]} holds {held}. Training on it would make every weight NaN: drop such "
                "rows, or fill them in first, for example with numpy.nan_to_num."
            )
