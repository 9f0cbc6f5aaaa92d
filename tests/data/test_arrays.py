"""Global batches of arrays, and what each rank gets of them."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distnet import errors
from distnet.comm.shares import shard
from distnet.data.arrays import ArrayData, shuffled
from distnet.data.given_arrays import as_arrays, check_equal_rows

ROWS = np.arange(20.0).reshape(10, 2)


def whole(rows):
    return slice(0, rows)


@settings(max_examples=40, deadline=None)
@given(rows=st.integers(1, 40), size=st.integers(1, 12), ranks=st.integers(1, 5), is_shuffled=st.booleans())
def test_the_ranks_parts_are_the_global_batches(rows, size, ranks, is_shuffled):
    x = np.arange(rows)[:, None]
    data = ArrayData((x,), (x * 2,), (x[:, 0] * 3,))
    order = shuffled(rows, size, is_shuffled, 1, 0)
    batches = list(data.batches(size, whole, order))
    shares = [list(data.batches(size, partial(shard, rank=r, size=ranks), order)) for r in range(ranks)]
    assert len(batches) == data.batches_per_epoch(size) == -(-rows // size)
    for i, batch in enumerate(batches):
        parts = [share[i] for share in shares]
        assert {part.global_rows for part in parts} == {batch.global_rows} == {min(size, rows - i * size)}
        assert [part.first_row for part in parts] == list(np.cumsum([0, *(len(p.x[0]) for p in parts)])[:-1])
        for which in ("x", "y", "weight"):
            joined = np.concatenate([getattr(part, which)[0] for part in parts])
            np.testing.assert_array_equal(joined, getattr(batch, which)[0])
        lengths = [len(part.x[0]) for part in parts]
        assert max(lengths) - min(lengths) <= 1
        np.testing.assert_array_equal(batch.x[0] * 2, batch.y[0])
    assert sorted(np.concatenate([b.x[0][:, 0] for b in batches])) == list(range(rows))


def test_batches_start_where_asked():
    data = ArrayData((ROWS,))
    assert [b.x[0][0, 0] for b in data.batches(3, whole, None, first=2)] == [12, 18]


def test_rows_in_order_are_not_copied():
    batch = next(ArrayData((ROWS,)).batches(4, whole))
    assert np.shares_memory(batch.x[0], ROWS)


@pytest.mark.parametrize(("fraction", "at"), [(0.3, 7), (0.25, 7), (0.5, 5), (0.95, 0), (0.05, 9), (0.9, 0)])
def test_the_last_rows_are_split_off_as_keras_does(fraction, at):
    data = ArrayData((ROWS,), (ROWS,), (ROWS[:, 0],))
    if at == 0:
        with pytest.raises(errors.DataError, match="leaves 0 rows to train on and 10"):
            data.split(fraction)
        return
    first, last = data.split(fraction)
    assert (first.rows, last.rows) == (at, 10 - at)
    assert last.x[0][0, 0] == last.y[0][0, 0] == last.weight[0][0] == 2 * at


@pytest.mark.parametrize("fraction", [-0.1, 1.0, 1.5, float("nan")])
def test_a_split_that_is_no_fraction_is_refused(fraction):
    with pytest.raises(errors.ArgumentError, match="validation_split: expected a number between 0 and 1"):
        ArrayData((ROWS,)).split(fraction)


def test_every_epoch_has_a_permutation_of_its_own():
    orders = [shuffled(50, 8, True, 3, epoch) for epoch in range(4)]
    assert all(sorted(order) == list(range(50)) for order in orders)
    assert len({order.tobytes() for order in orders}) == 4
    np.testing.assert_array_equal(shuffled(50, 8, True, 3, 2), orders[2])
    assert not np.array_equal(shuffled(50, 8, True, 4, 2), orders[2])


def test_batches_can_be_shuffled_as_wholes():
    order = shuffled(10, 4, "batch", 0, 0)
    blocks = {tuple(range(start, min(start + 4, 10))) for start in (0, 4, 8)}
    found = set()
    while len(order):
        block = next(b for b in blocks if b[0] == order[0])
        assert tuple(order[: len(block)]) == block
        found.add(block)
        order = order[len(block) :]
    assert found == blocks


@pytest.mark.parametrize("how", ["rows", 2, None, "Batch"])
def test_other_ways_to_shuffle_are_refused(how):
    with pytest.raises(errors.ArgumentError, match=r"shuffle: expected one of \[True, False, 'batch'\]"):
        shuffled(10, 4, how, 0, 0)


@pytest.mark.parametrize(
    ("data", "shapes"),
    [
        ([[1, 2], [3, 4]], [(2, 2)]),
        ([np.zeros((2, 3)), np.zeros((2, 4))], [(2, 3), (2, 4)]),
        ((np.zeros(2),), [(2,)]),
        ([1, 2, 3], [(3,)]),
        ([np.float64(1), np.float64(2)], [(2,)]),
        (np.array([[1], [2]], dtype=object), [(2, 1)]),
        (np.array([True, False]), [(2,)]),
        (np.zeros((2, 3), np.float16), [(2, 3)]),
        (range(4), [(4,)]),
    ],
)
def test_what_holds_numbers_becomes_arrays(data, shapes):
    assert [a.shape for a in as_arrays(data, "x")] == shapes


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        ([[1, 2], [3]], errors.DataError, "rows of different lengths"),
        (["a", "b"], errors.DataError, "Encode it as numbers"),
        (np.array([1 + 2j]), errors.DataError, "Encode it as numbers"),
        (np.array([object()]), errors.DataError, "Encode it as numbers"),
        (np.zeros((0, 3)), errors.DataError, r"expected at least one row, received an array of shape \(0, 3\)"),
        ([], errors.DataError, "at least one row"),
        (3.5, errors.ShapeError, "first axis is the batch"),
        ([np.zeros((2, 3)), np.zeros((3, 3))], errors.ShapeError, r"equally many rows, received \[2, 3\]"),
    ],
)
def test_what_holds_no_rows_of_numbers_is_refused(data, error, message):
    with pytest.raises(error, match=f"x: .*{message}|{message}"):
        as_arrays(data, "x")


def test_unequal_rows_are_named():
    with pytest.raises(errors.ShapeError, match="x has 3, y has 2"):
        check_equal_rows([("x", (np.zeros(3),)), ("y", (np.zeros(2),)), ("sample_weight", (None,))])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("row", [0, 5000, 9999])
def test_the_first_row_that_is_not_finite_is_named(bad, row):
    x = np.zeros((10000, 2), np.float32)
    x[row:, 1] = bad
    with pytest.raises(errors.DataError, match=f"x: row {row} holds {bad}"):
        ArrayData((x,)).check_finite(slice(0, 10000))


def test_rows_of_others_are_not_looked_at():
    x = np.zeros((10, 2))
    x[7] = np.nan
    ArrayData((x,)).check_finite(slice(0, 7))


def test_targets_and_weights_are_looked_at_too():
    bad = np.array([0, np.nan])
    for data, name in ((ArrayData((ROWS,), (bad,)), "y"), (ArrayData((ROWS,), (), (bad,)), "sample_weight")):
        with pytest.raises(errors.DataError, match=f"{name}: row 1 holds nan"):
            data.check_finite(slice(0, 2))


def test_whole_numbers_are_always_finite():
    ArrayData((np.arange(10),)).check_finite(slice(0, 10))
