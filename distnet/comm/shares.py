"""Which rows of a global batch each rank holds."""

from __future__ import annotations

from distnet.comm.fixed_blocks import blocks_of, even_part, fixed_blocks


def shard(rows: int, rank: int, size: int) -> slice:
    """The contiguous rows of one rank, at most one row more than another's; with fixed blocks, the rows of its blocks.

    >>> [shard(10, rank, 4) for rank in range(4)]
    [slice(0, 3, None), slice(3, 6, None), slice(6, 8, None), slice(8, 10, None)]
    """
    blocks = fixed_blocks()
    if blocks is None:
        return even_part(rows, rank, size)
    own = blocks_of(rank, size, blocks)
    return slice(even_part(rows, own[0], blocks).start, even_part(rows, own[-1], blocks).stop)
