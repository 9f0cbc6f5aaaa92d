"""Waiting for the other ranks of a node, without messages: at counters in memory that they share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.registry import cpu_target
from numba.extending import intrinsic

from distnet.kernels import vector_code
from distnet.kernels.compiling import compiled
from distnet.types import Array

Generated = tuple[Any, Callable[..., Any]]

COUNTER = 16
"""Entries from one rank's counter to the next: two ranks' never share a cache line."""

_code: Any = cgutils
_at: Any = vector_code.at
_NUMBER = ir.IntType(64)
_PAUSES = {"x86_64": ("llvm.x86.sse2.pause", None), "aarch64": ("llvm.aarch64.hint", 1)}
_TRIPLE = cpu_target.target_context.codegen().magic_tuple()[0]


@intrinsic
def _load(typing_context: Any, address: Any) -> Generated:
    """The number at an address; what its writer wrote before it is seen, too."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load_atomic(builder.inttoptr(arguments[0], _NUMBER.as_pointer()), "acquire", 8)

    return types.int64(types.intp), generate


@intrinsic
def _store(typing_context: Any, address: Any, number: Any) -> Generated:
    """Write a number, after everything that was written before."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = builder.inttoptr(arguments[0], _NUMBER.as_pointer())
        return builder.atomic_rmw("xchg", pointer, arguments[1], "acq_rel")

    return types.int64(types.intp, types.int64), generate


@intrinsic
def _pause(typing_context: Any) -> Generated:
    """Tell the core that this is a loop that waits; on kinds of CPU that are not known here nothing is told."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        name, argument = _PAUSES.get(_TRIPLE.partition("-")[0], ("", None))
        if name:
            taken = [] if argument is None else [ir.IntType(32)]
            function = _code.get_or_insert_function(builder.module, ir.FunctionType(ir.VoidType(), taken), name)
            builder.call(function, [ir.Constant(ir.IntType(32), argument)] if taken else [])
        return context.get_dummy_value()

    return types.void(), generate


load: Any = _load
store: Any = _store
pause: Any = _pause


def _arrive(counters: Array, rank: int, number: int, looks: int) -> bool:
    store(_at(counters, rank * COUNTER), number)
    for other in range(counters.size // COUNTER):
        left = looks
        while load(_at(counters, other * COUNTER)) < number:
            left -= 1
            if left <= 0:
                return False
            pause()
    return True


arrive: Callable[[Array, int, int, int], bool] = compiled(_arrive, vector_code.__file__)
"""Say that ``rank`` has come to ``number``; whether all ranks have, which is looked for ``looks`` times each.

Shapes:
    counters: (ranks * COUNTER,) int64.
"""
