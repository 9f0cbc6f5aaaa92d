"""What every communicator does, whatever its size; each rank checks, rank 0 says so at the end."""

import sys

import numpy as np

from distnet import comm
from distnet.comm.shared_values import of_first_on_node
from distnet.datasets.fetch import on_one_rank_only
from distnet.parallel.node_barrier import NodeBarrier, counters_of
from distnet.types import Array

DTYPES = ("float32", "float64", "int64", "uint8", "bool")


def of_rank(rank: int, shape: tuple[int, ...] = (3, 2), dtype: str = "float64") -> Array:
    """Values that tell the ranks apart."""
    return (np.arange(np.prod(shape)).reshape(shape) + 10 * rank).astype(dtype)


def check_ranks(ranks):
    assert 0 <= ranks.rank < ranks.size
    assert 0 <= ranks.local_rank < ranks.local_size <= ranks.size
    assert ranks.allgather_object(ranks.rank) == list(range(ranks.size))


def check_a_seed_by_chance_is_common_to_all_ranks(ranks):
    assert 0 <= ranks.common_seed < 2**32
    assert set(ranks.allgather_object(ranks.common_seed)) == {ranks.common_seed}


def check_allreduce_sums_in_place(ranks):
    for dtype in ("float32", "float64", "int64"):
        buffer = of_rank(ranks.rank, dtype=dtype)
        ranks.allreduce(buffer)
        assert buffer.dtype == dtype
        np.testing.assert_array_equal(buffer, sum(of_rank(r) for r in range(ranks.size)))
    ranks.allreduce(np.empty(0))


def check_allreduce_of_much_data_is_the_same_on_every_rank(ranks):
    buffer = np.random.default_rng(ranks.rank).normal(size=100_003)
    ranks.allreduce(buffer)
    assert len(set(ranks.allgather_object(buffer.tobytes()))) == 1
    expected = sum(np.random.default_rng(r).normal(size=100_003) for r in range(ranks.size))
    np.testing.assert_allclose(buffer, expected, rtol=1e-12, atol=1e-12)


def check_a_part_of_a_buffer_can_be_summed(ranks):
    buffer = np.ones(10)
    ranks.allreduce(buffer[2:5])
    np.testing.assert_array_equal(buffer, [1, 1, *[ranks.size] * 3, 1, 1, 1, 1, 1])


def check_several_sums_may_be_under_way(ranks):
    buffers = [np.full(1000 + i, float(ranks.rank + i)) for i in range(5)]
    requests = [ranks.iallreduce(buffer) for buffer in buffers]
    for request in reversed(requests):
        request.wait()
    for i, buffer in enumerate(buffers):
        assert (buffer == sum(r + i for r in range(ranks.size))).all()


def check_broadcast_gives_the_roots_values(ranks):
    for root in range(ranks.size):
        for dtype in DTYPES:
            buffer = of_rank(ranks.rank, dtype=dtype)
            ranks.broadcast(buffer, root)
            np.testing.assert_array_equal(buffer, of_rank(root, dtype=dtype))


def check_broadcast_object(ranks):
    for root in range(ranks.size):
        for value in (None, {"rank": root, "x": [1, "é"]}, "a" * 100_000):
            assert ranks.broadcast_object(value if ranks.rank == root else "wrong", root) == value


def check_allgather_object(ranks):
    for make in (lambda r: r, lambda r: {"of": r, "long": "x" * (1000 * r)}, lambda r: None if r % 2 else [r]):
        assert ranks.allgather_object(make(ranks.rank)) == [make(r) for r in range(ranks.size)]


def check_allgather_rows_of_uneven_ranks(ranks):
    for counts in (lambda r: r, lambda r: r + 1, lambda r: 0, lambda r: 3 if r == 0 else 0, lambda r: 2 * (r % 2)):
        for dtype in DTYPES:
            for row in ((), (4,), (2, 3)):
                parts = [of_rank(r, (counts(r), *row), dtype) for r in range(ranks.size)]
                found = ranks.allgather_rows(parts[ranks.rank])
                assert found.dtype == dtype
                np.testing.assert_array_equal(found, np.concatenate(parts))


