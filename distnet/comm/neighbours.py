"""What a rank shows of its neighbours on the same node: where they are, although they answer nothing.

Each rank keeps a note of what it is at in memory that its neighbours can read. When it gets a signal, it writes the
stacks of its threads behind the note, whatever it is doing: the interpreter need not run for that. Whoever sent the
signal shows them: what two processes say themselves comes in any order.
"""

from __future__ import annotations

import faulthandler
import mmap
import os
import signal
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from distnet.comm.node_watcher import ENDED, FAILED, LEAVING, NOTE_BYTES
from distnet.comm.once_a_node import TABLE_BYTES, OnceANode
from distnet.comm.shared_memory import SharedMemory
from distnet.launcher import say

MEMORY_BYTES = NOTE_BYTES + TABLE_BYTES
"""Of the memory of a rank, before it writes stacks behind its note and the table of works."""
_THIS_ROOM = os.path.dirname(__file__)
_SIGNAL = 9
"""Which of the real-time signals."""
_WRITTEN_S = 1.0
"""Time in which another process writes its stacks."""
_LOOKS_EVERY_S = 0.05
_LEAVES_S, _LOOKS_AT_ENDS_EVERY_S = 30.0, 0.001
"""Time in which the ranks of a node leave MPI, which they have begun together, however busy their cores are."""
_PID_NAMESPACE = "/proc/self/ns/pid"


@dataclass(frozen=True)
class Address:
    """Where a neighbour is.

    Args:
        rank: its number in the job.
        process: its number on this node.
        path, name: of the memory with its note; a process of another namespace is none of this number with this memory.
        namespace: in which the process has this number.
        pipe: that it holds open as long as it lives.
    """

    rank: int
    process: int
    path: str
    name: str
    namespace: str
    pipe: str


