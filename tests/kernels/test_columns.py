"""Sums over rows and maps of channels, against NumPy in double precision."""

import numpy as np
import pytest

from distnet import kernels
from distnet.kernels.columns import squares_about
from kernel_sets import KERNEL_SETS

pytestmark = pytest.mark.slow

SHAPES = [
    (1, 0, 3),
    (0, 4, 3),
    (1, 1, 1),
    (1, 513, 1),
    (1, 70001, 2),
    (3, 7, 5),
    (40, 6, 16),
    (2, 9000, 8),
    (1, 129, 600),
]


@pytest.fixture(params=KERNEL_SETS)
def kernel(request):
    return kernels.load(request.param)


@pytest.fixture(params=["float32", "float64"])
def tolerance(request):
    return {"float32": 2e-5, "float64": 1e-11}[request.param], request.param


def arrays(shape, dtype):
    """Two arrays of ``shape`` and four of their vectors, in double precision but with numbers of ``dtype``."""
    rng = np.random.default_rng(sum(shape))
    found = [rng.normal(size=shape) for _ in range(2)] + [rng.normal(size=(shape[0], shape[2])) for _ in range(4)]
    return [a.astype(dtype).astype("float64") for a in found]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_sums_over_rows(kernel, tolerance, shape):
    (tolerance, dtype), rows = tolerance, max(shape[1], 1)
    x, dy, mean, *_ = arrays(shape, dtype)
    a, b, m = x.astype(dtype), dy.astype(dtype), mean[:, None]
    plain, weighted = kernel.column_products(b, a, mean)
    means, squares = kernel.column_moments(a)
    for found, expected in [
        (kernel.column_sums(a), x.sum(axis=1)),
        (means * rows, x.sum(axis=1)),
        (squares_about(mean, means, squares, shape[1]), ((x - m) ** 2).sum(axis=1)),
        (plain, dy.sum(axis=1)),
        (weighted, (dy * (x - m)).sum(axis=1)),
    ]:
        assert found.dtype == np.float64
        np.testing.assert_allclose(found / rows, expected / rows, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_maps_of_channels(kernel, tolerance, shape):
    tolerance, dtype = tolerance
    x, dy, mean, scale, slope, shift = arrays(shape, dtype)
    a, b, out = x.astype(dtype), dy.astype(dtype), np.empty(shape, dtype)
    m, s, t, u = (v[:, None] for v in (mean, scale, slope, shift))
    kernel.column_map(a, mean, scale, shift, out)
    np.testing.assert_allclose(out, (x - m) * s + u, rtol=tolerance, atol=tolerance)
    kernel.column_gradient(b, a, mean, scale, slope, shift, out)
    np.testing.assert_allclose(out, dy * s + (x - m) * t + u, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("activation", kernels.FUSED_ACTIVATIONS)
def test_maps_with_what_comes_behind_them(kernel, tolerance, shape, activation):
    tolerance, dtype = tolerance
    x, dy, mean, scale, _, shift = arrays(shape, dtype)
    a, b, out, dz = x.astype(dtype), dy.astype(dtype), np.empty(shape, dtype), np.empty(shape, dtype)
    m, s, u = (v[:, None] for v in (mean, scale, shift))
    lowest = 0 if activation == "relu" else -np.inf
    kernel.column_map(a, mean, scale, shift, out, activation)
    np.testing.assert_allclose(out, np.maximum((x - m) * s + u, lowest), rtol=tolerance, atol=tolerance)
    kernel.column_map(a, mean, scale, shift, out, activation, b)
    np.testing.assert_allclose(out, np.maximum((x - m) * s + u + dy, lowest), rtol=tolerance, atol=tolerance)
    plain, weighted = kernel.relu_products(b, out, a, mean, dz)
    np.testing.assert_array_equal(dz, np.where(out > 0, b, 0))
    for actual, expected in zip((plain, weighted), kernel.column_products(dz, a, mean), strict=True):
        np.testing.assert_allclose(
            actual / max(shape[1], 1), expected / max(shape[1], 1), rtol=tolerance, atol=tolerance
        )
    if shape[0] == 1:
        rows = [array[0] for array in (b, out, dz)]
        sums = kernel.bias_gradient(*rows[:2], activation, rows[2])
        np.testing.assert_array_equal(dz, np.where(out > 0, b, 0) if activation == "relu" else b)
        np.testing.assert_allclose(sums, kernel.column_sums(dz)[0], rtol=tolerance, atol=1e-4)
        scaled = dz * dz.dtype.type(1.6)
        sums = kernel.bias_gradient(*rows[:2], activation, rows[2], 1.6)
        np.testing.assert_array_equal(dz, scaled)
        np.testing.assert_allclose(sums, kernel.column_sums(dz)[0], rtol=tolerance, atol=1e-4)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_slopes_behind_a_relu_whose_results_are_made_again(kernel, tolerance, shape):
    tolerance, dtype = tolerance
    x, dy, mean, scale, slope, shift = arrays(shape, dtype)
    a, b, y, expected, out = x.astype(dtype), dy.astype(dtype), *np.empty((3, *shape), dtype)
    kernel.column_map(a, mean, scale, shift, y, "relu")
    passed = np.where(y > 0, b, b.dtype.type(0))
    for found, sums in zip(
        kernel.column_products(b, a, mean, (scale, shift)), kernel.column_products(passed, a, mean), strict=True
    ):
        np.testing.assert_allclose(found / max(shape[1], 1), sums / max(shape[1], 1), rtol=tolerance, atol=tolerance)
    kernel.column_gradient(passed, a, mean, scale, slope, shift, expected)
    kernel.column_gradient(b, a, mean, scale, slope, shift, out, shift)
    np.testing.assert_allclose(out, expected, rtol=tolerance, atol=tolerance)
    kernel.column_gradient(b, a, mean, scale, slope, shift, b, shift)
    np.testing.assert_array_equal(b, out)


def test_moments_of_a_large_mean_and_of_rows_that_change(kernel):
    rng = np.random.default_rng(0)
    x = (1e4 + rng.normal(size=(2, 5000, 3))).astype("float32")
    x[:, :700] -= 9e3
    mean, squares = kernel.column_moments(x)
    exact = x.astype("float64")
    np.testing.assert_allclose(mean, exact.mean(axis=1), rtol=1e-7)
    np.testing.assert_allclose(squares, ((exact - exact.mean(axis=1, keepdims=True)) ** 2).sum(axis=1), rtol=1e-5)
    mean, squares = kernel.column_moments(x[:, 700:].copy())
    about = exact[:, 700:].mean(axis=1, keepdims=True)
    np.testing.assert_allclose(squares, ((exact[:, 700:] - about) ** 2).sum(axis=1), rtol=1e-3)
