"""Matrix products that skip the zeros of one factor: loops that numba compiles.

What is not zero is listed, so that no branch depends on a single number. A list has ``DEPTH`` terms of a sum at most:
the rows that it refers to then stay in the nearest cache.
"""

from __future__ import annotations

from distnet.kernels import vector_code, zero_code
from distnet.kernels.compiling import compiled
from distnet.kernels.vector_code import at, fetch_line_to_write, lanes_of, transpose
from distnet.kernels.zero_code import append, are_not_finite, are_not_zero, call_sum
from distnet.types import Array

DEPTH = 64
_ROWS_AHEAD = 8
SUMS_AT_ONCE = 128
"""Columns whose sums wait in memory to be transposed."""


AS_IT_IS, BY_ROWS, BY_COLUMNS = 0, 1, 2
_MUCH_LESS = 0.7
"""By columns, sums must be transposed."""


def _count_nonzeros(a: Array) -> int:
    zero = a.dtype.type(0)
    size = lanes_of(zero)
    whole, count = a.size - a.size % size, 0
    for i in range(0, whole, size):
        count += are_not_zero(zero, at(a, i))
    for i in range(whole, a.size):
        count += a[i] != 0
    return count


def _are_finite(a: Array) -> bool:
    """Whether all numbers are: what is not makes nan of its difference from itself."""
    zero = a.dtype.type(0)
    size = lanes_of(zero)
    whole, count = a.size - a.size % size, 0
    for i in range(0, whole, size):
        count += are_not_finite(zero, at(a, i))
    for i in range(whole, a.size):
        count += a[i] - a[i] != 0
    return count == 0


count_nonzeros = compiled(_count_nonzeros, vector_code.__file__, zero_code.__file__)
are_finite = compiled(_are_finite, vector_code.__file__, zero_code.__file__)


def _way_of(a: Array, b: Array, most_of_a: int, most_of_b: int) -> int:
    """How to multiply: by the rows of ``a`` or the columns of ``b`` without zeros, or as it is.

    Args:
        most_of_a, most_of_b: numbers that are not zero; below 0, a factor is not looked at.
    """
    of_a = count_nonzeros(a) if most_of_a >= 0 else a.size
    of_b = count_nonzeros(b) if most_of_b >= 0 else b.size
    can_skip_b = of_b <= most_of_b and are_finite(a)
    if of_a <= most_of_a and not (can_skip_b and of_b * a.size < _MUCH_LESS * of_a * b.size) and are_finite(b):
        return BY_ROWS
    if can_skip_b:
        return BY_COLUMNS
    return AS_IT_IS


way_of = compiled(_way_of, vector_code.__file__, zero_code.__file__)


def _list_row(
    row: Array, start: int, depth: int, first: int, step: int, values: Array, offsets: Array, end: int
) -> int:
    """Add to a list, up to ``end``, what is not zero among ``depth`` numbers from ``start`` on; returns its new end.

    Args:
        first, step: the first number refers to ``first``, each later one ``step`` further.
    """
    zero = row.dtype.type(0)
    size = lanes_of(zero)
    whole = depth - depth % size
    for k in range(0, whole, size):
        end += append(zero, at(row, start + k), first + k * step, step, at(values, end), at(offsets, end))
    for k in range(whole, depth):
        values[end], offsets[end] = row[start + k], first + k * step
        end += row[start + k] != 0
    return end


list_row = compiled(_list_row, vector_code.__file__, zero_code.__file__)


def _turn(a: Array, above: int, depth: int, first: int, turned: Array, pitch: int) -> None:
    """Write ``depth`` rows of ``a`` from row ``above`` on, of a register's columns from ``first`` on, as columns.

    Shapes:
        a (K, M); turned: contiguous, one column ``pitch`` behind the other.
    """
    zero = a.dtype.type(0)
    size, columns = lanes_of(zero), a.shape[1]
    whole = depth - depth % size if first + size <= columns else 0
    for k in range(0, whole, size):
        transpose(zero, at(a, (above + k) * columns + first), columns, at(turned, k), pitch)
    for k in range(whole, depth):
        for m in range(min(size, columns - first)):
            turned[m * pitch + k] = a[above + k, first + m]


turn = compiled(_turn, vector_code.__file__)


def _list_columns(
    a: Array, first: int, stop: int, above: int, below: int, step: int, values: Array, offsets: Array, starts: Array,
    end: int, turned: Array,
) -> int:  # fmt: skip
    """List the columns ``first`` to ``stop`` of ``a`` (K, M) within the rows ``above`` to ``below``.

    Shapes:
        starts (stop - first + 1,): where each list begins, and where the last one ends; turned (lanes * DEPTH,).
    """
    size, depth = lanes_of(a.dtype.type(0)), below - above
    for j in range(first, stop, size):
        turn(a, above, depth, j, turned, DEPTH)
        for m in range(min(size, stop - j)):
            starts[j + m - first] = end
            end = list_row(turned, m * DEPTH, depth, above * step, step, values, offsets, end)
    starts[stop - first] = end
    return end


