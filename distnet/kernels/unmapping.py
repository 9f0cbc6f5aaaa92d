"""Code of a library that its start needed, and what comes after does not: it need not count as a process's memory."""

from __future__ import annotations

import ctypes
import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

_MAPPINGS, _PAGES = Path("/proc/self/maps"), Path("/proc/self/pagemap")
_ENTRY_BYTES, _STATE_BITS = 8, 61
_IN_FILE, _SWAPPED, _PRESENT = 1, 2, 4
"""Bits of a page's state, the highest ones of its entry (Linux, ``Documentation/admin-guide/mm/pagemap.rst``)."""


def unmap_code(*libraries: str) -> None:
    """Unmap what this process has read of libraries' files until it reads it again; nothing is lost.

    A page of a file counts as memory of each process that has it mapped. What is read again comes from the system's
    cache of files, 16 pages at once. Only what is as in the file is unmapped, not what a loader has written to.

    Args:
        libraries: how the files' names begin. Where the system does not say what is mapped, nothing is unmapped.
    """
    if not (_MAPPINGS.exists() and _PAGES.exists() and hasattr(mmap, "MADV_DONTNEED")):
        return
    advise = ctypes.CDLL(None).madvise
    advise.argtypes = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
    with _PAGES.open("rb", buffering=0) as pages:
        for start, end in _read_only(_MAPPINGS.read_text(), libraries):
            if _is_as_in_its_file(pages, start, end):
                advise(start, end - start, mmap.MADV_DONTNEED)


def _read_only(mappings: str, libraries: tuple[str, ...]) -> Iterator[tuple[int, int]]:
    """Addresses, from and to, of mappings of these libraries that this process may not write to."""
    for line in mappings.splitlines():
        addresses, rights, *_, path = line.split(maxsplit=5)  # "7f00-7f10 r-xp 00000000 08:01 123   /lib/libname.so"
        if path.rpartition("/")[2].startswith(libraries) and "w" not in rights:
            start, end = addresses.split("-")
            yield int(start, 16), int(end, 16)


def _is_as_in_its_file(pages: BinaryIO, start: int, end: int) -> bool:
    """Whether the process has no page of its own there, in memory or swapped out."""
    count = (end - start) // mmap.PAGESIZE
    pages.seek(start // mmap.PAGESIZE * _ENTRY_BYTES)
    entries = np.frombuffer(pages.read(count * _ENTRY_BYTES), np.uint64)
    states = entries >> _STATE_BITS
    is_own = (states & _SWAPPED != 0) | (states & (_PRESENT | _IN_FILE) == _PRESENT)
    return len(entries) == count and not is_own.any()
