"""Message passing: the only module that imports mpi4py."""

from __future__ import annotations

import atexit
import faulthandler
import os
import pickle
import secrets
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import NoReturn, TypeVar, cast

import mpi4py
import numpy as np

from distnet.comm import threads, work
from distnet.comm.abreast import Abreast, complete
from distnet.comm.alarmed_start import showing_where_it_waits
from distnet.comm.base import Request
from distnet.comm.carried import Carried
from distnet.comm.collectives import POLL, Collective
from distnet.comm.departing import depart
from distnet.comm.local import Done
from distnet.comm.members import SURVIVES, Members
from distnet.comm.neighbours import Neighbours
from distnet.comm.notices import Ended
from distnet.comm.parted import BROADCAST_BYTES, GATHERED_BYTES, begin_and_rest, rest_bytes, unpickled
from distnet.comm.patience import Patience
from distnet.comm.requests import MPIRequest, Polled
from distnet.comm.shared_memory import PATH_BYTES, SharedMemory, unname_mpis_memory
from distnet.comm.siblings import watched_siblings
from distnet.comm.silent_deaths import watched_for_silent_deaths
from distnet.comm.stuck_launcher import end_launcher_if_stuck
from distnet.comm.watch import SAME_CALLS, Watch
from distnet.errors import CommunicationError, LaunchError, LostRanksError
from distnet.launcher import Launcher, departures, ends_otherwise, report_failure
from distnet.types import Array, DType

mpi4py.rc.initialize = False  # ``start`` initializes MPI, once it knows that the launcher belongs to this MPI
mpi4py.rc.finalize = False  # a forked process would, too: see ``_depart``
from mpi4py import MPI  # noqa: E402

T = TypeVar("T")

_ASKING = Collective(POLL, "node")

_CALL_NAME_BYTES, _CALL_NUMBER_BYTES = 32, 8
_ABORT_S = 5.0
"""How long MPI may take to end this process with all others."""


