"""Random bits of Philox 4x64 with ten rounds, the same as NumPy's.

Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011; ``numpy.random.Philox``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from distnet.kernels.compiling import compiled
from distnet.types import Array

_ROUNDS = 10
_FACTORS = np.uint64(0xD2E7470EE14C6C93), np.uint64(0xCA5A826395121157)
_STEPS = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBB67AE8584CAA73B)


def _product(typing_context: Any, a: Any, b: Any) -> tuple[Any, Callable[..., Any]]:
    """The high and the low 64 bits of a product."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        wide, whole = ir.IntType(128), ir.IntType(64)
        product = builder.mul(*(builder.zext(argument, wide) for argument in arguments))
        high = builder.trunc(builder.lshr(product, ir.Constant(wide, 64)), whole)
        return context.make_tuple(builder, signature.return_type, [high, builder.trunc(product, whole)])

    pair: Any = types.UniTuple
    return pair(types.uint64, 2)(types.uint64, types.uint64), generate


product: Any = intrinsic(_product)


@compiled
def random_words(keys: Array, first_block: int, step: int, out: Array) -> None:
    """Write uint64 random words, four of each block.

    Args:
        keys: (2,) uint64.
        first_block: the first word of NumPy's counter, which counts on before it draws.
        step: the third word.
    """
    for block in range(out.size // 4):
        a, b = np.uint64(first_block) + np.uint64(block) + np.uint64(1), np.uint64(0)
        c, d = np.uint64(step), np.uint64(0)
        of_a, of_c = keys[0], keys[1]
        for _ in range(_ROUNDS):
            high, low = product(_FACTORS[0], a)
            other_high, other_low = product(_FACTORS[1], c)
            a, b, c, d = other_high ^ b ^ of_a, other_low, high ^ d ^ of_c, low
            of_a += _STEPS[0]
            of_c += _STEPS[1]
        words = out[4 * block : 4 * block + 4]
        words[0], words[1], words[2], words[3] = a, b, c, d
