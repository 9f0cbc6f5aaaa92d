"""What a rank shows of its neighbours on the same node: where they are, although they answer nothing.

Each rank keeps a note of what it is at in memory that its neighbours can read, and shows the stacks of its threads on
standard error when it gets a signal, whatever it is doing: the interpreter need not run for that.
"""

from __future__ import annotations

import faulthandler
import mmap
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from distnet.comm.shared_memory import SharedMemory

_NOTE_BYTES = 160
_THIS_ROOM = os.path.dirname(__file__)
_SIGNAL = 9
"""Which of the real-time signals."""
_SHOWN_S = 0.3
"""Time in which another process shows its stacks."""


@dataclass(frozen=True)
class Address:
    """Where a neighbour is.

    Args:
        rank: its number in the job.
        process: its number on this node.
        path, name: of the memory with its note; a process of another namespace is none of this number with this memory.
    """

    rank: int
    process: int
    path: str
    name: str


class Neighbours:
    """The ranks of this node.

    Args:
        rank: this one.
        gather: gives the addresses of all ranks of the node for this one's.
    """

    def __init__(self, rank: int, gather: Callable[[Address | None], Sequence[Address | None]]) -> None:
        self.rank = rank
        self._note: mmap.mmap | None = None
        self._memory: SharedMemory | None = None
        address = None
        with suppress(OSError):
            self._memory = SharedMemory.of_size(_NOTE_BYTES)
            self._note = mmap.mmap(self._memory.descriptor, _NOTE_BYTES)
            faulthandler.register(_signal(), file=sys.__stderr__ or 2, all_threads=True)
            address = Address(rank, os.getpid(), self._memory.path, self._memory.name)
        self._addresses = {each.rank: each for each in gather(address) if each is not None}

    def note(self, phase: str) -> None:
        """Remember what this rank is at."""
        if self._note is not None:
            text = phase.encode()[:_NOTE_BYTES]
            self._note[: len(text) + 1] = text + b"\0" if len(text) < _NOTE_BYTES else text

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

    def show(self, ranks: Sequence[int], waiting: str) -> None:
        """Show on standard error where this rank and its silent neighbours are.

        Args:
            ranks: those that answer nothing.
            waiting: what this rank waits in.
        """
        stack = [frame for frame in traceback.extract_stack() if not frame.filename.startswith(_THIS_ROOM)]
        here = "".join(traceback.format_list(stack))
        _say(f"distnet: rank {self.rank} waits in {waiting}; last: {self._phase(self._note)}. Its stack:\n{here}")
        if self.rank != min((rank for rank in self._addresses if rank not in ranks), default=self.rank):
            return  # one of each node shows the others
        for rank in ranks:
            address = self._addresses.get(rank)
            if address is not None and rank != self.rank:
                self._show(address)

    def _show(self, address: Address) -> None:
        try:
            memory = SharedMemory.opened(address.path, _NOTE_BYTES, address.name)
        except OSError:
            _say(f"distnet: rank {address.rank} (process {address.process}) is gone, or cannot be seen from here.\n")
            return
        with mmap.mmap(memory.descriptor, _NOTE_BYTES) as note:
            phase = self._phase(note)
        memory.close()
        state = Path(f"/proc/{address.process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
        if state in "Tt":
            _say(f"distnet: rank {address.rank} (process {address.process}) is stopped, as by SIGSTOP; last: {phase}\n")
            return
        _say(f"distnet: rank {address.rank} (process {address.process}) does not come; last: {phase}. Its stack:\n")
        os.kill(address.process, _signal())
        time.sleep(_SHOWN_S)

    @staticmethod
    def _phase(note: mmap.mmap | None) -> str:
        text = b"" if note is None else note[:].partition(b"\0")[0]
        return text.decode(errors="replace") or "no distnet call"


def _signal() -> int:
    """The signal on which a rank shows its stacks: a real-time one that neither Python nor an MPI uses.

    Raises:
        OSError: the system has none.
    """
    if not hasattr(signal, "SIGRTMIN"):
        raise OSError("no real-time signals on this system")
    return int(signal.SIGRTMIN) + _SIGNAL


def _say(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()
