"""What the ranks that are left do together, on pretended communicators."""

import numpy as np
import pytest

from distnet.comm.abreast import Abreast
from distnet.comm.members import Guarded, Members
from distnet.comm.patience import Patience
from distnet.comm.watch import Watch
from distnet.errors import CommunicationError, LostRanksError


class MPIError(Exception):
    """In the place of mpi4py's."""

    def __init__(self, text, error_class="revoked"):
        super().__init__(text)
        self.error_class = error_class

    def Get_error_class(self):
        return self.error_class


class MPI:
    """In the place of the module ``mpi4py.MPI``."""

    Exception = MPIError
    COMM_TYPE_SHARED = "shared"
    ERR_PROC_FAILED, ERR_PROC_FAILED_PENDING, ERR_REVOKED = "failed", "failed, pending", "revoked"


class Alone:
    """In the place of ``MPI.COMM_SELF``."""

    @staticmethod
    def Dup():
        return Comm(World(), [1], 0)


MPI.COMM_SELF = Alone


class Group:
    def __init__(self, numbers):
        self.numbers, self.size = numbers, len(numbers)

    def Translate_ranks(self, ranks, group):
        return [group.numbers.index(self.numbers[rank]) for rank in ranks]


class Request:
    """Complete after some questions, or never."""

    def __init__(self, questions):
        self.questions = questions

    def Test(self):
        self.questions -= 1
        return self.questions < 0


class Comm:
    """A communicator of ranks that can be lost; the world counts what is done with it."""

    def __init__(self, world, numbers, rank):
        self.world, self.numbers, self.size, self.rank = world, numbers, len(numbers), rank
        self.is_revoked = False

    def Split_type(self, shared):
        return self.made()

    def Split(self, color, key):
        return self.made()

    def Dup(self):
        return self.made()

    def made(self):
        if self.is_revoked or "make" in self.world.failing:
            raise MPIError("it failed", self.world.failing.pop("make", "revoked"))
        return Comm(self.world, self.numbers, self.rank)

    def allgather(self, value):
        return [value] * self.size

    def Allgather(self, given, taken):
        taken[:] = [[rank, self.size] for rank in range(self.size)]

    def Is_revoked(self):
        return self.is_revoked

    def Revoke(self):
        self.is_revoked = True
        self.world.revoked += 1

    def Get_failed(self):
        return Group([number for number in self.numbers if number in self.world.dead])

    def Get_group(self):
        return Group(self.numbers)

    def Iagree(self, flag):
        return Request(self.world.late)

    def Shrink(self):
        left = [number for number in self.numbers if number not in self.world.dead]
        self.world.shrunk.append(left)
        return Comm(self.world, left, left.index(self.numbers[self.rank]))

    def Agree(self, flag):
        if "agree" in self.world.failing:
            self.world.dead.add(self.numbers[-1])
            raise MPIError("one more died", self.world.failing.pop("agree"))
        return flag


class World:
    def __init__(self, late=0, **failing):
        self.dead, self.failing, self.late, self.revoked, self.shrunk = set(), failing, late, 0, []

    def members(self):
        return Members(Comm(self, [0, 1, 2, 3], 1), MPI)


def test_the_error_names_the_dead_and_revokes_all_communicators():
    world = World()
    members = world.members()
    world.dead |= {0, 3}
    error = members.told(MPIError("process failure", "failed"))
    assert isinstance(error, LostRanksError)
    assert "rank 1 cannot go on as it was: ranks 0, 3 died" in str(error)
    assert "elastic=True" in str(error)
    assert world.revoked == 4
    assert members.nodes.is_revoked  # of this rank alone, on one node
    members.lost("again")
    assert world.revoked == 4
    assert members.nodes.is_revoked  # of this rank alone, on one node


def test_an_error_that_speaks_of_no_death_is_none():
    world = World()
    error = world.members().told(MPIError("message truncated", "truncated"))
    assert "rank 1: MPI failed, though no rank died: message truncated" in str(error)
    assert not isinstance(error, LostRanksError)
    assert world.revoked == 0


def test_whatever_mpi_says_of_ranks_that_died_is_of_their_death():
    world = World()
    members = world.members()
    world.dead.add(2)
    error = members.told(MPIError("known error not in list", "other"))
    assert isinstance(error, LostRanksError)
    world.dead.clear()
    assert isinstance(members.told(MPIError("known error not in list", "other")), LostRanksError)  # revoked by others


def test_those_left_do_not_take_another_error_for_a_death():
    world = World(make="truncated")
    with pytest.raises(MPIError):
        world.members()
    members = world.members()
    world.failing["make"] = "truncated"
    with pytest.raises(CommunicationError, match="MPI failed, though no rank died") as raised:
        members.left(timeout_s=1)
    assert not isinstance(raised.value, LostRanksError)


def test_those_left_have_communicators_of_their_own():
    world = World()
    members = world.members()
    world.dead.add(0)
    left, _ = members.left(timeout_s=1)
    assert (left.all.size, left.all.rank) == (3, 0)
    assert not left.all.is_revoked
    assert members.all.is_revoked


@pytest.mark.parametrize("moment", ["make", "agree"])
def test_one_that_dies_meanwhile_is_left_out_too(moment):
    world = World()
    members = world.members()
    world.dead.add(0)
    world.failing[moment] = "failed"
    left, _ = members.left(timeout_s=1)
    assert len(world.shrunk) == 2
    assert left.all.numbers == [number for number in (1, 2, 3) if number not in world.dead]


def test_a_rank_that_does_not_come_is_not_awaited_for_ever():
    members = World(late=10**9).members()
    with pytest.raises(CommunicationError, match=r"another one does not come .* DISTNET_TIMEOUT_S is over, 0\.05 s"):
        members.left(timeout_s=0.05)


def test_what_mpi_says_of_dead_ranks_is_raised_as_a_loss():
    class Failing:
        def Test(self):
            raise MPIError("process failure")

        test = iprobe = recv = Test

        def isend(self, notice, rank):
            return self

    guarded = Guarded(Failing(), MPIError, lambda error: LostRanksError(f"lost: {error}"))
    for call in (guarded.Test, guarded.test, guarded.iprobe, guarded.recv, guarded.isend("notice", 1).test):
        with pytest.raises(LostRanksError, match="lost: process failure"):
            call()


def test_a_loss_is_no_error_that_ranks_tell_each_other():
    told = []

    class Channel:
        def isend(self, notice, rank):
            told.append(notice)
            return Request(0)

        def iprobe(self):
            return False

    def counts():
        watch = Watch(Channel(), 0, 2, Patience())
        return Abreast(watch, [0, 1], lambda collective: None, lambda *error: None)

    before = counts()
    before.begin_call()
    before.abandon(np.zeros(1), LostRanksError("rank 1 died"))
    after = counts()
    after.go_on_from(before)
    after.end_call(LostRanksError("rank 1 died"))
    after.rejoin()
    assert told == []
    assert after.calls == 1
