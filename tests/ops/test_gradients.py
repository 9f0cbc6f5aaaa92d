"""Gradients of functions of ``distnet.ops``, and gradients of these, against central differences in float64."""

import numpy as np
import pytest

from distnet import ops
from op_cases import every_case, ids, leaves, value_and_gradients, weighted_sum, weights

CASES = [case for case in every_case() if case.smooth and case.floats and max(x.size for x in case.floats) < 50]
STEP = 1e-5


def in_float64(case):
    """The arrays that are differentiated by."""
    return [x.astype(np.float64) for x in case.floats]


def differences(function, arrays):
    """The central differences of a number by every entry."""
    made = []
    for i, x in enumerate(arrays):
        dx = np.zeros_like(x)
        for place in np.ndindex(x.shape):
            two = []
            for step in (STEP, -STEP):
                moved = [a.copy() for a in arrays]
                moved[i][place] += step
                two.append(function(moved))
            dx[place] = (two[0] - two[1]) / (2 * STEP)
        made.append(dx)
    return made


def value(case, arrays):
    """The weighted sum of the results."""
    with np.errstate(all="ignore"):
        y = case.function(*case.with_floats(arrays), **case.options)
    return float(weighted_sum([np.asarray(part) for part in leaves(y)]))


def assert_close(ours, expected):
    for a, b in zip(ours, expected, strict=True):
        scale = max(1.0, np.abs(b).max(initial=0))
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-6 * scale)


@pytest.mark.parametrize("case", CASES, ids=ids(CASES))
def test_gradients_are_central_differences(case):
    arrays = in_float64(case)
    _, slopes = value_and_gradients(case, arrays)
    assert all(dx.dtype == np.float64 for dx in slopes)
    assert_close([np.asarray(dx) for dx in slopes], differences(lambda a: value(case, a), arrays))


TWICE = [case for case in CASES if case.twice]


def sum_of_gradients(case, arrays):
    """The weighted sum of the gradients, and its gradients."""
    sources = [ops.convert_to_tensor(x) for x in arrays]
    with ops.GradientTape() as tape:
        tape.watch(sources)
        _, slopes = value_and_gradients(case, [s.followed for s in sources])
        total = sum((ops.sum(dx * weights(dx)) for dx in slopes), 0.0)
        second = tape.gradient(total, sources, unconnected_gradients="zero")
    return float(total), [np.asarray(dx) for dx in second]


@pytest.mark.parametrize("case", TWICE, ids=ids(TWICE))
def test_gradients_of_gradients_are_central_differences(case):
    arrays = in_float64(case)
    _, second = sum_of_gradients(case, arrays)
    assert_close(second, differences(lambda a: sum_of_gradients(case, a)[0], arrays))
