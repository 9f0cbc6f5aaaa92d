"""A gradient of a gradient through a convolution, over rows that lie on several ranks."""

import numpy as np

from distnet import GradientTape, ops
from distnet.comm.shares import shard
from distnet.ops.tensor import Rows, Tensor
from distnet.variables import Variable
from ranks_of_threads import as_ranks

NUMBERS = np.random.default_rng(0)
IMAGES, KERNEL = NUMBERS.normal(size=(7, 6, 6, 2)), 0.3 * NUMBERS.normal(size=(3, 3, 2, 4))


def penalty_and_gradient(x, kernel):
    """How far the critic's slope is from 1, in the mean over the rows, and the gradient of that."""
    weights = Variable("kernel", "kernel", kernel.copy())
    with GradientTape() as outer:
        with GradientTape() as tape:
            tape.watch(x)
            y = ops.gelu(ops.leaky_relu(ops.conv(x, weights, 2)))
        slope = tape.gradient(y, x)
        size = ops.sum(slope * slope, axis=(1, 2, 3)) ** 0.5
        penalty = ops.mean((size - 1.0) ** 2)
    return float(penalty), np.asarray(outer.gradient(penalty, weights))


def test_a_gradient_penalty_does_not_depend_on_the_ranks(monkeypatch):
    whole, slope = penalty_and_gradient(Tensor(IMAGES), KERNEL)
    moved = np.zeros_like(KERNEL)
    moved[1, 2, 0, 3] = 1e-6
    sides = [penalty_and_gradient(Tensor(IMAGES), KERNEL + sign * moved)[0] for sign in (1, -1)]
    np.testing.assert_allclose(slope[1, 2, 0, 3], (sides[0] - sides[1]) / 2e-6, rtol=1e-6)

    def program(ranks):
        rows = shard(7, ranks.rank, 3)
        x = Tensor(IMAGES[rows], rows=Rows(7, rows.start, rows.stop - rows.start))
        return penalty_and_gradient(x, KERNEL)

    for penalty, gradient in as_ranks(3, program, monkeypatch):
        np.testing.assert_allclose(penalty, whole, rtol=1e-12)
        np.testing.assert_allclose(gradient, slope, rtol=1e-10, atol=1e-12)
