"""Sums over rows and maps of channels, against NumPy in double precision."""

import numpy as np
import pytest

from distnet import kernels
from distnet.kernels.columns import Columns

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


@pytest.fixture(params=["numpy", "numba"])
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
    for found, expected in [
        (Columns.of(a).sums(a), x.sum(axis=1)),
        (kernel.column_squares(a, mean), ((x - m) ** 2).sum(axis=1)),
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
