"""Matrix products by whichever is faster: register blocks, or BLAS; large ones by all threads of the process."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from distnet import kernels
from distnet.kernels import teamwork
from distnet.kernels.readying import Call, readied_by
from distnet.types import Array

_ROWS = range(8, 65)
"""BLAS packs its operands, which pays for itself with more rows; with fewer, blocks are too small."""

_LEAST_WEIGHTS = 1 << 15
"""Smaller products take less time than choosing."""

_NS_PER_BYTE = 0.0045
"""Of one number, for each multiply-add."""

_UNIT = 16
"""Rows or columns of a part: whole blocks of BLAS's."""

_of_vector = np.errstate(invalid="ignore")(np.matmul)
"""OpenBLAS 0.3.31 multiplies five numbers by columns along with whatever is on the stack, on cores with AVX-512. The
product is right, but where that is a signaling nan, NumPy warns of an invalid value."""


def _ready(a: Array, b: Array, out: Array) -> Call:
    """The faster of both, chosen once; each time without zeros, where they are many."""
    tiles = kernels.current().tiles
    if tiles is None:
        return _ready_by_blas(a, b, out)
    return tiles.skip_zeros(a, b, out, tiles.multiply(a, b, out) if _suits(a, b, out) else _ready_by_blas(a, b, out))


@readied_by(_ready)
def multiply(a: Array, b: Array, out: Array) -> Array:
    """``out = a b``; returns ``out``.

    Measured on one core with AVX-512 against OpenBLAS (float32, least times): with 8 to 32 rows, blocks take 0.4 to
    0.9 of BLAS's time for ``a b``, and 0.6 to 0.8 for ``a b^T``; with 64 they are equal, and take 0.8 within a step of
    two ranks, where each reads weights that the other wrote. For ``a^T b`` BLAS is faster.

    Shapes:
        a (M, K), b (K, N) -> out (M, N).
    """
    _ready(a, b, out)()
    return out


def _ready_by_blas(a: Array, b: Array, out: Array) -> Call:
    nanoseconds = a.size * b.shape[-1] * out.itemsize * _NS_PER_BYTE
    is_large = nanoseconds >= teamwork.LEAST_NS and out.dtype.char in "fd" and a.ndim == b.ndim == out.ndim
    if not is_large or (out.ndim > 2 and len(a) != len(b)):
        return partial(_function_for(a, b, out), a, b, out)
    if out.ndim > 2:
        return partial(teamwork.share, _function_for(a, b, out), nanoseconds, (0, 1, 2), a, b, out)
    return partial(_multiply_in_parts, nanoseconds, a, b, out)


@readied_by(_ready_by_blas)
def by_blas(a: Array, b: Array, out: Array) -> Array:
    """``np.matmul(a, b, out=out)``, in parts at the same time where that takes long.

    BLAS's own threads spin between products, and keep the cores from other work. Parts of a product may differ from the
    whole in its last bits: BLAS chooses its code by the shape.
    """
    _ready_by_blas(a, b, out)()
    return out


def _multiply_in_parts(nanoseconds: float, a: Array, b: Array, out: Array) -> None:
    """Matrices, along the longer side of the result."""
    function = _of_vector if _has_vector(a, b) else np.matmul
    if teamwork.is_one():
        function(a, b, out)
        return
    rows, columns = out.shape
    parts = teamwork.parts_of(max(rows, columns), nanoseconds, _UNIT, most=1)
    if rows >= columns:
        teamwork.do([partial(function, a[part], b, out=out[part]) for part in parts])
    else:
        teamwork.do([partial(function, a, b[:, part], out=out[:, part]) for part in parts])


def matmul(a: Array, b: Array, out: Array | None = None) -> Array:
    """``np.matmul(a, b, out)``, by one thread, without the warnings that BLAS's own scratch memory gives rise to."""
    return np.asarray((_of_vector if _has_vector(a, b) else np.matmul)(a, b, out))


def for_blas(a: Array) -> Array:
    """``a``, or a copy of matrices that BLAS does not take, as of a broadcast number: NumPy's own loop is slow."""
    return a if a.ndim < 2 or a.itemsize in a.strides[-2:] else np.ascontiguousarray(a)


def product_of(a: Array, b: Array) -> Array:
    """``np.matmul(a, b)``; like ``by_blas``, and of two matrices like ``multiply``. Rows of a batch are one matrix."""
    a, b = for_blas(a), for_blas(b)
    if a.ndim > 2 and b.ndim == 2 and a.size and a.flags.c_contiguous and a.shape[-1] == len(b):
        rows = a.reshape(-1, a.shape[-1])
        return product_of(rows, b).reshape(*a.shape[:-1], b.shape[-1])
    if a.ndim == b.ndim == 2 and a.shape[1] == len(b) and a.dtype == b.dtype and a.dtype.kind == "f":
        return multiply(a, b, np.empty((len(a), b.shape[1]), a.dtype))
    is_large = a.size * b.shape[-1] * a.itemsize * _NS_PER_BYTE >= teamwork.LEAST_NS
    if not is_large or a.ndim != b.ndim or a.ndim < 2 or a.shape[:-2] != b.shape[:-2] or a.shape[-1] != b.shape[-2]:
        return matmul(a, b)
    return by_blas(a, b, np.empty((*a.shape[:-1], b.shape[-1]), np.result_type(a, b)))


def _function_for(a: Array, b: Array, out: Array) -> Callable[..., Any]:
    """NumPy's function for a product by BLAS: of matrices, ``dot`` makes the same calls as ``matmul``, and sooner."""
    if _has_vector(a, b):
        return _of_vector
    is_plain = a.ndim == b.ndim == 2 and a.dtype == b.dtype == out.dtype and out.dtype.char in "fd"
    return np.dot if is_plain and out.flags.c_contiguous else np.matmul


def _has_vector(a: Array, b: Array) -> bool:
    """Whether BLAS multiplies a matrix by a vector."""
    return min(a.ndim, b.ndim) < 2 or a.shape[-2] == 1 or b.shape[-1] == 1


def _suits(a: Array, b: Array, out: Array) -> bool:
    """Whether blocks are faster."""
    return (
        len(a) in _ROWS
        and b.size >= _LEAST_WEIGHTS
        and a.dtype == b.dtype == out.dtype == np.float32
        and a.flags.c_contiguous
        and out.flags.c_contiguous
        and b.flags.forc
    )
