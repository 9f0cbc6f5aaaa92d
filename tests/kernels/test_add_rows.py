"""Adding rows to a matrix, against a loop."""

import numpy as np
import pytest

from distnet import kernels
from kernel_sets import KERNEL_SETS


@pytest.mark.parametrize("name", KERNEL_SETS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("count", [0, 1, 7, 400])
def test_rows_are_added_however_often_they_occur(name, dtype, count):
    rng = np.random.default_rng(count)
    rows = np.minimum(rng.geometric(0.2, count) - 1, 29).astype(np.intp)
    values, out = rng.normal(size=(count, 5)).astype(dtype), rng.normal(size=(30, 5)).astype(dtype)
    expected = out.astype("float64")
    for row, value in zip(rows, values, strict=True):
        expected[row] += value
    kernels.load(name).add_rows(out, rows, values)
    np.testing.assert_allclose(out, expected, rtol=1e-5 if dtype == "float32" else 1e-13, atol=1e-5)
    assert out.dtype == dtype


@pytest.mark.parametrize("name", KERNEL_SETS)
def test_the_values_may_be_a_strided_view(name):
    out, values = np.zeros((3, 2)), np.arange(12.0).reshape(3, 4)[:, ::2]
    kernels.load(name).add_rows(out, np.array([2, 0, 2]), values)
    np.testing.assert_array_equal(out, [values[1], [0, 0], values[0] + values[2]])
