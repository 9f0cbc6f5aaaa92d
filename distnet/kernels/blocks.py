"""Register blocks: one compiled function for each size, which loops call by its address."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numba

from distnet.kernels import vector_code
from distnet.kernels.compiling import compiled_to_c
from distnet.kernels.vector_code import REGISTERS, tile
from distnet.types import DType

_MOST_ROWS = 16
_SIGNATURE = numba.void(*[numba.intp] * 13)


class Block(NamedTuple):
    """A block of outputs that is summed up in registers.

    Args:
        rows: of the block.
        code: address of its code.
    """

    rows: int
    code: int


def block_for(dtype: DType, count: int, registers: int) -> Block:
    """The block for ``count`` rows of so many registers."""
    rows = rows_for(count, registers)
    return Block(rows, _compiled_block(dtype, rows, registers).address)


def most_registers() -> int:
    """The most registers in a row of a block."""
    return 4 if REGISTERS.registers == 32 else 2


def rows_for(count: int, registers: int) -> int:
    """Rows of a block for ``count`` rows: many, so that loads are few, and such that few rows are computed twice."""
    most = min((REGISTERS.registers - 1 - registers) // registers, _MOST_ROWS, count)

    def cost(rows: int) -> float:
        is_short = rows * registers < 12
        return -(-count // rows) * rows / count * (1 + 0.35 / rows + 0.1 * is_short)

    return min(range(1, most + 1), key=lambda rows: (cost(rows), -rows))


@cache
def _compiled_block(dtype: DType, rows: int, registers: int) -> Any:
    # numba takes the sizes from the types of tuples, and tells cached code apart by them.
    of_rows, of_columns = (dtype.type(0),) * rows, (dtype.type(0),) * registers

    def block(
        out: int, out_row: int, skipped: int, tail: int, x: int, x_row: int, x_step: int, table: int, lines: int,
        steps: int, w: int, w_step: int, adds: int,
    ) -> None:  # fmt: skip
        tile(of_rows, of_columns, out, out_row, skipped, tail, x, x_row, x_step, table, lines, steps, w, w_step, adds)

    return compiled_to_c(block, _SIGNATURE, vector_code.__file__)
