"""Names the first rank of a machine that dies without a word: a program of its own, which one rank a node starts.

A rank that a signal ends cannot say so itself, and MPI's launchers end all others without naming it. This process is in
no group that they kill. It sleeps until a rank ends (``pidfd_open``, Linux 5.3), reads in the rank's note whether it
had told of it, and ends with the last of them. It imports nothing of distnet, for it starts beside ranks that all cores
are meant for.

Which rank was the first is told by pipes: what a process holds open the system closes from the last number down, so
that a pipe opened late goes before the socket by which MPICH's launcher learns of the end, and kills the others.
"""

from __future__ import annotations

import fcntl
import os
import select
import struct
from collections.abc import Callable, Sequence
from contextlib import suppress

NOTE_BYTES = 160
"""Of a rank's note: what it is at, and in the last byte one of the following."""
LEAVING, ENDED, FAILED = b"l", b"e", b"f"
"""That its program has ended and it waits for others; that it has left MPI; that it tells of an error itself."""

_NAME = "distnet-watches"
_PIDFD_GET_INFO, _INFO_BYTES, _OF_AN_END, _CODE_AT = 0xC040FF0B, 64, 8, 60
"""``struct pidfd_info`` of Linux 6.15 and its ``ioctl``: the mask is its first field, the exit code its last."""
_FLAGS_FIELD, _CODE_FIELD = 6, 49
"""Of ``/proc/PID/stat``, counted from the state."""
_IS_EXITING = 4
"""Of the flags."""


class MortalRank:
    """A rank of this machine.

    Args:
        rank: its number in the job.
        process: its number here.
        note, name: of the memory with its note; another process of this number has none of this name.
        pipe: that it holds open as long as it lives.

    Attributes:
        end, closing: descriptors that are ready when the process is gone, and when its pipe is closed.

    Raises:
        OSError: there is no such process, or this one may not see it.
    """

    def __init__(self, rank: str, process: str, note: str, name: str, pipe: str) -> None:
        self.rank, self.process = rank, int(process)
        self.end = os.pidfd_open(self.process)
        if os.readlink(note).removesuffix(" (deleted)") != f"/memfd:{name}":
            raise OSError(f"process {process} is not rank {rank}")
        self._note = os.open(note, os.O_RDONLY)
        self.closing = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)

    @property
    def state(self) -> bytes:
        """What it let others know last."""
        return os.pread(self._note, 1, NOTE_BYTES - 1)

    @property
    def phase(self) -> str:
        """What it was at."""
        return os.pread(self._note, NOTE_BYTES - 1, 0).partition(b"\0")[0].decode(errors="replace")

    def is_ending(self) -> bool:
        """Whether it is; a program may also have closed its pipe with all else that is open."""
        fields = self._fields()
        return not fields or fields[0] in "ZX" or bool(int(fields[_FLAGS_FIELD]) & _IS_EXITING)

    def exit_code(self) -> int | None:
        """Its exit code, or minus the number of a signal; None if the launcher took it away, on Linux before 6.15."""
        fields = self._fields()
        return os.waitstatus_to_exitcode(int(fields[_CODE_FIELD])) if fields else _code_of_one_gone(self.end)

    def _fields(self) -> list[str]:
        """Those of its status; none once it is gone."""
        try:
            with open(f"/proc/{self.process}/stat", encoding="utf-8", errors="replace") as file:
                return file.read().rpartition(")")[2].split()
        except OSError:
            return []


def _code_of_one_gone(end: int) -> int | None:
    info = bytearray(struct.pack("=Q", _OF_AN_END).ljust(_INFO_BYTES, b"\0"))
    try:
        fcntl.ioctl(end, _PIDFD_GET_INFO, info)
    except OSError:
        return None
    is_told = struct.unpack_from("=Q", info)[0] & _OF_AN_END
    return os.waitstatus_to_exitcode(struct.unpack_from("=i", info, _CODE_AT)[0]) if is_told else None


class NodeWatcher:
    """What this program does: from when it is made it misses no end, and in ``run`` it tells of it.

    Args:
        size: number of ranks of the job.
        host: name of this machine.
        ranks: those to watch.
    """

    def __init__(self, size: int, host: str, ranks: Sequence[MortalRank]) -> None:
        self.size, self.host, self.ranks = size, host, ranks
        self._has_told = False
        self._ends = select.epoll()
        for each in ranks:
            self._ends.register(each.end, select.EPOLLIN)
            self._ends.register(each.closing, 0)  # of a pipe that is closed the system tells without being asked

    @classmethod
    def of(cls, arguments: Sequence[str]) -> NodeWatcher:
        """The watcher that a command line tells of: number of ranks, name of the machine, and five words a rank."""
        _let_go()
        size, host, *words = arguments
        ranks = []
        for at in range(0, len(words), 5):
            with suppress(OSError):  # gone already, or not to be seen
                ranks.append(MortalRank(*words[at : at + 5]))
        return cls(int(size), host, ranks)

    def run(self, in_words: Callable[[int, bool], str], kills_for_memory: Callable[[], int]) -> None:
        """Watch until the last rank has ended.

        Args:
            in_words, kills_for_memory: of ``process_ends``.
        """
        self._in_words, self._kills_for_memory, self._kills_before = in_words, kills_for_memory, kills_for_memory()
        watched = {descriptor: each for each in self.ranks for descriptor in (each.end, each.closing)}
        living = {each.end for each in self.ranks}
        while living:
            for descriptor, _ in self._ends.poll():  # in the order in which they came, also where this comes late
                self._ends.unregister(descriptor)
                living.discard(descriptor)
                if not self._has_told and watched[descriptor].is_ending():
                    self._judge(watched[descriptor])

    def _judge(self, dying: MortalRank) -> None:
        if self._is_without_a_word(dying):
            self._has_told = True
            self._tell(dying)

    def _is_without_a_word(self, dead: MortalRank) -> bool:
        """Whether neither it, nor another rank before it, has told of the job's end."""
        state = dead.state
        if state == ENDED or any(watched.state == FAILED for watched in self.ranks):
            return False
        return state != LEAVING or len(self.ranks) == self.size  # a rank of another machine may have told

    def _tell(self, dead: MortalRank) -> None:
        code = dead.exit_code()
        ending = _UNKNOWN if code is None else self._in_words(code, self._kills_for_memory() > self._kills_before)
        phase = "at its end, waiting for others" if dead.state == LEAVING else dead.phase
        where = f"\ndistnet: rank {dead.rank} of {self.size} (process {dead.process} on {self.host})"
        at = f" Its last note: {phase}." if phase else ""
        first = "" if len(self.ranks) == self.size else _OF_SEVERAL_MACHINES
        with suppress(OSError):  # nobody may read it any more
            os.write(2, f"{where} {ending}{at}{first}\n".encode())


_UNKNOWN = (
    "died without a word: a signal ended it, as SIGKILL where memory runs out (dmesg says so), or os._exit, MPI_Abort "
    "or a library."
)
_OF_SEVERAL_MACHINES = (
    " It was the first of this machine; if a rank of another one failed before, the launcher ended this one for it."
)


def _let_go() -> None:
    """Hold nothing of the job but its standard error."""
    for descriptor in map(int, os.listdir("/proc/self/fd")):
        if descriptor > 2:
            with suppress(OSError):  # that of the list itself is closed
                os.close(descriptor)
    os.chdir("/")
    with suppress(OSError):
        os.sched_setaffinity(0, range(os.cpu_count() or 1))  # not with the rank on its core
    with suppress(OSError), open("/proc/self/comm", "w", encoding="ascii") as name:
        name.write(_NAME)
