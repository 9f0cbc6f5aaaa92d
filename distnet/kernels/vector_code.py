"""Vector instructions in compiled loops: numba's intrinsics, which emit LLVM's vector code for the CPU at hand.

Addresses have no bounds checks: whoever calls these answers for them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from llvmlite import ir
from numba.core import cgutils, config, types
from numba.core.errors import TypingError
from numba.core.registry import cpu_target
from numba.extending import intrinsic

Generated = tuple[Any, Callable[..., Any]]

_code: Any = cgutils
_settings: Any = config
_INDEX = ir.IntType(64)
_BIT = ir.IntType(1)
_BYTES = ir.IntType(8).as_pointer()


class Registers(NamedTuple):
    """The vector registers of a CPU.

    Args:
        size: bytes of one register.
        registers: how many there are.
    """

    size: int
    registers: int

    @classmethod
    def of(cls, triple: str, name: str, features: str) -> Registers:
        """Of the CPU that numba compiles for.

        Args:
            triple, name, features: as LLVM writes them; a name that was asked for (``NUMBA_CPU_NAME``) counts more than
                the features, which numba takes from the CPU at hand.
        """
        have = set(features.split(","))
        if not triple.startswith(("x86", "i686")):
            return cls(16, 32)
        if _settings.CPU_NAME is None and "+avx512f" in have:
            return cls(64, 32)
        return cls(32, 16) if "+avx" in have else cls(16, 16)


REGISTERS = Registers.of(*cpu_target.target_context.codegen().magic_tuple())


def lanes(itemsize: int) -> int:
    """Numbers of so many bytes in a register."""
    return REGISTERS.size // itemsize


def _at(typing_context: Any, array: Any, offset: Any) -> Generated:
    """The address of entry ``offset`` of a contiguous array."""
    if array.layout != "C":
        raise TypingError(f"at: expected a contiguous array, received {array}")

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        item = context.get_value_type(signature.args[0].dtype)
        return builder.ptrtoint(builder.gep(data, [arguments[1]], source_etype=item), _INDEX)

    return types.intp(array, types.intp), generate


def _lanes_of(typing_context: Any, number: Any) -> Generated:
    """How many numbers of this type a register holds."""
    count = lanes(number.bitwidth // 8)
    return types.intp(number), lambda context, builder, signature, arguments: _whole(count)


def _tile(
    typing_context: Any,
    rows: Any,
    columns: Any,
    ahead: Any,
    entries: Any,
    out: Any,
    out_row: Any,
    skipped: Any,
    tail: Any,
    x: Any,
    x_row: Any,
    x_step: Any,
    table: Any,
    lines: Any,
    steps: Any,
    w: Any,
    w_step: Any,
    adds: Any,
) -> Generated:
    """A block of a product, held in registers while the sum runs.

    ``out[i out_row + j] = sum over l < lines, c < steps of x[table[l, 0] + i x_row + c x_step] w[table[l, 1] +
    c w_step + j]``; it is added to ``out`` if ``adds`` is not 0. All offsets count numbers.

    Args:
        rows: a tuple of as many numbers as the block has rows, i; of the dtype of the block.
        columns: a tuple of as many numbers as the block has registers in a row.
        ahead: a tuple of as many numbers as steps are taken at a time, for which x_step must be 1; with none in it,
            x_row must be 1.
        entries: an empty tuple; with one number in it, x has as many numbers as w for each row, which are multiplied
            entry by entry, and both x_row and x_step may be any; with two, only ``tail`` numbers are read for the last
            register.
        out, x, table, w: addresses; of int64 pairs in ``table``.
        skipped: rows that are computed and not written.
        tail: numbers of the last register of a row that are written.
    """
    count = rows.count, columns.count, ahead.count, entries.count

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        number = context.get_value_type(signature.args[0].dtype)
        BlockCode(builder, number, *count).multiply(*arguments[4:])
        return context.get_dummy_value()

    return types.void(rows, columns, ahead, entries, *[types.intp] * 13), generate


def _call(
    typing_context: Any,
    block: Any,
    out: Any,
    out_row: Any,
    skipped: Any,
    tail: Any,
    x: Any,
    x_row: Any,
    x_step: Any,
    table: Any,
    lines: Any,
    steps: Any,
    w: Any,
    w_step: Any,
    adds: Any,
) -> Generated:
    """``tile`` of a block that was compiled by itself: ``block`` is the address of its code."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        code = ir.FunctionType(ir.VoidType(), [_INDEX] * 13).as_pointer()
        builder.call(builder.inttoptr(arguments[0], code), arguments[1:])
        return context.get_dummy_value()

    return types.void(*[types.intp] * 14), generate