def check_allgather_rows_of_what_is_not_contiguous(ranks):
    found = ranks.allgather_rows(of_rank(ranks.rank, (4, 6))[::2, ::3])
    np.testing.assert_array_equal(found, np.concatenate([of_rank(r, (4, 6))[::2, ::3] for r in range(ranks.size)]))


def check_ranks_of_a_node_see_the_same_array(ranks):
    parts = [(ranks.local_size + 1 + more, np.dtype(name)) for more, name in ((0, "float32"), (2000, "float64"))]
    arrays = ranks.shared_arrays(parts)
    are_shared = ranks.allgather_object(arrays is not None)
    assert len(set(are_shared)) == 1
    assert are_shared[0] == (ranks.local_size > 1 and sys.platform == "linux")
    for array, (entries, dtype) in zip(arrays or (), parts, strict=arrays is not None):
        assert (array.size, array.dtype) == (entries, dtype)
        array[ranks.local_rank] = ranks.local_rank + 1
        ranks.local_barrier()
        assert array.tolist() == [*range(1, ranks.local_size + 1), *[0] * (entries - ranks.local_size)]


def check_the_first_rank_of_a_node_gives_its_value(ranks):
    value = {"é": (of_rank(3), of_rank(1, (4, 6), "uint8")[::2, ::3]), "none": np.empty(0), "lists": [[1], [2, 3]]}
    for each in (value, "text", of_rank(5, (1000, 7))):
        given = of_first_on_node(ranks, each if ranks.local_rank == 0 else None)
        assert (given is None) == (ranks.local_size == 1 or sys.platform != "linux")
        if given is not None:
            np.testing.assert_equal(given, each)


def check_one_rank_of_a_node_reads_for_all_and_each_may_write_to_what_it_gets(ranks):
    read = []
    array = on_one_rank_only(lambda: read.append(1) or of_rank(2))
    assert sum(ranks.allgather_object(len(read))) == (ranks.node_count if sys.platform == "linux" else ranks.size)
    np.testing.assert_array_equal(array, of_rank(2))
    ranks.barrier()
    array += ranks.rank
    ranks.barrier()
    np.testing.assert_array_equal(array, of_rank(2) + ranks.rank)


def check_one_node_has_nothing_to_sum_across(ranks):
    buffer = of_rank(ranks.rank)
    request = ranks.iallreduce_across_nodes(buffer)
    assert request.test() or ranks.node_count > 1
    request.wait()
    if ranks.local_size == ranks.size:
        np.testing.assert_array_equal(buffer, of_rank(ranks.rank))


def check_barriers(ranks):
    ranks.barrier()
    ranks.local_barrier()


def check_what_is_polled_for_is_asked_until_it_is_done(ranks):
    numbers = []
    for _ in range(2):
        ranks.poll("trial", lambda number: numbers.append(number) or len(numbers) % 3 == 0)
    assert len(numbers) == 6
    assert len(set(ranks.allgather_object(tuple(numbers)))) == 1
    assert ranks.size == 1 or numbers[0] == numbers[2] < numbers[3] == numbers[5]


def check_the_barrier_of_a_node_shows_what_was_written_before(ranks):
    array, counters = ranks.shared_arrays([(ranks.local_size, np.dtype(np.int64)), counters_of(ranks)]) or (None, None)
    barrier = NodeBarrier(ranks, counters)
    for i in range(1, 200):
        if array is not None:
            array[ranks.local_rank] = i
        barrier.wait()
        assert array is None or set(array.tolist()) == {i}
        barrier.wait()


def check_all(ranks):
    for name, check in list(globals().items()):
        if name.startswith("check_") and name != "check_all":
            check(ranks)


if __name__ == "__main__":
    world = comm.world()
    assert comm.world() is world
    check_all(world)
    if world.rank == 0:
        print(type(world).__name__, world.size, flush=True)
