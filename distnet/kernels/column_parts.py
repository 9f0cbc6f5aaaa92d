"""Compiled loops over rows of channels, on parts of the rows at the same time where they take long.

Of the arguments, arrays (G, S, C) are rows, and arrays (G, C) are vectors. Parts are cut where blocks end, so that sums
are those of the same blocks, added up in the same order.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from distnet.kernels import column_loops, vector_loops
from distnet.kernels.compiling import Loop
from distnet.kernels.teamwork import do, parts_of, takes_long
from distnet.types import Array

Part = tuple[slice, slice]
"""Rows, and their blocks."""


def pass_over(loop: Loop, nanoseconds: float, *args: Any) -> None:
    """Call a loop that treats each row by itself."""
    parts = _parts(args[0], nanoseconds)
    if parts:
        do([partial(loop, *_of_rows(args, rows)) for rows, _ in parts])
    else:
        _by_groups(loop, nanoseconds, *args)


def add_up(loop: Loop, nanoseconds: float, totals: tuple[Array, ...], *args: Any) -> None:
    """Call a loop that adds sums over the rows to ``totals``, (G, C) each."""
    x = args[0]
    parts = _parts(x, nanoseconds)
    of_blocks = memory_for(x, len(totals), parts[-1][1].stop if parts else 1)
    if not parts:
        _by_groups(loop, nanoseconds, *args, *totals, of_blocks, False)
        return
    do([partial(loop, *_of_rows(args, rows), *totals, of_blocks[blocks], True) for rows, blocks in parts])
    for which, total in enumerate(totals):
        column_loops.add_up_blocks(of_blocks, total, which)


def moments(nanoseconds: float, x: Array, mean: Array, squares: Array) -> None:
    """Write the moments of the rows, (G, C)."""
    loop, parts = column_loops.column_moments, _parts(x, nanoseconds)
    of_blocks = np.empty((parts[-1][1].stop if parts else 1, 2, x.shape[2]))
    if not parts:
        _by_groups(loop, nanoseconds, x, mean, squares, of_blocks, False)
        return
    do([partial(loop, x[:, rows], mean, squares, of_blocks[blocks], True) for rows, blocks in parts])
    column_loops.merge_blocks(of_blocks, x.shape[1], _rows_of_block(x), mean, squares)


def normalize_gradient(nanoseconds: float, totals: Array, *args: Any) -> None:
    """Call ``vector_loops.normalize_gradient``, whose rows are (M, D), and which adds to ``totals``."""
    dy, x, mean, inverse, gamma, is_centered, out = args
    many = vector_loops.BLOCK_ROWS
    parts = parts_of(-(-len(x) // many), nanoseconds)
    if len(parts) == 1:
        vector_loops.normalize_gradient(*args, totals, np.empty((1, *totals.shape), x.dtype), False)
        return
    of_blocks, calls = np.empty((parts[-1].stop, *totals.shape), x.dtype), []
    for part in parts:
        rows = slice(part.start * many, part.stop * many)
        of_rows = dy[rows], x[rows], mean[rows], inverse[rows]
        dx = None if out is None else out[rows]
        loop = partial(vector_loops.normalize_gradient, *of_rows, gamma, is_centered, dx)
        calls.append(partial(loop, totals, of_blocks[part], True))
    do(calls)
    vector_loops.add_up_blocks(of_blocks, totals)


def memory_for(x: Array, sums: int, blocks: int = 1) -> Array:
    """Memory for the sums of blocks."""
    return np.empty((blocks, sums, column_loops.folded(x)), x.dtype)


def _parts(x: Array, nanoseconds: float) -> list[Part]:
    """Parts of the rows of one group; none where they are not worth it."""
    if not takes_long(nanoseconds) or len(x) != 1:
        return []
    rows, many = x.shape[1], _rows_of_block(x)
    # A part with less than a block might be folded otherwise.
    parts = parts_of(rows // many, nanoseconds)
    if len(parts) == 1:
        return []
    cut = [slice(part.start * many, part.stop * many) for part in parts[:-1]]
    cut.append(slice(parts[-1].start * many, rows))
    return [(part, slice(part.start // many, -(-part.stop // many))) for part in cut]


def _rows_of_block(x: Array) -> int:
    width: int = column_loops.folded(x)
    of_block: int = column_loops.BLOCK_ROWS * width // max(x.shape[2], 1)
    return of_block


def _of_rows(args: tuple[Any, ...], rows: slice) -> list[Any]:
    return [a[:, rows] if isinstance(a, np.ndarray) and a.ndim == 3 else a for a in args]


def _by_groups(loop: Loop, nanoseconds: float, *args: Any) -> None:
    """Call the loop, on several groups at the same time, each with memory of its own for sums."""
    groups = len(args[0])
    parts = parts_of(groups, nanoseconds) if groups > 1 else [slice(0, groups)]
    if len(parts) == 1:
        loop(*args)
    else:
        do([partial(loop, *[_of_groups(a, part, groups) for a in args]) for part in parts])


def _of_groups(a: Any, part: slice, groups: int) -> Any:
    if not isinstance(a, np.ndarray):
        return a
    return a[part] if len(a) == groups else np.empty_like(a)