def _transpose(typing_context: Any, number: Any, source: Any, source_row: Any, out: Any, out_row: Any) -> Generated:
    """``out[j out_row + i] = source[i source_row + j]`` for as many i and j as a register of ``number``s holds."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        BlockCode(builder, context.get_value_type(signature.args[0])).transpose(*arguments[1:])
        return context.get_dummy_value()

    return types.void(number, *[types.intp] * 4), generate


def _fetching(level: int, is_written: bool) -> Callable[..., Generated]:
    """Asks for the line of the cache at an address, any address; see ``_ask_for``."""

    def fetch(typing_context: Any, address: Any) -> Generated:
        def generate(context: Any, builder: Any, _: Any, arguments: Any) -> Any:
            _ask_for(builder, builder.inttoptr(arguments[0], _BYTES), level, is_written)
            return context.get_dummy_value()

        return types.void(types.intp), generate

    return fetch


def _ask_for(builder: Any, place: Any, level: int, is_written: bool = False) -> None:
    """Have a line fetched to the nearest cache, 3, or the one behind it, 2; what is written, from other cores."""
    kind, name = ir.IntType(32), f"llvm.prefetch.p0{'i8' if str(place.type) != 'ptr' else ''}"
    function = ir.FunctionType(ir.VoidType(), [place.type, *[kind] * 3])
    options = [ir.Constant(kind, option) for option in (int(is_written), level, 1)]  # the last: data
    builder.call(_code.get_or_insert_function(builder.module, function, name), [place, *options])


_FETCHED_AHEAD = 32
"""Steps. Two ranks, which write half of the weights each, take 4 % less time for an MLP's step than without."""


