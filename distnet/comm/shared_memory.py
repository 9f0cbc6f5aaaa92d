"""Memory that the processes of a node share, without a name that a killed process could leave behind."""

from __future__ import annotations

import ctypes
import mmap
import os
import re
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from distnet.comm.base import Request
from distnet.types import Array, DType

PATH_BYTES = 64
"""Of an address that one rank of a node broadcasts."""
LEAST_LARGE, MOST_LARGE = 1 << 20, 1 << 25
"""Bytes of memory that lies in large pages: less needs few pages, of more a process maps what it is using only."""

_LARGE_PAGE = 1 << 21
_ADVICE = [mmap.MADV_HUGEPAGE, 25] if hasattr(mmap, "MADV_HUGEPAGE") else []
"""The second is MADV_COLLAPSE of Linux 6.1: at once, whatever the system's setting for shared memory is."""

_MPICHS = re.compile(r"/dev/shm/mpich_shm_[0-9a-f]+_[0-9]+")


@dataclass
class SharedMemory:
    """Zeroed memory that other processes of this user may map, too, while this one keeps it open.

    Args:
        descriptor: of a file that exists only in memory.
        size: in bytes.
        name: of that file, which no other has.
    """

    descriptor: int
    size: int
    name: str

    @classmethod
    def of_size(cls, size: int) -> SharedMemory:
        """New memory; pages are taken when they are first written, as for any array of zeros.

        Raises:
            OSError: this process may not create so large a file, or the system has no such files.
        """
        if not hasattr(os, "memfd_create"):
            raise OSError("no memfd_create on this system")
        name = f"distnet-{secrets.token_hex(8)}"
        descriptor = os.memfd_create(name, os.MFD_CLOEXEC)
        try:
            os.truncate(descriptor, _file_bytes(size))
        except OSError:
            os.close(descriptor)
            raise
        return cls(descriptor, size, name)

    @property
    def path(self) -> str:
        """Where other processes of this node can open it."""
        return f"/proc/{os.getpid()}/fd/{self.descriptor}"

    @classmethod
    def opened(cls, path: str, size: int, name: str) -> SharedMemory:
        """The memory that another process made.

        Raises:
            OSError: this process may not open it; or sees something else there, as in a namespace of its own, where
                the other process's number is another's.
        """
        held = os.readlink(path)
        if held.removesuffix(" (deleted)") != f"/memfd:{name}":
            raise OSError(f"{path}: expected the memory {name}, received {held}")
        return cls(os.open(path, os.O_RDWR | os.O_CLOEXEC), size, name)

    @classmethod
    def of_node(
        cls, sizes: Sequence[int], local_rank: int, start: Callable[[Array], Request]
    ) -> list[SharedMemory] | None:
        """Memory that rank 0 of a node makes and the others open, of each of these sizes; None where one fails.

        Args:
            start: starts to give every rank of the node what rank 0 of them has in an array of ``PATH_BYTES`` bytes for
                each size.
        """
        paths = np.zeros((len(sizes), PATH_BYTES), np.uint8)
        memories: list[SharedMemory] = []
        with suppress(OSError):
            if local_rank == 0:
                for path, size in zip(paths, sizes, strict=True):
                    memories.append(cls.of_size(size))
                    memories[-1].enlarge_pages()
                    address = f"{memories[-1].path} {memories[-1].name}".encode()
                    path[:] = np.frombuffer(address.ljust(PATH_BYTES), np.uint8)
        start(paths).wait()
        with suppress(OSError):
            if local_rank > 0:
                for path, size in zip(paths, sizes, strict=True):
                    where, _, name = path.tobytes().rstrip(b"\0 ").decode().partition(" ")
                    memories.append(cls.opened(where, size, name))
        if len(memories) == len(sizes):
            return memories
        for memory in memories:
            memory.close()
        return None

    def array(self, dtype: DType) -> Array:
        """The memory as a flat array, which keeps it alive."""
        if not self.size:  # which cannot be mapped
            return np.empty(0, dtype)
        return np.frombuffer(self._map(), dtype, self.size // dtype.itemsize)

    def enlarge_pages(self) -> None:
        """Have the system put the memory into large pages, if it does; before others map it.

        A step reads and writes all of it, and a core remembers where few pages lie. Half of the weights, gradients and
        slots of an MLP of 535,000 weights are 1,000 pages of 4 kB.
        """
        if not LEAST_LARGE <= self.size <= MOST_LARGE or not _ADVICE:
            return
        mapped = self._map()
        np.frombuffer(mapped, np.uint8)[:: mmap.PAGESIZE] = 0  # what is not there yet is not moved
        with suppress(OSError):  # an older system, or one without memory in one piece
            for advice in _ADVICE:
                mapped.madvise(advice, 0, -(-self.size // _LARGE_PAGE) * _LARGE_PAGE)

    def _map(self) -> mmap.mmap:
        """A mapping that begins where a large page may, if large pages may be used."""
        if not LEAST_LARGE <= self.size <= MOST_LARGE:
            return mmap.mmap(self.descriptor, self.size)
        whole = -(-self.size // _LARGE_PAGE) * _LARGE_PAGE
        mapped = mmap.mmap(self.descriptor, whole)
        beyond = ctypes.addressof(ctypes.c_char.from_buffer(mapped)) % _LARGE_PAGE
        if beyond:  # Linux fills its memory from above: a longer one begins lower
            mapped.close()
            mapped = mmap.mmap(self.descriptor, whole + beyond)
        return mapped

    def close(self) -> None:
        """Let no further process map it; existing arrays stay valid."""
        os.close(self.descriptor)


def _file_bytes(size: int) -> int:
    """Bytes of the file with ``size`` bytes of memory: of large pages, whole ones, and one to begin where one may."""
    is_large = LEAST_LARGE <= size <= MOST_LARGE
    return (-(-size // _LARGE_PAGE) + 1) * _LARGE_PAGE if is_large else size


def let_go_of(array: Array) -> None:
    """Unmap the pages of a part of shared memory from this process, until it looks at them again; nothing is lost.

    What a process has looked at counts as its memory as long as it is mapped, though another process wrote it. Arrays
    of a process's own stay as they are.
    """
    whole = array
    while isinstance(whole.base, np.ndarray):
        whole = whole.base
    owner = whole.base.obj if isinstance(whole.base, memoryview) else whole.base
    if not isinstance(owner, mmap.mmap) or not hasattr(owner, "madvise") or not array.size:
        return
    start = array.ctypes.data - whole.ctypes.data
    first = -(-start // mmap.PAGESIZE) * mmap.PAGESIZE
    last = (start + array.nbytes) // mmap.PAGESIZE * mmap.PAGESIZE
    if last > first:
        owner.madvise(mmap.MADV_DONTNEED, first, last - first)


def unname_mpis_memory(local_rank: int) -> None:
    """Take the names from the memory that MPICH's ranks share here, once all of the node have mapped it: rank 0 does.

    MPICH does so at its end only: each job that is killed, or aborted, would leave megabytes in ``/dev/shm`` until the
    machine starts again.
    """
    for path in mpis_memory_of("self") if local_rank == 0 else ():
        with suppress(OSError):
            Path(path).unlink(missing_ok=True)


def mpis_memory_of(process: int | str) -> set[str]:
    """Names of the memory that MPICH shares, as far as a process has mapped it; none where that is not to be seen."""
    try:
        return set(_MPICHS.findall(Path(f"/proc/{process}/maps").read_text(errors="replace")))
    except OSError:
        return set()
