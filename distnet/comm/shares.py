"""Which rows of a global batch each rank holds."""

from __future__ import annotations


def shard(rows: int, rank: int, size: int) -> slice:
    """The contiguous rows of one rank; the shards differ by at most one row, the larger ones first.

    >>> [shard(10, rank, 4) for rank in range(4)]
    [slice(0, 3, None), slice(3, 6, None), slice(6, 8, None), slice(8, 10, None)]
    """
    least, larger = divmod(rows, size)
    start = rank * least + min(rank, larger)
    return slice(start, start + least + (rank < larger))
