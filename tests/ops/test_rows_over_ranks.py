"""Functions of ``distnet.ops`` of rows that are spread over ranks: values and gradients are those of the whole.

Three ranks are three threads; the second has no rows.
"""

import numpy as np
import pytest

from distnet import ops
from distnet.errors import ArgumentError
from distnet.ops.tensor import Rows, Tensor
from distnet.variables import Variable
from op_cases import every_case, ids, value_and_gradients
from ranks_of_threads import as_ranks


def cuts(total):
    """The first row of each rank, and the end."""
    return 0, (total + 1) // 2, (total + 1) // 2, total


def spread(x, rank):
    """A rank's rows of an array, as a tensor."""
    first, end = cuts(len(x))[rank : rank + 2]
    return Tensor(x[first:end].copy(), rows=Rows(len(x), first, end - first))


def choices(case):
    """Which arrays are spread: the first with axes; and all that have as many rows as it."""
    with_rows = [i for i, x in enumerate(case.floats) if x.ndim]
    alike = [i for i in with_rows if len(case.floats[i]) == len(case.floats[with_rows[0]])]
    return [set(with_rows[:1]), *([set(alike)] if len(alike) > 1 else [])]


CASES = [
    (case, chosen) for case in every_case() if case.spread and any(x.ndim for x in case.floats)
    for chosen in choices(case)
]  # fmt: skip


@pytest.mark.parametrize(("case", "chosen"), CASES, ids=ids([case for case, _ in CASES]))
def test_the_result_is_that_of_the_whole(case, chosen, monkeypatch):
    arrays = [x.astype(np.float64) for x in case.floats]
    parts, slopes = value_and_gradients(case, arrays)

    def program(ranks):
        given = [spread(x, ranks.rank) if i in chosen else x for i, x in enumerate(arrays)]
        own_parts, own_slopes = value_and_gradients(case, given)
        return [np.asarray(part) for part in own_parts], [np.asarray(dx) for dx in own_slopes]

    for own_parts, own_slopes in as_ranks(3, program, monkeypatch):
        for ours, whole in zip([*own_parts, *own_slopes], [*parts, *slopes], strict=True):
            np.testing.assert_allclose(ours, np.asarray(whole), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("by", ["weight", "input"])
def test_a_weight_changed_before_gradients_are_taken_is_refused_on_every_rank(by, monkeypatch):
    def program(ranks):
        w = Variable("w", "layer/w", np.eye(2))
        x = spread(np.ones((4, 2)), ranks.rank)
        with ops.GradientTape() as tape:
            tape.watch(x)
            y = ops.sum(ops.matmul(x, w))
        w.assign(2 * np.eye(2))
        with pytest.raises(ArgumentError, match="'layer/w' was changed"):
            tape.gradient(y, w if by == "weight" else x)
        return True

    assert as_ranks(3, program, monkeypatch) == [True] * 3
