"""Register blocks: one compiled function for each size, which loops call by its address."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any, NamedTuple

import numba

from distnet.kernels import vector_code
from distnet.kernels.compiling import compiled_to_c
from distnet.kernels.vector_code import REGISTERS, tile
from distnet.types import DType

_MOST_ROWS = 16
_MOST_AHEAD = 4
_MOST_REGISTERS = 4 if REGISTERS.registers == 32 else 2
_SIGNATURE = numba.void(*[numba.intp] * 13)


class Block(NamedTuple):
    """A block of outputs that is summed up in registers.

    Args:
        rows: of the block.
        code: address of its code.
    """

    rows: int
    code: int


def block_for(dtype: DType, count: int, registers: int, is_along_rows: bool = False) -> Block:
    """The block for ``count`` rows of so many registers.

    Args:
        is_along_rows: whether x has the numbers of all rows side by side; else those of all steps.
    """
    rows = rows_for(count, registers)
    ahead = 0 if is_along_rows else steps_ahead(rows, registers)
    return Block(rows, _compiled_block(dtype, rows, registers, ahead, 0).address)


def block_of_entries(dtype: DType, count: int, registers: int, is_part: bool) -> Block:
    """The block for ``count`` rows of so many registers that are multiplied entry by entry.

    Args:
        is_part: whether the last register of a row is read in part.
    """
    most = (REGISTERS.registers - 1 - registers) // registers
    rows = -(-count // -(-count // most))
    return Block(rows, _compiled_block(dtype, rows, registers, 0, 1 + is_part).address)


@lru_cache(256)
def registers_for(count: int, registers: int) -> int:
    """How many of the ``registers`` of a result's row a block is to hold, where the result has ``count`` rows."""

    def cost(wide: int) -> float:
        widths = [min(wide, registers - first) for first in range(0, registers, wide)]
        return sum(_cycles(rows_for(count, width), width, count) for width in widths)

    return min(range(1, min(_MOST_REGISTERS, registers) + 1), key=lambda wide: (cost(wide), -wide))


@lru_cache(256)
def rows_for(count: int, registers: int) -> int:
    """Rows of a block for ``count`` rows: many, so that loads are few, and such that few rows are computed twice."""
    most = min((REGISTERS.registers - 1 - registers) // registers, _MOST_ROWS, count)
    return min(range(1, most + 1), key=lambda rows: (_cycles(rows, registers, count), -rows))


def _cycles(rows: int, registers: int, count: int) -> float:
    """About how long a step of all blocks takes: multiply-adds, loads, or waiting for the last sum; then the weights.

    Measured with AVX-512, whose cores take two multiply-adds and nearly two loads in a cycle; weights come from the L2
    cache.
    """
    busy = max(rows * registers / 2, 0.55 * (rows + registers), 4.0)
    return -(-count // rows) * (busy + 0.4 * registers + 0.3)


def steps_ahead(rows: int, registers: int) -> int:
    """Steps that are taken at a time: as many as the registers that are left hold the weights of."""
    return max(1, min(_MOST_AHEAD, (REGISTERS.registers - 1) // registers - rows))


@cache
def _compiled_block(dtype: DType, rows: int, registers: int, ahead: int, entries: int) -> Any:
    # numba takes the sizes from the types of tuples, and tells cached code apart by them.
    sizes = [(dtype.type(0),) * count for count in (rows, registers, ahead, entries)]
    of_rows, of_columns, of_steps, of_entries = sizes

    def block(
        out: int, out_row: int, skipped: int, tail: int, x: int, x_row: int, x_step: int, table: int, lines: int,
        steps: int, w: int, w_step: int, adds: int,
    ) -> None:  # fmt: skip
        tile(
            of_rows, of_columns, of_steps, of_entries, out, out_row, skipped, tail, x, x_row, x_step, table, lines,
            steps, w, w_step, adds,
        )  # fmt: skip

    return compiled_to_c(block, _SIGNATURE, vector_code.__file__)
