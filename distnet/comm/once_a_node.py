"""Work that one rank of a node does for all, without their meeting: the others wait, and learn that it is done.

A table in memory that the node shares has a short name of each work that was done lately. Who does a work holds a lock
on its name, which is free again when its process ends, however it ends.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

_ENTRIES, _ENTRY = 64, struct.Struct("<32s?d")
"""Name, whether the work was done well, and when it ended."""
TABLE_BYTES = _ENTRIES * _ENTRY.size
_KEPT_S = 60.0
"""So long a work counts as done: ranks that come later do it anew."""
_WAITS_S = 60.0
"""So long a rank waits for another one that does the work."""
_SLEEPS_S = (0.001, 0.02)
"""Between two looks, at first and at last."""
_LOCKS, _LOCKS_AT, _TABLE_LOCK = 1 << 20, 1 << 40, 1 << 41
"""Number and place of the locks of works, far behind the table, and the place of that of the table."""


class OnceANode:
    """The table.

    Args:
        opened: opens the memory; called when it is first needed.
        start: where in it the table begins.
    """

    def __init__(self, opened: Callable[[], int | None], start: int) -> None:
        self._opened, self._start = opened, start
        self._descriptor: int | None = None
        self._is_open = False

    @contextmanager
    def done(self, work: bytes) -> Iterator[bool]:
        """Whether the work within the block is done already; a block that does it, and ends well, is told to others.

        A block that ends with an error is noted, too: the others then do the work each by itself, at the same time.

        Args:
            work: names it; on all ranks alike.
        """
        name = hashlib.blake2b(work, digest_size=32).digest()
        descriptor = self._memory()
        if descriptor is None or not _locked(descriptor, _place(name)):
            yield False
            return
        is_well = self._known(descriptor).get(name)
        if is_well is not None:
            _unlock(descriptor, _place(name))
            yield is_well
            return
        try:
            yield False
            is_well = True
        finally:
            self._note(descriptor, name, is_well is True)
            _unlock(descriptor, _place(name))

    def _memory(self) -> int | None:
        if not self._is_open:
            self._is_open = True
            with suppress(OSError):
                self._descriptor = self._opened()
        return self._descriptor

    def _known(self, descriptor: int) -> dict[bytes, bool]:
        """The works that ended lately, and whether well."""
        since = time.monotonic() - _KEPT_S
        entries = _ENTRY.iter_unpack(os.pread(descriptor, TABLE_BYTES, self._start))
        return {name: is_well for name, is_well, ended in entries if ended > since}

    def _note(self, descriptor: int, name: bytes, is_well: bool) -> None:
        """Write it in the place of the oldest."""
        if not _locked(descriptor, _TABLE_LOCK):
            return
        ends = [ended for *_, ended in _ENTRY.iter_unpack(os.pread(descriptor, TABLE_BYTES, self._start))]
        entry = _ENTRY.pack(name, is_well, time.monotonic())
        os.pwrite(descriptor, entry, self._start + ends.index(min(ends)) * _ENTRY.size)
        _unlock(descriptor, _TABLE_LOCK)


def _place(name: bytes) -> int:
    return _LOCKS_AT + int.from_bytes(name[:4], "little") % _LOCKS


def _locked(descriptor: int, place: int) -> bool:
    """Whether this process has come to hold a lock, after a while at most."""
    began, sleep_s = time.monotonic(), _SLEEPS_S[0]
    while time.monotonic() - began < _WAITS_S:
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
            return True
        except (BlockingIOError, PermissionError):  # another process holds it
            time.sleep(sleep_s)
            sleep_s = min(2 * sleep_s, _SLEEPS_S[1])
        except OSError:  # no locks here
            return False
    return False


def _unlock(descriptor: int, place: int) -> None:
    fcntl.lockf(descriptor, fcntl.LOCK_UN, 1, place)
