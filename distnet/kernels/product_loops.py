"""Matrix products over register blocks: loops that numba compiles.

The last block of rows begins earlier, so that it is whole; what it shares with the one before is not written again.
"""

from __future__ import annotations

from distnet.kernels import vector_code
from distnet.kernels.compiling import compiled
from distnet.kernels.vector_code import at, call, lanes_of, transpose
from distnet.types import Array

DEPTH = 256
"""Products that are added up in registers at a time: also the most in one chain of single precision."""

_HEIGHT = 256
"""Rows that use a panel before the next one is made."""


@compiled
def copy_panel(b: Array, first: int, depth: int, column: int, width: int, panel: Array) -> None:
    """Copy (depth, width) of ``b`` from row ``first``, ``column`` on, with zeros where ``b`` ends."""
    source, target, columns = b.reshape(-1), panel.reshape(-1), b.shape[1]
    inside = min(width, columns - column)
    for k in range(depth):
        start = (first + k) * columns + column
        run, row = source[start : start + inside], target[k * width : (k + 1) * width]
        for j in range(inside):
            row[j] = run[j]
        for j in range(inside, width):
            row[j] = 0


def _transpose_panel(b: Array, first: int, depth: int, column: int, width: int, panel: Array) -> None:
    """``copy_panel`` of the transpose of ``b``."""
    source, target, deep = b.reshape(-1), panel.reshape(-1), b.shape[1]
    zero = b.dtype.type(0)
    size = lanes_of(zero)
    for j in range(0, width, size):
        inside = min(size, b.shape[0] - column - j)
        whole = depth - depth % size if inside == size else 0
        for k in range(0, whole, size):
            transpose(zero, at(b, (column + j) * deep + first + k), deep, at(panel, k * width + j), width)
        for i in range(size):
            if i < inside:
                run = source[(column + j + i) * deep + first : (column + j + i) * deep + first + depth]
                for k in range(whole, depth):
                    target[k * width + j + i] = run[k]
            else:
                for k in range(depth):
                    target[k * width + j + i] = 0


transpose_panel = compiled(_transpose_panel, vector_code.__file__)


def _transpose_taps(kernel: Array, taps: Array, groups: int, w: Array) -> None:
    """See ``Tiles.transpose_taps``."""
    channels, filters = kernel.shape[1], w.shape[1]
    are_whole = groups == 1 and channels % lanes_of(kernel.dtype.type(0)) == 0
    for tap in range(taps.size):
        if are_whole:  # a panel's width is that of whole registers
            transpose_panel(kernel[taps[tap]], 0, filters, 0, channels, w[tap])
            continue
        for group in range(groups):
            for c in range(channels):
                source = kernel[taps[tap], c, group * filters : (group + 1) * filters]
                for o in range(filters):
                    w[tap, o, group * channels + c] = source[o]


def _multiply(
    a: Array, a_row: int, a_step: int, b: Array, is_transposed: bool, is_copied: bool, out: Array, panel: Array,
    table: Array, strips: Array, width: int, block: int, code: int,
) -> None:  # fmt: skip
    """Write a product in the columns of ``strips``: ``out[i, j] = sum over k of a[i a_row + k a_step] b[k, j]``.

    Shapes:
        b (K, N), or (N, K) if ``is_transposed``; out (M, N); panel (K or less, width); table (1, 2) zeros;
        strips (S, 3): 0, first column, columns in the last register.
    """
    rows, columns = out.shape
    deep = b.shape[1] if is_transposed else b.shape[0]
    for above in range(0, rows, _HEIGHT):
        below = min(rows, above + _HEIGHT)
        for k in range(0, deep, DEPTH):
            depth = min(DEPTH, deep - k)
            for s in range(strips.shape[0]):
                _, column, tail = strips[s]
                w, w_step = at(b, k * columns + column), columns
                if is_transposed:
                    transpose_panel(b, k, depth, column, width, panel)
                    w, w_step = at(panel, 0), width
                elif is_copied:
                    copy_panel(b, k, depth, column, width, panel)
                    w, w_step = at(panel, 0), width
                for q in range(above, below, block):
                    i = min(q, rows - block)
                    call(
                        code, at(out, i * columns + column), columns, q - i, tail, at(a, i * a_row + k * a_step), a_row,
                        a_step, at(table, 0), 1, depth, w, w_step, k,
                    )  # fmt: skip


multiply = compiled(_multiply, vector_code.__file__)
transpose_taps = compiled(_transpose_taps, vector_code.__file__)
