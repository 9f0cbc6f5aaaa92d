"""Vector instructions for matrices with many zeros: lists of what is not zero, and sums of rows by such a list."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numba
from llvmlite import ir
from numba.core import cgutils, types
from numba.core.registry import cpu_target
from numba.extending import intrinsic

from distnet.kernels import vector_code
from distnet.kernels.compiling import compiled_to_c
from distnet.kernels.vector_code import REGISTERS, BlockCode
from distnet.types import DType

Generated = tuple[Any, Callable[..., Any]]

_code: Any = cgutils
_INDEX, _OFFSET, _BIT = ir.IntType(64), ir.IntType(32), ir.IntType(1)
_SIGNATURE = numba.void(*[numba.intp] * 6)
_SUMS = 4
"""Registers that are added to in turn, at least: each waits for the sum before."""
_HAS_COMPRESSION = REGISTERS.size == 64 and "+avx512vl" in cpu_target.target_context.codegen().magic_tuple()[2]
"""Whether the CPU puts the chosen numbers of a register side by side: AVX-512, of half a register AVX-512VL."""


def _sum_rows(
    typing_context: Any, columns: Any, out: Any, values: Any, offsets: Any, count: Any, w: Any, adds: Any
) -> Generated:
    """``out[j] = sum over e < count of values[e] w[offsets[e] + j]``; it is added to ``out`` if ``adds`` is not 0.

    Args:
        columns: a tuple of as many numbers as registers are written.
        out, values, w: addresses of numbers of this dtype.
        offsets: address of uint32.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        number = context.get_value_type(signature.args[0].dtype)
        _Rows(builder, number, columns=columns.count).add_up(*arguments[1:])
        return context.get_dummy_value()

    return types.void(columns, *[types.intp] * 6), generate


def _call_sum(
    typing_context: Any, code: Any, out: Any, values: Any, offsets: Any, count: Any, w: Any, adds: Any
) -> Generated:
    """``sum_rows`` that was compiled by itself: ``code`` is the address of its code."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = ir.FunctionType(ir.VoidType(), [_INDEX] * 6).as_pointer()
        builder.call(builder.inttoptr(arguments[0], kind), arguments[1:])
        return context.get_dummy_value()

    return types.void(*[types.intp] * 7), generate


def _append(
    typing_context: Any, number: Any, source: Any, first: Any, step: Any, values: Any, offsets: Any
) -> Generated:
    """Write those of a register's numbers at ``source`` that are not zero to ``values``; returns how many there are.

    The place of each, ``first + i step`` for number i, is written to ``offsets``. Behind what is written, one number
    more may be overwritten.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _Rows(builder, context.get_value_type(signature.args[0])).append(*arguments[1:])

    return types.intp(number, *[types.intp] * 5), generate


def _are_not_zero(typing_context: Any, number: Any, place: Any) -> Generated:
    """How many of a register's numbers are not zero."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _Rows(builder, context.get_value_type(signature.args[0])).count(arguments[1], of_differences=False)

    return types.intp(number, types.intp), generate


def _are_not_finite(typing_context: Any, number: Any, place: Any) -> Generated:
    """How many of a register's numbers are not finite."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _Rows(builder, context.get_value_type(signature.args[0])).count(arguments[1], of_differences=True)

    return types.intp(number, types.intp), generate


