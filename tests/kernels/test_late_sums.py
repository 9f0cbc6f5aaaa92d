"""Gradients that are added up where weights are updated by them: the bits are those of the sum and then the update."""

import numpy as np
import pytest

from distnet import kernels
from distnet.kernels import LateSum
from distnet.optimizers import Adam, Optimizer, RMSprop, formulas
from distnet.optimizers.store_part import StorePart
from distnet.variables import Variable, VariableStore

SCALARS = {formulas.sgd: 1, formulas.rmsprop: 5, formulas.adam: 4, formulas.adam_amsgrad: 4}
"""Formulas with 0 to 3 slots, and how many scalars they take."""


@pytest.fixture(params=["numpy", "numba"])
def kernel(request):
    if request.param == "numba":
        pytest.importorskip("numba", reason="numba is optional: pip install 'distnet[fast]'")
    return kernels.load(request.param)


def gradients(ranks, size, dtype):
    """Memory with a gradient of each rank, each at some distance from the other, and where they begin."""
    random = np.random.default_rng(size)
    memory = random.standard_normal(ranks * (size + 7)).astype(dtype)
    return memory, 7 + np.arange(ranks) * (size + 7)


@pytest.mark.parametrize("slots", range(4))
@pytest.mark.parametrize(("ranks", "size"), [(2, 1), (2, 2048), (3, 2049), (5, 4500)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_an_update_by_a_sum_has_the_bits_of_the_sum_and_then_the_update(kernel, dtype, ranks, size, slots):
    formula, scalars = list(SCALARS.items())[slots]
    numbers = np.linspace(0.1, 0.9, scalars).tolist()
    memory, starts = gradients(ranks, size, dtype)
    random = np.random.default_rng(slots)
    w, *state = (abs(random.standard_normal(size)).astype(dtype) for _ in range(1 + slots))
    expected, *states = (a.copy() for a in (w, *state))
    total = memory[starts[0] :][:size] + memory[starts[1] :][:size]
    for start in starts[2:]:
        total += memory[start:][:size]
    kernel.update(formula, expected, total, states, numbers)
    before = memory.copy()
    kernel.update_by_sum(formula, w, LateSum(memory, starts, np.empty(size, dtype)), state, numbers)
    for got, wanted in zip((w, *state, memory), (expected, *states, before), strict=True):
        np.testing.assert_array_equal(got, wanted)


def test_a_sum_is_taken_once_where_it_is_asked_for():
    memory, starts = gradients(3, 5, "float64")
    out = np.empty(5)
    part = StorePart(np.zeros(5), LateSum(memory, starts, out), slice(0, 5), is_whole)
    assert part.late_sum is not None
    expected = memory[7:12] + memory[19:24] + memory[31:36]
    np.testing.assert_array_equal(part.gradients, expected)
    assert part.late_sum is None
    part.gradients[...] = 2
    np.testing.assert_array_equal(part.gradients, np.full(5, 2))


def test_sums_may_overflow():
    big = np.full(4, 3e38, np.float32)
    assert np.isinf(LateSum(big, np.array([0, 2]), np.empty(2, np.float32)).total()).all()


def is_whole(squares):
    """There is one part: its sums of squares are those of all."""


def steps_of(optimizer: Optimizer, is_late: bool, size: int = 9):
    store = VariableStore([Variable("w", "w", np.linspace(-1, 1, size))], np.dtype("float64"))
    optimizer.build(store)
    for step in range(3):
        memory, starts = gradients(2, store.size, "float64")
        memory *= step + 1
        late = LateSum(memory, starts, np.empty(store.size))
        optimizer.advance(StorePart(store.weights, late if is_late else late.total(), store.part, is_whole))
        optimizer.finish(store)
    return [store.weights, *optimizer.slots.values()]


@pytest.mark.parametrize(
    "make",
    [
        lambda: Adam(0.1),
        lambda: RMSprop(0.1, clipvalue=0.3, weight_decay=0.1),
        lambda: RMSprop(0.1, gradient_accumulation_steps=2),
        lambda: Adam(0.1, use_ema=True, loss_scale_factor=8.0),
    ],
)
def test_options_that_change_gradients_change_their_sum(make):
    for got, expected in zip(steps_of(make(), True), steps_of(make(), False), strict=True):
        np.testing.assert_array_equal(got, expected)
