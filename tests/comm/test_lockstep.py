"""Calls in lockstep: order, what they share, and errors in each place."""

import numpy as np
import pytest

from distnet.comm import LocalCommunicator
from distnet.comm.block_ranks import HeldBlocks
from distnet.comm.lockstep import Lockstep
from distnet.comm.sum_tree import SumTree
from distnet.errors import CommunicationError


class Place:
    """Notes when its call runs."""

    def __init__(self, name, log):
        self.name, self.log = name, log

    def enter(self):
        self.log.append(f"+{self.name}")

    def leave(self):
        self.log.append(f"-{self.name}")


def lockstep(size):
    log = []
    return Lockstep([Place(place, log) for place in range(size)]), log


@pytest.mark.parametrize("size", [1, 2, 5])
def test_calls_meet_and_go_on_in_order_with_what_all_gave(size):
    steps, log = lockstep(size)

    def call(place):
        first = steps.meet(place, "first", place, sum)
        return steps.meet(place, "second", first + place, list)

    for _ in range(3):
        total = sum(range(size))
        assert (
            steps.run([lambda place=place: call(place) for place in range(size)])
            == [[total + place for place in range(size)]] * size
        )
    running = [entry for entry in log if entry[0] == "+"]
    assert running[: 2 * size] == [f"+{place}" for place in range(size)] * 2 if size > 1 else ["+0"]


@pytest.mark.parametrize("failing", [0, 1, 2])
@pytest.mark.parametrize("stage", [0, 1, 2])
def test_an_error_in_any_place_at_any_time_ends_all_and_the_next_run_works(failing, stage):
    steps, _ = lockstep(3)
    ended = []

    def call(place):
        try:
            for at in range(3):
                if (place, at) == (failing, stage):
                    raise ValueError(f"{place} at {at}")
                steps.meet(place, f"meeting {at}", place, sum)
        except Exception:
            assert place == failing  # no other handler is shown the end of its call
            raise
        finally:
            ended.append(place)

    with pytest.raises(ValueError, match=f"{failing} at {stage}"):
        steps.run([lambda place=place: call(place) for place in range(3)])
    assert failing in ended
    assert steps.run([lambda place=place: steps.meet(place, "later", place, sum) for place in range(3)]) == [3] * 3


def test_an_error_of_what_all_do_together_is_raised():
    steps, _ = lockstep(2)

    def fail(given):
        raise OSError("link")

    with pytest.raises(OSError, match="link"):
        steps.run([lambda place=place: steps.meet(place, "sum", place, fail) for place in range(2)])


@pytest.mark.parametrize("other", [lambda steps: None, lambda steps: steps.meet(1, "gather", 1, list)])
@pytest.mark.parametrize("is_turned", [False, True])
def test_calls_that_come_to_different_places_fail(other, is_turned):
    steps, _ = lockstep(2)

    def one(place):
        return steps.meet(place, "sum", 1, sum)

    calls = [lambda: one(0), lambda: other(steps)]
    if is_turned:
        calls = [lambda: None, lambda: one(1)]
    with pytest.raises(CommunicationError, match="Every block must run the same code"):
        steps.run(calls)


@pytest.mark.parametrize("leaves", [1, 2, 3, 5, 8, 13])
def test_a_tree_gives_the_same_bits_however_its_leaves_are_divided(leaves):
    tree, rng = SumTree(leaves), np.random.default_rng(leaves)
    numbers = rng.normal(size=(leaves, 50)).astype(np.float32) * 10.0 ** rng.integers(-4, 5, (leaves, 50))
    numbers = numbers.astype(np.float32)
    whole = tree.total(LocalCommunicator(), range(leaves), numbers.copy())
    np.testing.assert_allclose(whole, numbers.astype(float).sum(0), rtol=1e-4, atol=1e-2)
    for size in range(1, leaves + 1):
        copied = numbers.copy()
        parts = {}
        for nodes in tree.nodes_of_ranks(size):
            held = range(nodes[0][0], nodes[-1][1])
            parts |= tree.subtrees(held, copied[held.start : held.stop])
        np.testing.assert_array_equal(tree.sum_in_place(parts), whole)


def test_blocks_send_each_other_what_ranks_do():
    held = HeldBlocks(LocalCommunicator(), SumTree(3), [Place(i, []) for i in range(3)])

    def call(member):
        summed = np.array([1.0, member.rank])
        member.allreduce(summed)
        sent = np.array([float(member.rank)])
        member.broadcast(sent, 2)
        member.barrier()
        return (
            summed.tolist(),
            sent.tolist(),
            member.allgather_rows(np.full((member.rank, 2), member.rank)).tolist(),
            member.allgather_object(str(member.rank)),
            member.broadcast_object(member.rank, 1),
            member.scatter_object([4, 5, 6] if member.rank == 0 else None),
        )

    came = held.lockstep.run([lambda member=member: call(member) for member in held.members])
    rows = [[1, 1], [2, 2], [2, 2]]
    assert came == [([3.0, 3.0], [2.0], rows, ["0", "1", "2"], 1, 4 + place) for place in range(3)]

    def relayed(member):
        member.relay(ValueError("of block 1") if member.rank == 1 else None, 1)

    with pytest.raises(ValueError, match="of block 1"):
        held.lockstep.run([lambda member=member: relayed(member) for member in held.members])