class BlockCode:
    """Writes the code of a block.

    Args:
        builder: llvmlite's, at the place where the code goes.
        number: LLVM's type of a number.
        rows, columns: registers.
        ahead: steps at a time, of numbers side by side; 0 where rows lie side by side.
        entries: 0 where a number of x is for all registers of a row; 2 where registers are read in part.
    """

    def __init__(
        self, builder: Any, number: Any, rows: int = 0, columns: int = 0, ahead: int = 0, entries: int = 0
    ) -> None:
        self.builder, self.number, self.ahead, self.entries = builder, number, ahead, entries
        self.itemsize = 8 if isinstance(number, ir.DoubleType) else 4
        self.lanes = lanes(self.itemsize)
        self.vector = ir.VectorType(number, self.lanes)
        self.rows, self.columns = range(rows), range(columns)
        self.suffix = f"v{self.lanes}f{self.itemsize * 8}"

    def multiply(
        self, out: Any, out_row: Any, skipped: Any, tail: Any, x: Any, x_row: Any, x_step: Any, table: Any, lines: Any,
        steps: Any, w: Any, w_step: Any, adds: Any,
    ) -> None:  # fmt: skip
        """See ``tile``."""
        builder = self.builder
        zero = ir.Constant(self.vector, [0.0] * self.lanes)
        sums = [[self._variable(zero) for _ in self.columns] for _ in self.rows]
        x, w = self._pointer(x, self.number), self._pointer(w, self.number)
        places = self._pointer(table, _INDEX)
        is_far = self.ahead or self.entries
        of_rows = [builder.mul(x_row, _whole(i)) if is_far else _whole(i) for i in self.rows]
        mask = self._mask(tail) if self.entries == 2 else None
        many = max(self.ahead, 1)
        groups = builder.sdiv(steps, _whole(many))
        rest = builder.sub(steps, builder.mul(groups, _whole(many)))
        with _code.for_range(builder, lines, intp=_INDEX) as line:
            first = builder.mul(line.index, _whole(2))
            x_line = self._entry(x, self._index(places, first))
            w_line = self._entry(w, self._index(places, builder.add(first, _whole(1))))

            def take(step: Any, count: int) -> None:
                x_here = self._entry(x_line, step if self.ahead else builder.mul(step, x_step))
                w_here = self._entry(w_line, builder.mul(step, w_step))
                if not self.entries:
                    self._fetch(w_here, w_step, count)
                self._add_products(sums, x_here, of_rows, w_here, w_step, count, mask)

            with _code.for_range(builder, groups, intp=_INDEX) as group:
                take(builder.mul(group.index, _whole(many)), many)
            if many > 1:
                with _code.for_range(builder, rest, intp=_INDEX) as left:
                    take(builder.add(builder.mul(groups, _whole(many)), left.index), 1)
        self._write(sums, self._pointer(out, self.number), out_row, skipped, tail, adds)

    def _fetch(self, w: Any, w_step: Any, count: int) -> None:
        """Ask for weights of later steps: what another core wrote comes late. Behind the last it does no harm."""
        for step in range(_FETCHED_AHEAD, _FETCHED_AHEAD + count):
            row = self._entry(w, self.builder.mul(w_step, _whole(step)))
            for j in self.columns:
                _ask_for(self.builder, self.builder.bitcast(self._entry(row, _whole(j * self.lanes)), _BYTES), 3)

    def _add_products(
        self, sums: list[list[Any]], x: Any, of_rows: list[Any], w: Any, w_step: Any, count: int, mask: Any
    ) -> None:
        """Add ``count`` steps: row by row, since a row's address costs as much as a product."""
        builder = self.builder
        factors = [self._load_row(self._entry(w, builder.mul(w_step, _whole(step))), mask) for step in range(count)]
        for row, of_row in zip(sums, of_rows, strict=True):
            x_row = self._entry(x, of_row)
            for step, of_step in enumerate(factors):
                if self.entries:
                    values = self._load_row(x_row, mask)
                else:
                    number = builder.load(self._entry(x_row, _whole(step)), typ=self.number)
                    values = [self._everywhere(number)] * len(row)
                for total, value, factor in zip(row, values, of_step, strict=True):
                    self._add_product(total, value, factor)

    def _load_row(self, start: Any, mask: Any) -> list[Any]:
        """A row of registers, the last one through the mask."""
        places = [self._entry(start, _whole(j * self.lanes)) for j in self.columns]
        whole = places if mask is None else places[:-1]
        return [self._load(place) for place in whole] + [self._load_part(place, mask) for place in places[len(whole) :]]

    def transpose(self, source: Any, source_row: Any, out: Any, out_row: Any) -> None:
        """See ``tile``: halves change places, then quarters, and so on."""
        builder, size = self.builder, self.lanes
        source, out = self._pointer(source, self.number), self._pointer(out, self.number)
        rows = [self._load(self._entry(source, builder.mul(source_row, _whole(i)))) for i in range(size)]
        half = size // 2
        while half:
            upper = [j if not j & half else size + j - half for j in range(size)]
            lower = [j + half if not j & half else size + j for j in range(size)]
            changed = list(rows)
            for i in range(size):
                if not i & half:
                    changed[i] = builder.shuffle_vector(rows[i], rows[i + half], _lane_numbers(upper))
                    changed[i + half] = builder.shuffle_vector(rows[i], rows[i + half], _lane_numbers(lower))
            rows, half = changed, half // 2
        for i, row in enumerate(rows):
            self._store(row, self._entry(out, builder.mul(out_row, _whole(i))))

    def _write(self, sums: list[list[Any]], out: Any, out_row: Any, skipped: Any, tail: Any, adds: Any) -> None:
        builder = self.builder
        is_whole = builder.icmp_signed("==", tail, _whole(self.lanes))
        is_added = builder.icmp_signed("!=", adds, _whole(0))
        for i, row in enumerate(sums):
            with builder.if_then(builder.icmp_signed(">=", _whole(i), skipped)):
                start = self._entry(out, builder.mul(out_row, _whole(i)))
                for j, total in enumerate(row):
                    place = self._entry(start, _whole(j * self.lanes))
                    if j < len(row) - 1:
                        self._put(total, place, is_added)
                        continue
                    with builder.if_else(is_whole) as (whole, part):
                        with whole:
                            self._put(total, place, is_added)
                        with part:
                            self._put(total, place, is_added, self._mask(tail))

    def _put(self, total: Any, place: Any, is_added: Any, mask: Any = None) -> None:
        """Write a register, or add it."""
        with self.builder.if_then(is_added):
            before = self._load(place) if mask is None else self._load_part(place, mask)
            self.builder.store(self.builder.fadd(before, self.builder.load(total, typ=self.vector)), total)
        value = self.builder.load(total, typ=self.vector)
        if mask is None:
            self._store(value, place)
        else:
            self._store_part(value, place, mask)

    def _variable(self, value: Any) -> Any:
        """A place for a vector, which the optimizer turns into a register."""
        place = _code.alloca_once(self.builder, self.vector)
        self.builder.store(value, place)
        return place

    def _add_product(self, total: Any, a: Any, b: Any) -> None:
        # Where a CPU has no fused multiply-add, ``llvm.fma`` would call a library for each number.
        kind = ir.FunctionType(self.vector, [self.vector] * 3)
        fused = _code.get_or_insert_function(self.builder.module, kind, f"llvm.fmuladd.{self.suffix}")
        self.builder.store(self.builder.call(fused, [a, b, self.builder.load(total, typ=self.vector)]), total)

    def _everywhere(self, value: Any) -> Any:
        empty = ir.Constant(self.vector, ir.Undefined)
        first = self.builder.insert_element(empty, value, ir.Constant(ir.IntType(32), 0))
        return self.builder.shuffle_vector(first, empty, _lane_numbers([0] * self.lanes))

    def _mask(self, tail: Any) -> Any:
        """True in the first ``tail`` lanes."""
        mask = ir.Constant(ir.VectorType(_BIT, self.lanes), ir.Undefined)
        for j in range(self.lanes):
            is_inside = self.builder.icmp_signed("<", _whole(j), tail)
            mask = self.builder.insert_element(mask, is_inside, ir.Constant(ir.IntType(32), j))
        return mask

    def _load_part(self, place: Any, mask: Any) -> Any:
        pointer = self.vector.as_pointer()
        zero = ir.Constant(self.vector, [0.0] * self.lanes)
        kind = ir.FunctionType(self.vector, [pointer, ir.IntType(32), mask.type, self.vector])
        load = _code.get_or_insert_function(self.builder.module, kind, f"llvm.masked.load.{self._of_memory()}")
        return self.builder.call(load, [self.builder.bitcast(place, pointer), self._alignment(), mask, zero])

    def _store_part(self, value: Any, place: Any, mask: Any) -> None:
        pointer = self.vector.as_pointer()
        kind = ir.FunctionType(ir.VoidType(), [self.vector, pointer, ir.IntType(32), mask.type])
        store = _code.get_or_insert_function(self.builder.module, kind, f"llvm.masked.store.{self._of_memory()}")
        self.builder.call(store, [value, self.builder.bitcast(place, pointer), self._alignment(), mask])

    def _of_memory(self) -> str:
        """The end of an intrinsic's name: LLVM's pointers have types up to version 15."""
        is_typed = str(self.vector.as_pointer()) != "ptr"
        return f"{self.suffix}.p0{self.suffix if is_typed else ''}"

    def _alignment(self) -> Any:
        return ir.Constant(ir.IntType(32), self.itemsize)

    def _pointer(self, address: Any, kind: Any) -> Any:
        return self.builder.inttoptr(address, kind.as_pointer())

    def _entry(self, pointer: Any, offset: Any) -> Any:
        return self.builder.gep(pointer, [offset], source_etype=self.number)

    def _index(self, places: Any, number: Any) -> Any:
        return self.builder.load(self.builder.gep(places, [number], source_etype=_INDEX), typ=_INDEX)

    def _load(self, place: Any) -> Any:
        pointer = self.builder.bitcast(place, self.vector.as_pointer())
        return self.builder.load(pointer, typ=self.vector, align=self.itemsize)

    def _store(self, value: Any, place: Any) -> None:
        self.builder.store(value, self.builder.bitcast(place, self.vector.as_pointer()), align=self.itemsize)


def _whole(number: int) -> Any:
    return ir.Constant(_INDEX, number)


def _lane_numbers(numbers: list[int]) -> Any:
    return ir.Constant(ir.VectorType(ir.IntType(32), len(numbers)), numbers)


at: Any = intrinsic(_at)
call: Any = intrinsic(_call)
fetch_line: Any = intrinsic(_fetching(2, False))
fetch_line_to_write: Any = intrinsic(_fetching(3, True))
lanes_of: Any = intrinsic(_lanes_of)
tile: Any = intrinsic(_tile)
transpose: Any = intrinsic(_transpose)
