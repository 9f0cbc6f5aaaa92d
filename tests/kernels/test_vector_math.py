"""Sigmoid and tanh of compiled loops, against extended precision."""

import numpy as np
import pytest

numba = pytest.importorskip("numba", reason="numba is optional: pip install 'distnet[fast]'")
vector_math = pytest.importorskip("distnet.kernels.vector_math")
OPTIONS = pytest.importorskip("distnet.kernels.compiling").OPTIONS

pytestmark = pytest.mark.slow

sigmoid, tanh = vector_math.sigmoid, vector_math.tanh


@numba.njit(**OPTIONS)
def both(x, of_sigmoid, of_tanh):
    for i in range(x.size):
        of_sigmoid[i] = sigmoid(x[i])
        of_tanh[i] = tanh(x[i])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_errors_are_at_most_3_units_in_the_last_place(dtype):
    far = 86 if dtype == "float32" else 700
    lines = [np.linspace(-end, end, 20001) for end in (1e-3, 1, 20, far)]
    x = np.concatenate([*lines, np.geomspace(1e-30, 1, 2001)]).astype(dtype)
    exact = x.astype(np.longdouble)
    of_sigmoid, of_tanh = np.empty_like(x), np.empty_like(x)
    both(x, of_sigmoid, of_tanh)
    for actual, expected in ((of_sigmoid, 1 / (1 + np.exp(-exact))), (of_tanh, np.tanh(exact))):
        assert np.max(np.abs(actual - expected) / np.spacing(np.abs(expected).astype(dtype))) <= 3


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_ends_and_nan(dtype):
    x = np.array([np.nan, np.inf, -np.inf, 0, 1e4, -1e4], dtype)
    of_sigmoid, of_tanh = np.empty_like(x), np.empty_like(x)
    both(x, of_sigmoid, of_tanh)
    np.testing.assert_allclose(of_sigmoid, [np.nan, 1, 0, 0.5, 1, 0], atol=1e-37)
    np.testing.assert_array_equal(of_tanh, [np.nan, 1, -1, 0, 1, -1])
