"""Softmax and normalization of rows, and random bits, in every kernel set."""

import numpy as np
import pytest

from distnet import addresses, kernels
from kernel_sets import KERNEL_SETS

pytestmark = pytest.mark.slow

TOLERANCES = {"float32": 5e-6, "float64": 1e-13}


@pytest.fixture(params=KERNEL_SETS)
def kernel(request):
    return kernels.load(request.param)


def rows(shape, dtype):
    rng = np.random.default_rng(sum(shape))
    x, dy = rng.normal(size=(2, *shape)) * 3
    return x.astype(dtype), dy.astype(dtype)


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (7, 16), (2, 100), (130, 33)], ids=str)
def test_softmax_of_rows(kernel, shape, dtype):
    x, dy = rows(shape, dtype)
    x[0, 0] = -1e9 if shape[1] > 1 else 0
    exact = np.exp(x.astype("float64") - x.max(axis=1, keepdims=True))
    exact /= exact.sum(axis=1, keepdims=True)
    y, dx = np.empty_like(x), np.empty_like(x)
    kernel.softmax(x, y)
    np.testing.assert_allclose(y, exact, rtol=TOLERANCES[dtype], atol=1e-30)
    assert shape[1] == 1 or y[0, 0] == 0
    kernel.softmax_gradient(dy, y, dx)
    expected = (dy - (dy.astype("float64") * exact).sum(axis=1, keepdims=True)) * exact
    np.testing.assert_allclose(dx, expected, rtol=TOLERANCES[dtype], atol=TOLERANCES[dtype])
    for function, arrays in ((kernel.softmax, (x,)), (kernel.softmax_gradient, (dy, y))):
        function(*arrays, arrays[0])
    np.testing.assert_array_equal(x, y)
    np.testing.assert_array_equal(dy, dx)


def test_softmax_does_not_hide_nan(kernel):
    x = np.ones((3, 40), "float32")
    x[1, 17], x[2] = np.nan, -np.inf
    with np.errstate(invalid="ignore"):
        kernel.softmax(x, x)
    assert np.isnan(x[1:]).all()
    np.testing.assert_allclose(x[0], 1 / 40, rtol=1e-6)


@pytest.mark.parametrize("is_centered", [True, False])
@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("shape", [(0, 4), (1, 1), (5, 3), (70, 16), (129, 100)], ids=str)
def test_normalized_rows(kernel, shape, dtype, is_centered):
    x, dy = rows(shape, dtype)
    rng = np.random.default_rng(1)
    gamma, beta = rng.normal(size=(2, shape[1])).astype(dtype)
    for g, b in ((gamma, beta), (None, None)):
        y, dx = np.empty_like(x), np.empty_like(x)
        statistics = kernel.normalize_rows(x, g, b, 1e-3, is_centered, y)
        of_gamma, of_beta = kernel.normalize_rows_gradient(dy, x, statistics, g, is_centered, dx)
        scale, shift = (1.0, 0.0) if g is None else (g.astype("float64"), b)
        wide, slopes = x.astype("float64"), dy.astype("float64")
        inverse = 1 / np.sqrt(wide.var(axis=1, keepdims=True) + 1e-3)
        centered = wide - wide.mean(axis=1, keepdims=True)
        scaled = (centered if is_centered else wide) * inverse
        close = {"rtol": 20 * TOLERANCES[dtype], "atol": 20 * TOLERANCES[dtype]}
        np.testing.assert_allclose(y, scaled * scale + shift, **close)
        slope = slopes * scale
        rest = centered * inverse * (slope * scaled).mean(axis=1, keepdims=True)
        rest += slope.mean(axis=1, keepdims=True) * is_centered
        np.testing.assert_allclose(dx, (slope - rest) * inverse, rtol=1e-3 if dtype == "float32" else 1e-9, atol=1e-4)
        np.testing.assert_allclose(of_gamma, (slopes * scaled).sum(axis=0), **close | {"atol": 1e-3})
        np.testing.assert_allclose(of_beta, slopes.sum(axis=0), **close | {"atol": 1e-3})


@pytest.mark.parametrize("width", [1, 7, 8, 9, 40])
def test_random_bits_are_those_of_their_address(kernel, width):
    key = addresses.key(3, "dropout", 7)
    whole = np.random.Philox(key=key, counter=[0, 0, 5, 0]).random_raw(9 * -(-width // 8) * 4)
    expected = whole.view(np.uint32).reshape(9, -1)[:, :width]
    for first, rows in ((0, 9), (4, 3), (0, 0)):
        bits = np.empty((rows, width), np.uint32)
        assert kernel.random_bits(key, 5, first, bits) is bits
        np.testing.assert_array_equal(bits, expected[first : first + rows])