class _Rows(BlockCode):
    """Writes the code."""

    def add_up(self, out: Any, values: Any, offsets: Any, count: Any, w: Any, adds: Any) -> None:
        """See ``sum_rows``."""
        builder = self.builder
        out, values, w = (self._pointer(address, self.number) for address in (out, values, w))
        offsets = self._pointer(offsets, _OFFSET)
        zeros = ir.Constant(self.vector, [0.0] * self.lanes)
        chains = [[self._variable(zeros) for _ in self.columns] for _ in range(max(1, _SUMS // len(self.columns)))]
        with builder.if_then(builder.icmp_signed("!=", adds, _whole(0))):
            for j, total in enumerate(chains[0]):
                builder.store(self._load(self._register(out, j)), total)
        whole = count
        if len(chains) > 1:
            whole = builder.sub(count, builder.srem(count, _whole(len(chains))))
        with _code.for_range_slice(builder, _whole(0), whole, _whole(len(chains)), intp=_INDEX) as (e, _):
            for number, sums in enumerate(chains):
                self._add_row(sums, values, offsets, builder.add(e, _whole(number)), w)
        if len(chains) > 1:
            with _code.for_range_slice(builder, whole, count, _whole(1), intp=_INDEX) as (e, _):
                self._add_row(chains[0], values, offsets, e, w)
        for j, totals in enumerate(zip(*chains, strict=True)):
            total, *others = [builder.load(each, typ=self.vector) for each in totals]
            for other in others:
                total = builder.fadd(total, other)
            self._store(total, self._register(out, j))

    def _add_row(self, sums: list[Any], values: Any, offsets: Any, e: Any, w: Any) -> None:
        """Add a row of ``w`` times the value that entry ``e`` of the list says."""
        builder = self.builder
        place = builder.gep(offsets, [e], source_etype=_OFFSET)
        row = self._entry(w, builder.zext(builder.load(place, typ=_OFFSET), _INDEX))
        value = self._everywhere(builder.load(self._entry(values, e), typ=self.number))
        for j, total in enumerate(sums):
            self._add_product(total, value, self._load(self._register(row, j)))

    def count(self, place: Any, of_differences: bool) -> Any:
        """How many numbers are not zero, or, with ``of_differences``, differ from themselves by something else."""
        vector = self._load(self._pointer(place, self.number))
        if of_differences:
            vector = self.builder.fsub(vector, vector)
        chosen = self.builder.fcmp_unordered("!=", vector, ir.Constant(self.vector, [0.0] * self.lanes))
        return self._number_of(chosen)

    def _number_of(self, chosen: Any) -> Any:
        return self.builder.zext(self.builder.ctpop(self.builder.bitcast(chosen, ir.IntType(self.lanes))), _INDEX)

    def append(self, source: Any, first: Any, step: Any, values: Any, offsets: Any) -> Any:
        """See ``append``."""
        builder = self.builder
        source, values = self._pointer(source, self.number), self._pointer(values, self.number)
        offsets = self._pointer(offsets, _OFFSET)
        first, step = builder.trunc(first, _OFFSET), builder.trunc(step, _OFFSET)
        places = [builder.add(first, builder.mul(step, ir.Constant(_OFFSET, i))) for i in range(self.lanes)]
        if _HAS_COMPRESSION:
            return self._append_at_once(source, places, values, offsets)
        count: Any = _whole(0)
        zero = ir.Constant(self.number, 0.0)
        for i, place in enumerate(places):
            value = builder.load(self._entry(source, _whole(i)), typ=self.number)
            builder.store(value, self._entry(values, count))
            builder.store(place, builder.gep(offsets, [count], source_etype=_OFFSET))
            count = builder.add(count, builder.zext(builder.fcmp_unordered("!=", value, zero), _INDEX))
        return count

    def _append_at_once(self, source: Any, places: list[Any], values: Any, offsets: Any) -> Any:
        builder = self.builder
        vector = self._load(source)
        chosen = builder.fcmp_unordered("!=", vector, ir.Constant(self.vector, [0.0] * self.lanes))
        numbers = ir.Constant(ir.VectorType(_OFFSET, self.lanes), ir.Undefined)
        for i, place in enumerate(places):
            numbers = builder.insert_element(numbers, place, ir.Constant(_OFFSET, i))
        self._store(self._compressed(vector, chosen, self.suffix), values)
        places_chosen = self._compressed(numbers, chosen, f"v{self.lanes}i32")
        builder.store(places_chosen, builder.bitcast(offsets, numbers.type.as_pointer()), align=_OFFSET.width // 8)
        return self._number_of(chosen)

    def _compressed(self, vector: Any, chosen: Any, suffix: str) -> Any:
        """Those chosen, side by side; the rest may be anything.

        In a register: AMD's Zen 4 takes some hundred cycles to write but the chosen ones to memory.
        """
        kind = ir.FunctionType(vector.type, [vector.type, vector.type, chosen.type])
        name = f"llvm.x86.avx512.mask.compress.{suffix}"
        compress = _code.get_or_insert_function(self.builder.module, kind, name)
        return self.builder.call(compress, [vector, ir.Constant(vector.type, ir.Undefined), chosen])

    def _register(self, start: Any, j: int) -> Any:
        return self._entry(start, _whole(j * self.lanes))


def _whole(number: int) -> Any:
    return ir.Constant(_INDEX, number)


append: Any = intrinsic(_append)
are_not_finite: Any = intrinsic(_are_not_finite)
are_not_zero: Any = intrinsic(_are_not_zero)
call_sum: Any = intrinsic(_call_sum)
sum_rows: Any = intrinsic(_sum_rows)


@cache
def compiled_sum(dtype: DType, registers: int) -> Any:
    """``sum_rows`` of so many registers, compiled; it has an ``address``."""
    columns = (dtype.type(0),) * registers  # numba takes their number from the type

    def sum_of_rows(out: int, values: int, offsets: int, count: int, w: int, adds: int) -> None:
        sum_rows(columns, out, values, offsets, count, w, adds)

    return compiled_to_c(sum_of_rows, _SIGNATURE, __file__, vector_code.__file__)
