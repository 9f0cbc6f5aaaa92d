"""Names that one process of a machine holds at a time: they tell which ranks are joining, and which of them watch.

Linux knows names of sockets that lie in no folder. Such a name is free again when its holder ends, however it ends.
Source: unix(7), on abstract addresses.
"""

from __future__ import annotations

import errno
import os
import socket
from types import TracebackType
from typing import Self

from distnet.process_tree import began_at

_held: dict[tuple[int, str], socket.socket] = {}
"""By process and name: the names of ranks that this process is, until it ends; a fork is none of them."""
_JOBS = ("PMIX_NAMESPACE", "PMI_JOBID")
"""Variables that tell jobs of one launcher apart."""
_WATCHERS = 2
"""Ranks of a machine that watch."""


def holds_rank(launcher: int, rank: int) -> bool:
    """Whether this process is the first of its rank to join, as far as that can be told; it then holds the name.

    Args:
        launcher: the process that started the ranks.
    """
    if not hasattr(socket, "AF_UNIX"):
        return True
    job = "-".join(os.environ.get(name, "") for name in _JOBS)
    name = f"\0distnet-{launcher}-{began_at(launcher)}-{job}-is-{rank}"
    if (os.getpid(), name) in _held:
        return True
    holder = _held[os.getpid(), name] = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        holder.bind(name)
    except OSError as error:
        return error.errno != errno.EADDRINUSE
    return True


class Joining:
    """A rank that joins, until the block ends, and what it sees of the others of its machine.

    Args:
        launcher: the process that started the ranks; None if it is not to be seen.
        rank: this rank.

    Attributes:
        watches: whether this rank is to watch; each does where this system has no such names.
        is_first: whether it is one of the first to tell what it sees.
    """

    def __init__(self, launcher: int | None, rank: int) -> None:
        self._job = None if launcher is None else f"\0distnet-{launcher}-{began_at(launcher)}"
        self._joins: socket.socket | None = None
        self._watch: socket.socket | None = None
        self.is_first = rank < _WATCHERS
        self.watches = True
        try:
            self._joins = self._taken(_of_rank(rank))
            self._watch = next(filter(None, (self._taken(f"watch-{i}") for i in range(_WATCHERS))), None)
            self.watches = self.is_first = self._watch is not None
        except OSError:
            self._job = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.leave()

    def is_joining(self, rank: int) -> bool:
        """Whether a rank of this machine joins; not known to do so where this system has no such names."""
        if self._job is None:
            return False
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as asking:  # taking the name would keep it from the rank
            try:
                asking.connect(self._name(_of_rank(rank)))
            except OSError:
                return False
        return True

    def leave(self) -> None:
        """Join no more in this process: another one may."""
        if self._joins is not None:
            self._joins.close()

    def leave_watch(self) -> None:
        """Watch no more in this process: another one may."""
        if self._watch is not None:
            self._watch.close()

    def _taken(self, name: str) -> socket.socket | None:
        """What holds a name until it is closed; None if another process holds it.

        Raises:
            OSError: this system has no such names, or the job none.
        """
        if self._job is None or not hasattr(socket, "AF_UNIX"):
            raise OSError("no names of sockets")
        holder = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            holder.bind(self._name(name))
        except OSError as error:
            holder.close()
            if error.errno == errno.EADDRINUSE:
                return None
            raise
        return holder

    def _name(self, name: str) -> str:
        """The name among those of the machine."""
        return f"{self._job}-{name}"


def _of_rank(rank: int) -> str:
    return f"rank-{rank}"
