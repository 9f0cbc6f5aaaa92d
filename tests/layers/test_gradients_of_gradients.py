"""The gradient of a gradient of every layer: against central differences, and over rows that lie on three ranks."""

import numpy as np
import pytest

from distnet import GradientTape, addresses, ops, random
from distnet.comm.shares import shard
from distnet.layers.engine.user_call import call_of_node
from distnet.ops.tensor import Rows, Tensor
from layer_cases import CASES
from layer_run import MASK, SEED, numbers
from ranks_of_threads import as_ranks

OF_LAYERS = [pytest.param(c, id=f"{name}-{i}") for name, found in CASES.items() for i, c in enumerate(found)]
ROWS, STEP = 2, 1e-6


class Twice:
    """A layer, and a number made of all its gradients.

    Args:
        shift: added to the inputs and weights, times numbers of their own.
        part: the rows at hand of ``ROWS``; None for all.
        layer: of the case, built; by default a new one.
    """

    def __init__(self, case, shift=0.0, part=None, layer=None):
        random.set_job_seed(SEED)
        self.case, self.part = case, part
        self.layer = layer or case.run().layer
        self.arrays = [np.asarray(a) for a in case.inputs(ROWS)]
        self.states = [v.value.copy() for v in self.layer.non_trainable_weights]
        floats = [i for i, a in enumerate(self.arrays) if a.dtype.kind == "f"]
        for i in floats:
            self.arrays[i] = self.arrays[i] + shift * numbers(*self.arrays[i].shape, seed=70 + i)
        for i, weight in enumerate(self.layer.trainable_weights):
            weight.assign(weight.value + shift * numbers(*weight.shape, seed=80 + i))
        self.total, self.slope, self.of_weights = self._run(floats)

    def _run(self, floats):
        """The number, its slope along ``shift``, and its gradients by the weights."""
        xs, weights = self._tensors(), list(self.layer.trainable_weights)
        sources = [*(xs[i] for i in floats), *weights]
        with GradientTape() as outer:
            outer.watch(sources[: len(floats)])
            with GradientTape() as tape:
                tape.watch(sources[: len(floats)])
                made = [ops.sum(y * self._of_rows(y, 20 + i)) for i, y in enumerate(self._outputs(xs))]
                first = sum(made[1:], made[0])
            slopes = tape.gradient(first, sources)
            parts = [
                ops.sum(s * (self._of_rows(s, 40 + i) if i < len(floats) else numbers(*s.shape, seed=40 + i)))
                for i, s in enumerate(slopes)
                if s is not None
            ]
            total = sum(parts[1:], parts[0])
        second = outer.gradient(total, sources, unconnected_gradients="zero")
        if self.part is not None:
            return float(total), None, [np.asarray(dw) for dw in second[len(floats) :]]
        ways = [self._of_rows(x, 70 + i).value for i, x in enumerate(xs) if i in floats]
        ways += [numbers(*w.shape, seed=80 + i) for i, w in enumerate(weights)]
        slope = sum(np.vdot(np.asarray(a), b) for a, b in zip(second, ways, strict=True))
        return float(total), slope, [np.asarray(dw) for dw in second[len(floats) :]]

    def _tensors(self):
        if self.part is None:
            tensors = [Tensor(a) for a in self.arrays]
        else:
            rows = Rows(ROWS, self.part.start, self.part.stop - self.part.start)
            tensors = [Tensor(a[self.part], rows=rows) for a in self.arrays]
        if self.case.is_masked:
            for x in tensors:
                first = 0 if x.rows is None else x.rows.first
                mask = MASK[first : first + len(x.value), : x.shape[1]]
                x._keras_mask = Tensor(mask, rows=x.rows) if x.ndim > 2 else None
        return tensors

    def _of_rows(self, x, seed):
        """Numbers for each entry; those of the rows at hand."""
        whole = numbers(*x.shape, seed=seed)
        return Tensor(whole if self.part is None else whole[self.part], rows=None if self.part is None else x.rows)

    def _outputs(self, xs):
        return call_of_node(self.layer, xs, {}, True, None)


@pytest.fixture(autouse=True)
def _same_random_numbers_in_every_call(monkeypatch):
    monkeypatch.setattr(addresses, "next_call_index", lambda: 0)


@pytest.mark.parametrize("case", OF_LAYERS)
def test_gradients_of_gradients(case, monkeypatch):
    whole = Twice(case)
    if type(whole.layer).__name__ != "SpectralNormalization":  # whose singular vectors move, without a gradient
        sides = [Twice(case, shift).total for shift in (STEP, -STEP)]
        slope = (sides[0] - sides[1]) / (2 * STEP)
        assert abs(whole.slope - slope) < 2e-6 * max(1.0, abs(slope), abs(whole.total))

    def program(ranks):
        return Twice(case, part=shard(ROWS, ranks.rank, 3), layer=on_each[ranks.rank])

    on_each = [case.run().layer for _ in range(3)]  # by one thread: a trial holds the assignments of all

    for on_rank in as_ranks(3, program, monkeypatch):
        np.testing.assert_allclose(on_rank.total, whole.total, rtol=1e-10, atol=1e-12)
        for a, b in zip(on_rank.of_weights, whole.of_weights, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-11)