list_columns = compiled(_list_columns, vector_code.__file__, zero_code.__file__)


def _multiply_rows(
    a: Array, is_turned: bool, b: Array, out: Array, first: int, stop: int, values: Array, offsets: Array,
    starts: Array, turned: Array, strips: Array,
) -> None:  # fmt: skip
    """Write rows of a product, ``out[m] = sum over k of a[m, k] b[k]``, without the zeros of ``a``.

    Shapes:
        a (M, K), or (K, M) if ``is_turned``; b (K, N); out (M, N); values, offsets: as many as the rows have within
        DEPTH, and a register more; starts (stop - first + 1,); turned as in ``list_columns``; strips (S, 3): first
        column, registers, address of the code.
    """
    deep, columns = b.shape
    flat, size = a.reshape(-1), lanes_of(a.dtype.type(0))
    for k in range(0, deep, DEPTH):
        below = min(k + DEPTH, deep)
        if is_turned:
            list_columns(a, first, stop, k, below, columns, values, offsets, starts, 0, turned)
        else:
            end = 0
            for m in range(first, stop):
                starts[m - first] = end
                end = list_row(flat, m * deep + k, below - k, k * columns, columns, values, offsets, end)
            starts[stop - first] = end
        for s in range(strips.shape[0]):
            column, registers, code = strips[s]
            for m in range(first, stop):
                start = starts[m - first]
                if k == 0:
                    for r in range(registers):
                        fetch_line_to_write(at(out, min(m + _ROWS_AHEAD, stop - 1) * columns + column + r * size))
                call_sum(
                    code, at(out, m * columns + column), at(values, start), at(offsets, start),
                    starts[m - first + 1] - start, at(b, column), k,
                )  # fmt: skip


def _fetch_ahead(
    out: Array, row: int, width: int, rows: int, j: int, first: int, stop: int, part: int, parts: int
) -> None:  # fmt: skip
    """Ask for the lines that the next columns are written to, from ``j`` on, or ``first`` of the next strip: a part.

    They were read by another core, which has to give them up.
    """
    if j >= stop:
        row, j = row + width, first
    if row < rows:
        for r in range(part * width // parts, (part + 1) * width // parts):
            fetch_line_to_write(at(out, (row + r) * out.shape[1] + j))


fetch_ahead = compiled(_fetch_ahead, vector_code.__file__)


def _multiply_columns(
    a: Array, b: Array, out: Array, first: int, stop: int, values: Array, offsets: Array, starts: Array,
    turned: Array, sums: Array, strips: Array,
) -> None:  # fmt: skip
    """Write columns of a product, ``out[:, j] = sum over k of a[k] b[k, j]``, without the zeros of ``b``.

    Shapes:
        a (K, M), b (K, N) -> out (M, N); M, ``first`` and ``stop`` are multiples of a register; values, offsets: as
        many as the columns have, and a register more; starts (blocks of DEPTH, stop - first + 1); turned as in
        ``list_columns``; sums: of ``SUMS_AT_ONCE`` columns and a strip's registers; strips as in ``multiply_rows``.
    """
    deep, rows = a.shape
    columns, zero, end = b.shape[1], a.dtype.type(0), 0
    size = lanes_of(zero)
    for block in range(starts.shape[0]):
        below = min((block + 1) * DEPTH, deep)
        end = list_columns(
            b, first, stop, block * DEPTH, below, rows, values, offsets, starts[block], end, turned
        )  # fmt: skip
    at_once = size if starts.shape[0] == 1 else SUMS_AT_ONCE
    for s in range(strips.shape[0]):
        row, registers, code = strips[s]
        width = registers * size
        for j in range(first, stop, at_once):
            inside = min(at_once, stop - j)
            for block in range(starts.shape[0]):
                for m in range(inside):
                    start = starts[block, j - first + m]
                    if block == 0:
                        fetch_ahead(out, row, width, rows, j + at_once, first, stop, m, inside)
                    call_sum(
                        code, at(sums, m * width), at(values, start), at(offsets, start),
                        starts[block, j - first + m + 1] - start, at(a, row), block,
                    )  # fmt: skip
            for m in range(0, inside, size):
                for q in range(0, width, size):
                    transpose(zero, at(sums, m * width + q), width, at(out, (row + q) * columns + j + m), columns)


multiply_rows = compiled(_multiply_rows, vector_code.__file__, zero_code.__file__)
multiply_columns = compiled(_multiply_columns, vector_code.__file__, zero_code.__file__)
