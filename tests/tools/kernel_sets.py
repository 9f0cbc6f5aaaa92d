"""The kernel sets as parameters of tests; tests of compiled loops are skipped where numba is missing."""

import importlib.util

import pytest

NEEDS_NUMBA = pytest.mark.skipif(
    importlib.util.find_spec("numba") is None, reason="numba is optional: pip install 'distnet[fast]'"
)

KERNEL_SETS = ["numpy", pytest.param("numba", marks=NEEDS_NUMBA)]
