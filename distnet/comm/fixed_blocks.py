"""Fixed blocks of the rows of a global batch, of which ranks hold whole ones."""

from __future__ import annotations

from distnet.errors import ArgumentError

_fixed_blocks: list[int | None] = [None]


def even_part(count: int, number: int, parts: int) -> slice:
    """The part of this number when things in order are divided evenly; the first parts have one more.

    >>> [even_part(10, number, 4) for number in range(4)]
    [slice(0, 3, None), slice(3, 6, None), slice(6, 8, None), slice(8, 10, None)]
    """
    least, larger = divmod(count, parts)
    start = number * least + min(number, larger)
    return slice(start, start + least + (number < larger))


def blocks_of(rank: int, size: int, blocks: int) -> range:
    """The numbers of the fixed blocks of rows that a rank holds.

    Raises:
        ArgumentError: a rank would hold none.
    """
    if blocks < size:
        raise ArgumentError(
            f"DataParallel(reproducible_shards={blocks}): expected at least as many blocks of rows as ranks, which are "
            f"{size}. Start {blocks} ranks at most, or set reproducible_shards={size} or more: another number of "
            "blocks gives other last digits."
        )
    part = even_part(blocks, rank, size)
    return range(part.start, part.stop)


def fix_blocks(blocks: int | None) -> None:
    """From now on ranks hold whole blocks of a global batch's rows; None: any rows."""
    _fixed_blocks[0] = blocks


def fixed_blocks() -> int | None:
    """Into how many fixed blocks global batches are divided; None if they are divided by the ranks alone."""
    return _fixed_blocks[0]