class Neighbours:
    """The ranks of this node.

    Args:
        rank: this one.
        gather: gives the addresses of all ranks of the node for this one's.

    Attributes:
        work: what one rank of the node does for all.
    """

    def __init__(self, rank: int, gather: Callable[[Address | None], Sequence[Address | None]]) -> None:
        self.rank, self._process = rank, os.getpid()
        self._note: mmap.mmap | None = None
        self._memory: SharedMemory | None = None
        address = None
        with suppress(OSError):
            self._memory = SharedMemory.of_size(MEMORY_BYTES)
            self._note = mmap.mmap(self._memory.descriptor, NOTE_BYTES)
            os.lseek(self._memory.descriptor, self._memory.size, os.SEEK_SET)
            faulthandler.register(_signal(), file=self._memory.descriptor, all_threads=True)
            namespace = os.readlink(_PID_NAMESPACE)
            reading, _ = os.pipe()
            pipe = f"/proc/{self._process}/fd/{reading}"
            address = Address(rank, self._process, self._memory.path, self._memory.name, namespace, pipe)
        self._addresses = {each.rank: each for each in gather(address) if each is not None}
        self.work = OnceANode(self._opened_first, NOTE_BYTES)

    def note(self, phase: str) -> None:
        """Remember what this rank is at."""
        if self._note is not None:
            text = phase.encode()[: NOTE_BYTES - 2] + b"\0"
            self._note[: len(text)] = text

    def mark_leaving(self) -> None:
        """Let the watcher of this node know that this rank's program has ended, and that it waits for others."""
        self._mark(LEAVING)

    def mark_ended(self) -> None:
        """Let it know that this rank has left MPI."""
        self._mark(ENDED)

    def leave_together(self) -> None:
        """The same; return when the other ranks of this node have left MPI, too, or have died, or after a while.

        MPICH's launcher was seen to kill a rank that was still leaving MPI when another one's process was gone.
        """
        self.mark_ended()
        until = time.monotonic() + _LEAVES_S
        for address in self._addresses.values():
            if address.rank == self.rank:
                continue
            with suppress(OSError):  # it has gone, or is not to be seen
                memory = SharedMemory.opened(address.path, NOTE_BYTES, address.name)
                while os.pread(memory.descriptor, 1, NOTE_BYTES - 1) != ENDED and time.monotonic() < until:
                    if not os.path.exists(address.path):  # it is the process's, and goes with it
                        break
                    time.sleep(_LOOKS_AT_ENDS_EVERY_S)
                memory.close()

    def mark_failed(self) -> None:
        """Let it know that this rank tells of an error itself."""
        self._mark(FAILED)

    def _mark(self, state: bytes) -> None:
        if self._note is not None and os.getpid() == self._process:  # a copy that it forks says nothing
            self._note[-1:] = state

    def watched_by_this_rank(self) -> list[Address]:
        """Of each namespace of processes the first rank watches over all: those of this one's, or none."""
        own = self._addresses.get(self.rank)
        seen = [each for _, each in sorted(self._addresses.items()) if own and each.namespace == own.namespace]
        return seen if seen[:1] == [own] else []

    def renumber(self, numbers: Sequence[int]) -> None:
        """Know the ranks by new numbers.

        Args:
            numbers: the old number of each rank that is left.
        """
        new = {old: rank for rank, old in enumerate(numbers)}
        self._addresses = {
            new[old]: replace(address, rank=new[old]) for old, address in self._addresses.items() if old in new
        }
        self.rank = new[self.rank]

    def _opened_first(self) -> int | None:
        """The descriptor of the memory of the node's first rank, in which ranks note what they did for all."""
        first = self._addresses.get(min(self._addresses, default=self.rank))
        if first is None or self._memory is None:
            return None
        return SharedMemory.opened(first.path, self._memory.size, first.name).descriptor

    def show(self, ranks: Sequence[int], waiting: str) -> None:
        """Show on standard error where this rank and its silent neighbours are.

        Args:
            ranks: those that answer nothing.
            waiting: what this rank waits in.
        """
        stack = [frame for frame in traceback.extract_stack() if not frame.filename.startswith(_THIS_ROOM)]
        here = "".join(traceback.format_list(stack))
        say(f"distnet: rank {self.rank} waits in {waiting}; last: {self._phase(self._note)}. Its stack:\n{here}")
        if self.rank != min((rank for rank in self._addresses if rank not in ranks), default=self.rank):
            return  # one of each node shows the others
        self.show_others(ranks)

    def show_others(self, ranks: Sequence[int]) -> None:
        """Show on standard error where these are, of which some may be of another node.

        Args:
            ranks: those that answer nothing.
        """
        for rank in ranks:
            address = self._addresses.get(rank)
            if address is not None and rank != self.rank:
                self._show(address)

    def _show(self, address: Address) -> None:
        try:
            memory = SharedMemory.opened(address.path, NOTE_BYTES, address.name)
        except OSError:
            say(f"distnet: rank {address.rank} (process {address.process}) is gone, or cannot be seen from here.\n")
            return
        with mmap.mmap(memory.descriptor, NOTE_BYTES) as note:
            phase = self._phase(note)
        state = Path(f"/proc/{address.process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
        of_rank = f"distnet: rank {address.rank} (process {address.process})"
        if state in "Tt":
            say(f"{of_rank} is stopped, as by SIGSTOP; last: {phase}\n")
        else:
            say(f"{of_rank} does not come; last: {phase}. Its stack:\n{_stacks(address.process, memory.descriptor)}")
        memory.close()

    @staticmethod
    def _phase(note: mmap.mmap | None) -> str:
        text = b"" if note is None else note[: NOTE_BYTES - 1].partition(b"\0")[0]
        return text.decode(errors="replace") or "no distnet call"


def _stacks(process: int, descriptor: int) -> str:
    """Those that a process writes now, where it can.

    Args:
        descriptor: of the memory that has its note.
    """
    begin = before = os.fstat(descriptor).st_size
    os.kill(process, _signal())
    end = time.monotonic() + _WRITTEN_S
    while time.monotonic() < end:
        time.sleep(_LOOKS_EVERY_S)
        size = os.fstat(descriptor).st_size
        if size == before > begin:
            break
        before = size
    return os.pread(descriptor, before - begin, begin).decode(errors="replace") or "  (it does not say)\n"


def _signal() -> int:
    """The signal on which a rank shows its stacks: a real-time one that neither Python nor an MPI uses.

    Raises:
        OSError: the system has none.
    """
    if not hasattr(signal, "SIGRTMIN"):
        raise OSError("no real-time signals on this system")
    return int(signal.SIGRTMIN) + _SIGNAL