class MPICommunicator:
    """All ranks of ``MPI_COMM_WORLD``, on a communicator of distnet's own.

    Collectives are started non-blocking and numbered; so are calls, each of which begins with ``meet``. A rank
    whose program ends, or that leaves a call with an error, tells the others how many collectives it took part in:
    a rank waiting for a later one fails instead of hanging. Before the next collective they go on together
    (``Rejoining``), or, where that cannot be, the job ends.
    """

    def __init__(self, comm: MPI.Intracomm, patience: Patience, can_survive: bool = False) -> None:
        self.patience, self.can_survive = patience, can_survive
        self.blas_threads: int | None = None
        self.has_cores = self.has_survived = False
        members = Members(comm, MPI)
        self.common_seed: int = members.of_root(secrets.randbits(32))
        self.neighbours = Neighbours(comm.rank, members.node.allgather)
        self.done_on_node = self.neighbours.work.done
        self._be_among(members)
        work.OF_THIS_PROCESS.listener = self._at_work

    def _be_among(self, members: Members) -> None:
        """Count collectives and calls anew among these ranks."""
        self.members, self._comms = members, members.by_name
        self.rank: int = members.all.rank
        self.size: int = members.all.size
        self.local_rank: int = members.node.rank
        self.local_size: int = members.node.size
        self.node_count = members.node_count
        notices = members.guarded(members.notices) if self.can_survive else members.notices
        self.watch = Watch(notices, self.rank, self.size, self.patience)
        self.watch.show = self.neighbours.show
        self.abreast = Abreast(self.watch, members.local_ranks, self._take_part, self.end_the_job)

    def survive(self) -> list[int]:
        """Make communicators of the ranks that are left (``MPIX_Comm_ishrink``), and be among these."""
        before, self.has_survived = self.abreast, True
        members, numbers = self.members.left(self.patience.timeout_s)
        self._be_among(members)
        self.abreast.go_on_from(before)
        self.neighbours.renumber(numbers)
        return numbers

    def settle(self) -> None:
        """Agree with the others that all are here (``MPIX_Comm_iagree``), where ranks may die."""
        if self.can_survive:
            flag = np.ones(1, np.int32)
            self.members.settle(self._start(Collective("agree", "all", flag.dtype.str, 1), flag), flag)

    @property
    def errors(self) -> int:
        """How often the ranks went on together after an error."""
        return self.abreast.round

    @property
    def met_by(self) -> int:
        """The rank that was the first to meet the last of these errors."""
        return self.abreast.met_by

    def allreduce(self, buffer: Array) -> None:
        """Sum ``buffer`` over all ranks, in place (``MPI_Iallreduce``, ``MPI_SUM``)."""
        self.iallreduce(buffer).wait()

    def iallreduce(self, buffer: Array) -> MPIRequest:
        """Start the sum; the buffer belongs to MPI until ``wait`` returns."""
        return self._start(Collective("allreduce", "all", buffer.dtype.str, buffer.size), buffer).lend()

    def broadcast(self, buffer: Array, root: int = 0) -> None:
        """Overwrite ``buffer`` with root's, in place (``MPI_Ibcast``)."""
        self._start(Collective("broadcast", "all", "u1", buffer.nbytes, root), buffer).wait()

    def broadcast_object(self, value: T, root: int = 0) -> T:
        """Root's ``value``, pickled: its length and its first bytes, then the rest of a long one."""
        self.watch.hear()  # root is often waited for: questions to it must not pile up
        begin, rest = begin_and_rest(value if self.rank == root else None, BROADCAST_BYTES)
        self.broadcast(begin, root)
        if rest_bytes(begin):
            rest = rest if self.rank == root else np.empty(rest_bytes(begin), np.uint8)
            self.broadcast(rest, root)
        return value if self.rank == root else cast(T, unpickled(begin, rest))

    def scatter_object(self, values: list[T] | None, root: int = 0) -> T:
        """This rank's entry of root's list, pickled: first the lengths, then the bytes (``MPI_Iscatterv``)."""
        parts = [pickle.dumps(value) for value in values or ()]
        lengths = np.array([len(part) for part in parts] or [0] * self.size, np.int64)
        self.broadcast(lengths, root)
        received = np.empty(int(lengths[self.rank]), np.uint8)
        sent = np.frombuffer(b"".join(parts), np.uint8) if parts else None
        self._start(Collective("scatter", root=root, lengths=tuple(lengths.tolist())), sent, received).wait()
        return cast(T, pickle.loads(received.tobytes()))  # noqa: S301 - from a rank of this very job

    def allgather_object(self, value: T) -> list[T]:
        """Every rank's ``value``, pickled, in order of rank: lengths and first bytes, then the rest of long ones."""
        given, rest = begin_and_rest(value, GATHERED_BYTES)
        begins = np.empty((self.size, given.size), np.uint8)
        self._start(Collective("allgather", "all", "u1", given.size), given, begins).wait()
        lengths = np.array([rest_bytes(begin) for begin in begins], np.int64)
        rests = self._allgather_bytes(rest, lengths) if lengths.any() else rest
        return list(map(unpickled, begins, np.split(rests, np.cumsum(lengths)[:-1])))

    def allgather_rows(self, rows: Array) -> Array:
        """The rows of all ranks, in order of rank."""
        rows = np.ascontiguousarray(rows)
        lengths = self._allgather_lengths(rows.nbytes)
        gathered = self._allgather_bytes(rows.reshape(-1).view(np.uint8), lengths)
        return gathered.view(rows.dtype).reshape(-1, *rows.shape[1:])

    def meet(self, call: str, error: Exception | None = None) -> None:
        """Compare names and numbers of the ranks' calls (``MPI_Iallgather``), and whether any rank met an error before.

        Raises:
            CommunicationError: a rank makes another call; the message names it.
            Exception: the error of the first rank that met one, unless all met the same.
        """
        name = call.encode()[: _CALL_NAME_BYTES - 1].ljust(_CALL_NAME_BYTES - 1)
        number = self.abreast.calls.to_bytes(_CALL_NUMBER_BYTES, "little")
        mine = np.frombuffer(name + number + bytes([error is not None]), np.uint8)
        calls = np.empty((self.size, mine.size), np.uint8)
        self.neighbours.note(call)
        self.abreast.begin_meeting()
        self._start(Collective("allgather", "meetings", "u1", mine.size), mine, calls, call).wait()
        for rank in np.flatnonzero((calls != mine)[:, :-1].any(axis=1)):
            theirs = calls[rank, : _CALL_NAME_BYTES - 1].tobytes().decode().strip()
            told = f"rank {self.rank} is at {call}, but rank {rank} at {theirs}. {SAME_CALLS}"
            if theirs == call:
                told = (
                    f"rank {self.rank} is at {call}, its call number {self.abreast.calls} of distnet, but rank {rank} "
                    "at an earlier or later one: an error that one rank met alone, outside of distnet, was caught "
                    "there. Catch such errors on every rank alike, or let them end the job."
                )
            raise self.abreast.fatal(CommunicationError(told))
        if calls[:, -1].any():
            self._raise_the_first(error)

    def begin_call(self) -> None:
        """Count it: an error that ends it is told with its number."""
        self.abreast.begin_call()

    def end_call(self, error: BaseException | None) -> None:
        """Tell the others of an error that ends it."""
        self.abreast.end_call(error)

    def leave_by(self, error: BaseException) -> None:
        """Tell the other ranks that this one leaves the call with an error: they cannot complete it alone."""
        self.abreast.leave_by(error)

    def relay(self, error: BaseException | None, root: int = 0) -> None:
        """Send root's error to the others (``broadcast_object``), and raise it everywhere."""
        carried = self.broadcast_object(None if error is None else Carried.of(error, BaseException), root)
        if error is not None:
            raise error
        if carried is not None:
            raise self.watch.raised(carried, root)

    def barrier(self) -> None:
        """Wait for every rank."""
        self.meet("barrier")

    def shared_arrays(self, parts: Sequence[tuple[int, DType]]) -> list[Array] | None:
        """Zeros in memory that one rank of each node makes and the others map."""
        if self.local_size == 1 or not self.members.has_even_nodes:
            return None
        start = partial(self._start, Collective("broadcast", "node", "u1", len(parts) * PATH_BYTES))
        memories = SharedMemory.of_node([n * dtype.itemsize for n, dtype in parts], self.local_rank, start)
        opened = np.array([memories is not None], np.int64)
        self._start(Collective("allreduce", "all", opened.dtype.str, 1, is_least=True), opened).wait()
        if memories is None:
            return None
        arrays = [memory.array(dtype) for memory, (_, dtype) in zip(memories, parts, strict=True) if opened[0]]
        for memory in memories:
            memory.close()
        return arrays or None

    def iallreduce_across_nodes(self, buffer: Array) -> Request:
        """Start the sum over the nodes (``MPI_Iallreduce``); with one node, nothing is sent."""
        if self.members.nodes.size == 1:
            return Done()
        return self._start(Collective("allreduce", "nodes", buffer.dtype.str, buffer.size), buffer).lend()

    def ialltoall(self, given: Array, taken: Array, across_nodes: bool = False) -> Request:
        """Start to exchange rows (``MPI_Ialltoall``)."""
        among = "nodes" if across_nodes else "all"
        return self._start(Collective("alltoall", among, given.dtype.str, given.size), given, taken).lend()

    def iallgather(self, given: Array, taken: Array, across_nodes: bool = False) -> Request:
        """Start to gather (``MPI_Iallgather``)."""
        among = "nodes" if across_nodes else "all"
        return self._start(Collective("allgather", among, given.dtype.str, given.size), given, taken).lend()

    def poll(self, what: str, is_done: Callable[[int], bool]) -> None:
        """Ask, and yield the core in between, until it is done."""
        self.abreast.begin(_ASKING)
        number = self.abreast.collectives
        if not is_done(number):
            MPIRequest(self.abreast, Polled(is_done, number), what).wait()

    def local_barrier(self) -> None:
        """Wait for every rank of this node."""
        self._start(Collective("barrier", "node")).wait()

    def share_cores(self) -> None:
        """Give this rank its share of the node's cores (``threads.threads_per_rank``), the smallest share of any rank.

        BLAS sums round differently with another number of threads, so updates by norms would let the ranks drift
        apart; and a rank with more threads would only wait for the others.
        """
        cores = self.members.node.allgather(threads.available_cores())
        self.abreast.crowd = self.local_size / len(frozenset().union(*cores))
        self.has_cores = self.abreast.crowd <= 1
        share = self.members.least(threads.threads_per_rank(cores))
        self.blas_threads = threads.limit_blas_threads(share, os.environ)
        threads.OF_THIS_PROCESS.share = share

    def announce_departure(self) -> None:
        """End with the others, or tell them where; MPI's end waits for collectives that an error left."""
        with suppress(CommunicationError):
            self.abreast.rejoin()
        with suppress(LostRanksError):
            depart(self.watch, Ended(self.rank, self.abreast.collectives), self.neighbours.show_others)

    def end_the_job(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> NoReturn:
        """Print this rank's traceback and end every rank; a rank that was only told of an error does not print."""
        ends_otherwise()
        report_failure(self.rank, self.size, kind, error, trace, self.watch.heard_from)
        if self.can_survive:
            os._exit(1)  # which Open MPI ends all for; after a death it would abort with exit code 0
        if self.node_count > 1:
            end_launcher_if_stuck(os.environ)
        with open(os.devnull, "w", encoding="ascii") as nowhere:  # if MPI cannot tell its launcher: another node's
            faulthandler.dump_traceback_later(_ABORT_S, exit=True, file=nowhere)
            MPI.COMM_WORLD.Abort(1)
        os._exit(1)  # cut off from its launcher, MPI returns; its end would wait for the others

    def _at_work(self, phase: str) -> None:
        self.neighbours.note(phase)
        self.watch.go_on()

    def _raise_the_first(self, error: Exception | None) -> None:
        """Raise the error of the first rank that met one; if all met the same, each raises its own."""
        told = self.allgather_object(None if error is None else Carried.of(error))
        if len({None if each is None else each.told for each in told}) == 1:
            return
        for rank, each in enumerate(told):
            if each is not None:
                raise self.watch.raised(each, rank) from error

    def _take_part(self, missed: Collective) -> None:
        """Take part in a collective of the past, for the others' sake."""
        if missed.what != POLL:
            request, _arrays = missed.start_with_nothing(MPI, self._comms[missed.among])  # which must live until then
            complete(request)

    def _start(
        self, collective: Collective, given: Array | None = None, taken: Array | None = None, what: str = ""
    ) -> MPIRequest:
        """Start a collective, once the ranks have left an error behind them."""
        self.abreast.begin(collective)
        start = partial(collective.start, MPI, self._comms[collective.among], given, taken)
        request = self.members.guarded().started(start) if self.can_survive else start()
        return MPIRequest(self.abreast, request, what or collective.what)

    def _allgather_lengths(self, length: int) -> Array:
        lengths = np.empty(self.size, np.int64)
        given = np.array([length], np.int64)
        self._start(Collective("allgather", "all", given.dtype.str, 1), given, lengths).wait()
        return lengths

    def _allgather_bytes(self, data: Array, lengths: Array) -> Array:
        gathered = np.empty(int(lengths.sum()), np.uint8)
        self._start(Collective("allgather", lengths=tuple(lengths.tolist())), data, gathered).wait()
        return gathered


def start(launcher: Launcher) -> MPICommunicator:
    """Join the job that ``launcher`` started; from here on, an uncaught exception ends it on every rank.

    Raises:
        ArgumentError: a setting of how long to wait for ranks is not a number.
        LaunchError: mpi4py's MPI does not see the processes that the launcher started.
    """
    patience = Patience.from_environment(os.environ)
    if not MPI.Is_initialized():
        _initialize(launcher, patience)
    world = MPI.COMM_WORLD
    if world.size == 1 or (launcher.size is not None and world.size != launcher.size):
        raise LaunchError(
            f"{launcher.name} started this process as rank {launcher.rank} of {launcher.size or 'several'}, but "
            f"mpi4py's MPI ({library_name()}) sees {world.size}. The launcher and mpi4py belong to different MPIs, or "
            "srun was given no --mpi plugin: start with the mpirun of mpi4py's MPI, or install mpi4py for this one."
        )
    communicator = MPICommunicator(world.Dup(), patience, os.environ.get(SURVIVES) == "1")
    with watched_for_silent_deaths(communicator.neighbours, world.size, communicator.can_survive):
        communicator.share_cores()
        unname_mpis_memory(communicator.local_rank)
    communicator.members.node.Barrier()  # none dies before it is watched
    departures.append(atexit.register(_here(partial(_depart, communicator), _stay)))
    sys.excepthook = _here(communicator.end_the_job, sys.__excepthook__)
    return communicator


def _here(call: Callable[..., T], otherwise: Callable[..., T]) -> Callable[..., T]:
    """What this process calls; those that it forks call another function: an error of theirs ends them alone."""
    process = os.getpid()
    return lambda *args: (call if os.getpid() == process else otherwise)(*args)


def _depart(communicator: MPICommunicator) -> None:
    """At the end of a rank's program tell the others, and leave MPI; a forked process leaves it to its parent."""
    communicator.neighbours.mark_leaving()
    # Open MPI 5.0.11 may hang in ``MPI_Finalize`` after a death. It tells of one who ends within a call by itself.
    if not MPI.Is_finalized() and not (communicator.can_survive and communicator.abreast.is_within_call):
        communicator.announce_departure()
        communicator.abreast.depart()
        if not communicator.has_survived:
            MPI.Finalize()
            communicator.neighbours.leave_together()
    communicator.neighbours.mark_ended()


def _stay() -> None:
    """Leave MPI to the process that this one was forked from."""


def join_to_leave(launcher: Launcher) -> None:
    """Join the job at the end of a program that never did, so that ranks waiting for this one learn of its end."""
    if not MPI.Is_initialized():
        start(launcher)
        for leave in departures:
            leave()


def _initialize(launcher: Launcher, patience: Patience) -> None:
    """Join MPI, unless mpi4py's library is not the launcher's: MPI would then end the process without our message."""
    vendor = MPI.get_vendor()[0]
    if launcher.vendor is not None and vendor != launcher.vendor:
        raise LaunchError(
            f"{launcher.name} started this process as rank {launcher.rank} of {launcher.size}, but mpi4py's MPI is "
            f"{vendor} ({library_name()}). Start with {vendor}'s mpirun, or install mpi4py for {launcher.vendor}."
        )
    with showing_where_it_waits(launcher, patience), watched_siblings(launcher, patience.timeout_s):
        MPI.Init_thread(MPI.THREAD_MULTIPLE)


def library_name() -> str:
    """Name and version of the MPI library that mpi4py runs on, for example ``MPICH Version: 5.0.2``."""
    return " ".join(MPI.Get_library_version().splitlines()[0].split())[:80]
