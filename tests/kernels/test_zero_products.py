"""Products that skip zeros, with guard zones around all memory: right, and taken where zeros are many alone."""

import itertools

import numpy as np
import pytest

from distnet import kernels
from distnet.comm import threads
from distnet.kernels import matrix_products, teamwork
from guarded import Guarded

ERROR = {"float32": 2e-6, "float64": 4e-15}
SHAPES = {
    "a b": ((37, 300, 192), (130, 64, 128), (9, 1000, 576)),
    "a^T b": ((784, 37, 64), (70, 200, 192), (64, 129, 160)),
}
"""Rows of the result, terms of a sum, columns of the result."""


@pytest.fixture
def skip_zeros():
    pytest.importorskip("numba", reason="numba is optional: pip install 'distnet[fast]'")
    return kernels.load("numba").tiles.skip_zeros


def factors(form, shape, kept, dtype, memory):
    """Both factors, of which the given parts are not zero, and memory for the product."""
    rng = np.random.default_rng(3)
    rows, deep, columns = shape
    extents = ((deep, rows) if form == "a^T b" else (rows, deep)), (deep, columns)
    a, b = (
        memory.copied((rng.standard_normal(extent) * (rng.random(extent) < part)).astype(dtype))
        for extent, part in zip(extents, kept, strict=True)
    )
    return (a.T if form == "a^T b" else a), b, memory.workspace("", (rows, columns), np.dtype(dtype))


def fails():
    raise AssertionError("zeros were not skipped")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("form", ["a b", "a^T b"])
def test_products_are_right_whatever_their_shape_and_where_the_zeros_are(skip_zeros, monkeypatch, form, dtype):
    monkeypatch.setattr("distnet.kernels.zero_products.LEAST_PRODUCTS", 1)
    sparse = [(0.2, 1), (0.2, 0.05), (0.0, 1)] + [(1, 0.2), (0.4, 0.1), (1, 0.0)] * (form == "a^T b")
    for shape, kept in itertools.product(SHAPES[form], sparse):
        if form == "a^T b" and shape[0] % 16 and kept[0] > kept[1]:
            continue  # by columns, the rows are to fill registers
        memory = Guarded()
        a, b, out = factors(form, shape, kept, dtype, memory)
        skip_zeros(a, b, out, fails)()
        expected = a.astype(float) @ b.astype(float)
        scale = max(np.abs(expected).max(), 1e-30)
        np.testing.assert_allclose(out, expected, rtol=0, atol=scale * ERROR[dtype], err_msg=f"{shape} {kept}")
        memory.check()


@pytest.mark.parametrize(
    ("form", "shape", "kept", "dtype"),
    [
        ("a b", (64, 300, 192), (0.9, 0.1), "float32"),  # of weights none are looked for
        ("a^T b", (300, 64, 192), (0.9, 0.9), "float32"),
        ("a b", (4, 16, 64), (0.1, 1), "float32"),  # too small
        ("a b", (64, 300, 201), (0.1, 1), "float32"),  # registers are not filled
        ("a b", (64, 300, 192), (0.1, 1), "float16"),
    ],
)
def test_what_is_not_worth_it_is_multiplied_as_always(skip_zeros, form, shape, kept, dtype):
    a, b, out = factors(form, shape, kept, dtype, Guarded())
    calls = []
    skip_zeros(a, b, out, lambda: calls.append(1))()
    assert calls == [1]


@pytest.mark.parametrize("stranger", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("form", ["a b", "a^T b"])
def test_a_zero_times_what_is_not_finite_is_nan_as_in_blas(skip_zeros, form, stranger):
    """Also where the number meets nothing but zeros."""
    rows, deep, columns = (64, 300, 192) if form == "a b" else (320, 64, 192)
    a, b, out = factors(form, (rows, deep, columns), (0.2, 1), "float32", Guarded())
    a[:, 7], b[7, 5] = 0, stranger
    with np.errstate(invalid="ignore"):
        matrix_products.multiply(a, b, out)
    assert np.isnan(out[:, 5]).all()
    assert np.isfinite(np.delete(out, 5, 1)).all()


def test_numbers_that_are_not_finite_in_the_factor_with_zeros_reach_the_result(skip_zeros):
    a, b, out = factors("a^T b", (320, 64, 192), (1, 0.2), "float32", Guarded())
    b[3, 4] = np.nan
    skip_zeros(a, b, out, fails)()
    assert np.isnan(out[:, 4]).all()
    assert np.isfinite(np.delete(out, 4, 1)).all()


@pytest.mark.parametrize(("form", "kept"), [("a b", (0.2, 1)), ("a^T b", (0.2, 1)), ("a^T b", (1, 0.2))])
def test_the_bits_do_not_depend_on_the_number_of_threads(skip_zeros, monkeypatch, form, kept):
    a, b, out = factors(form, (320, 130, 192), kept, "float32", Guarded())
    skip_zeros(a, b, out, fails)()
    alone = out.copy()
    monkeypatch.setattr(threads.OF_THIS_PROCESS, "count", lambda: 3)
    for name in ("LEAST_NS", "_LEAST_PART_NS"):
        monkeypatch.setattr(teamwork, name, 1)
    out.fill(np.nan)
    skip_zeros(a, b, out, fails)()
    np.testing.assert_array_equal(out, alone)
