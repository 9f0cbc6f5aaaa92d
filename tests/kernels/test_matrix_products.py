"""Matrix products in register blocks, with guard zones around all memory; and where BLAS serves."""

import ctypes
import sys
import warnings

import numpy as np
import pytest

from distnet import kernels
from distnet.errors import ArgumentError
from distnet.kernels import matrix_products
from distnet.kernels.readying import ready
from guarded import Guarded

ERROR = {"float32": 1e-6, "float64": 4e-15}
SHAPES = (
    (0, 3, 4), (3, 0, 4), (3, 4, 0), (1, 1, 1), (5, 17, 3), (16, 300, 64), (17, 257, 70), (300, 5, 33), (32, 40, 100)
)  # fmt: skip
"""Rows, terms of a sum, columns."""


@pytest.fixture
def tiles():
    pytest.importorskip("numba", reason="numba is optional: pip install 'distnet[fast]'")
    return kernels.load("numba").tiles


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("form", ["a b", "a^T b", "a b^T"])
@pytest.mark.slow
def test_products_are_those_of_blas_whatever_their_shape(tiles, form, dtype):
    rng = np.random.default_rng(3)
    for rows, deep, columns in SHAPES:
        memory = Guarded()
        a = rng.standard_normal((deep, rows) if form == "a^T b" else (rows, deep)).astype(dtype)
        b = rng.standard_normal((columns, deep) if form == "a b^T" else (deep, columns)).astype(dtype)
        a, b = (memory.copied(factor) for factor in (a, b))
        a, b = (a.T if form == "a^T b" else a), (b.T if form == "a b^T" else b)
        out = memory.workspace("", (rows, columns), dtype)
        tiles.multiply(a, b, out)()
        expected = a.astype(float) @ b.astype(float)
        scale = max(np.max(np.abs(expected), initial=0), 1)
        np.testing.assert_allclose(out, expected, rtol=0, atol=scale * ERROR[dtype], err_msg=f"{rows, deep, columns}")
        memory.check()


def test_a_row_has_the_same_result_in_any_batch(tiles):
    rng = np.random.default_rng(4)
    a, b = rng.random((9, 300), np.float32), rng.random((300, 40), np.float32)
    out, one = np.empty((9, 40), np.float32), np.empty((2, 40), np.float32)
    tiles.multiply(a, b, out)()
    tiles.multiply(a[7:], b, one)()
    np.testing.assert_array_equal(one, out[7:])


@pytest.mark.parametrize("wrong", ["shape", "dtype", "strides"])
def test_arrays_that_make_no_product_are_refused_before_anything_is_written(tiles, wrong):
    a = np.ones((8, 6), np.float32)
    b = {"shape": np.ones((5, 4), np.float32), "dtype": np.ones((6, 4)), "strides": np.ones((12, 4), np.float32)[::2]}
    with pytest.raises(ArgumentError, match="expected contiguous arrays"):
        tiles.multiply(a, b[wrong], np.empty((8, 4), np.float32))


@pytest.mark.parametrize(("rows", "dtype"), [(4, "float32"), (16, "float32"), (16, "float64"), (40, "float32")])
def test_whichever_multiplies_the_result_is_written(rows, dtype):
    rng = np.random.default_rng(5)
    a, b = rng.random((rows, 200)).astype(dtype), rng.random((200, 170)).astype(dtype)
    out = np.empty((rows, 170), dtype)
    assert matrix_products.multiply(a, b, out=out) is out
    np.testing.assert_allclose(out, a.astype(float) @ b.astype(float), rtol=1e-6)


class _Words(ctypes.Structure):
    _fields_ = (("each", ctypes.c_uint32 * 20_000),)


def fill_stack(word):
    """Call a function with as much on the stack, below which the next call has its own memory."""
    call = ctypes.CDLL(None).getpid
    call.argtypes = [_Words]
    call(_Words((ctypes.c_uint32 * 20_000)(*[word] * 20_000)))


@pytest.mark.skipif(sys.platform == "win32", reason="fills the stack by a function of POSIX")
@pytest.mark.parametrize("rows", [1, 7, 10])
def test_what_lies_on_the_stack_makes_no_product_warn(rows):
    """OpenBLAS computes with it beside the numbers, and NumPy looks at the flags of both."""
    a, b = np.ones((rows, 5), np.float32), np.ones((5, 1), np.float32)
    out = np.empty((rows, 1), np.float32)
    call = ready(matrix_products.by_blas, a, b, out=out)
    ways = (
        lambda: matrix_products.multiply(a, b, out),
        lambda: matrix_products.product_of(a[None], b[None]),
        lambda: matrix_products.matmul(a, b[:, 0]),
        lambda: matrix_products.product_of(b.T, np.ascontiguousarray(a.T)),
        call,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for way in ways:
            fill_stack(0x7F88BFD0)  # a signaling nan
            way()
    assert np.all(out == 5)
