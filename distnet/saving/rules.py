"""What an HDF5 file may hold to be read: numbers and names, where they say they are, each once.

Read as a program (``python rules.py``), it is the process that opens files first: see
``vetting``. It imports no more of distnet than the errors, so that it starts fast.
"""

from __future__ import annotations

import json
import math
import os
import resource
import select
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from distnet.errors import CheckpointError
from distnet.saving.late_h5py import h5py

_MOST_DEPTH, _MOST_OBJECTS = 64, 1 << 15
_ALWAYS_ALLOWED_BYTES = 1 << 26
_MOST_RATIO = 8
_MOST_CHUNK_BYTES = 1 << 26
_LEAST_ITEMSIZE = 4
_MOST_EMPTY_CHUNKS = 1 << 12
_BYTES_PER_CHUNK = 16
_MEMORY_BYTES = 1 << 29
_CPU_S, _BYTES_PER_CPU_S = 20, 10_000_000
_IDLE_S = 10.0


def most_bytes(stored_bytes: int) -> int:
    """How many bytes so many stored ones may become in memory."""
    return max(_ALWAYS_ALLOWED_BYTES, _MOST_RATIO * stored_bytes)


@dataclass
class Survey:
    """Walks all objects of a file, reading none of the arrays, and counts the numbers in them.

    Args:
        file_bytes: size of the file, which bounds what it can hold.
    """

    file_bytes: int
    entries: int = 0
    _array_bytes: int = 0
    _seen: set[int] = field(default_factory=set)

    def objects(self, file: h5py.File) -> Iterator[h5py.Group | h5py.Dataset]:
        """All groups and datasets, each after it was checked.

        Raises:
            CheckpointError: names the object, what was expected there, and what was found.
        """
        if file.userblock_size:
            raise CheckpointError(f"expected HDF5 from the first byte, found it at byte {file.userblock_size}.")
        yield from self._within(file["/"], 0)

    def _within(self, group: h5py.Group, depth: int) -> Iterator[h5py.Group | h5py.Dataset]:
        self._enter(group)
        if depth > _MOST_DEPTH:
            raise CheckpointError(f"{group.name[:200]}: expected at most {_MOST_DEPTH} groups within each other.")
        yield group
        for name in group.id:
            where = f"{group.name.rstrip('/')}/{name.decode(errors='replace')}"
            kind = group.id.links.get_info(name).type
            if kind != h5py.h5l.TYPE_HARD:
                raise CheckpointError(f"{where}: expected an object, found {_named_link(kind)}.")
            entry = group[name]
            if isinstance(entry, h5py.Group):
                yield from self._within(entry, depth + 1)
            elif isinstance(entry, h5py.Dataset):
                self._enter(entry)
                self._check(entry, where)
                yield entry
            else:
                raise CheckpointError(f"{where}: expected a group or an array, found a datatype.")

    def _enter(self, entry: h5py.Group | h5py.Dataset) -> None:
        """See an object for the first time, and check its attributes."""
        address = h5py.h5o.get_info(entry.id).addr
        if address in self._seen:
            raise CheckpointError(f"{entry.name}: is linked a second time; expected each object in one place.")
        self._seen.add(address)
        if len(self._seen) > _MOST_OBJECTS:
            raise CheckpointError(f"expected at most {_MOST_OBJECTS} groups and arrays, found more: no model's file.")
        for number in range(h5py.h5a.get_num_attrs(entry.id)):
            attribute = h5py.h5a.open(entry.id, index=number)
            where = f"{entry.name}: attribute {attribute.name.decode(errors='replace')}"
            is_string = h5py.check_string_dtype(attribute.dtype) is not None
            if attribute.dtype.kind not in "fiub" and not is_string:
                raise CheckpointError(f"{where}: expected numbers or strings, found {attribute.dtype}.")
            self._check_extent(where, attribute.shape, attribute.dtype.itemsize, self.file_bytes)

    def _check(self, dataset: h5py.Dataset, where: str) -> None:
        if dataset.dtype.kind not in "fiub" or dataset.dtype.itemsize > 8:
            raise CheckpointError(f"{where}: expected numbers, found {dataset.dtype}.")
        properties = dataset.id.get_create_plist()
        if properties.get_external_count():
            raise CheckpointError(f"{where}: expected an array in this file, found one stored in another.")
        layout = properties.get_layout()
        if layout == h5py.h5d.VIRTUAL:
            raise CheckpointError(f"{where}: expected an array, found a virtual one, put together from others.")
        for number in range(properties.get_nfilters()):
            code = properties.get_filter(number)[0]
            if code not in _filters():
                raise CheckpointError(f"{where}: expected gzip, lzf or no compression, found HDF5's filter {code}.")
        allowed = most_bytes(self.file_bytes) - self._array_bytes
        # Weights lie in memory as float32 at least, however few bytes each has here.
        itemsize = max(_LEAST_ITEMSIZE, dataset.dtype.itemsize)
        self._array_bytes += self._check_extent(where, dataset.shape, itemsize, allowed)
        self.entries += int(dataset.size)
        if layout == h5py.h5d.CONTIGUOUS:
            self._check_place(dataset, where)
        if layout == h5py.h5d.CHUNKED:
            self._check_chunks(dataset, where)

    def _check_place(self, dataset: h5py.Dataset, where: str) -> None:
        """An array in one piece lies within the file."""
        start, stored = dataset.id.get_offset(), dataset.id.get_storage_size()
        if start is not None and not 0 <= start <= start + stored <= self.file_bytes:
            raise CheckpointError(
                f"{where}: expected bytes {start} to {start + stored}, found a file of {self.file_bytes}: truncated."
            )
        if start is not None and stored != dataset.size * dataset.dtype.itemsize:
            raise CheckpointError(f"{where}: shape {dataset.shape} does not fit the {stored} bytes that are stored.")

    def _check_chunks(self, dataset: h5py.Dataset, where: str) -> None:
        """An array in pieces has few that are large, and not many more than the file can list."""
        self._check_extent(f"{where}: chunk", dataset.chunks, dataset.dtype.itemsize, _MOST_CHUNK_BYTES)
        count = math.prod(-(-extent // size) for extent, size in zip(dataset.shape, dataset.chunks, strict=True))
        if count > _MOST_EMPTY_CHUNKS + self.file_bytes // _BYTES_PER_CHUNK:
            raise CheckpointError(
                f"{where}: declares shape {dataset.shape} in {count} pieces of {dataset.chunks}, more than a file of "
                f"{self.file_bytes} bytes can list."
            )

    def _check_extent(self, where: str, shape: tuple[int, ...] | None, itemsize: int, allowed: int) -> int:
        wanted = math.prod(shape or ()) * itemsize if shape is not None else 0
        if wanted > allowed:
            raise CheckpointError(
                f"{where}: declares shape {shape}, {wanted} bytes in memory, which a file of {self.file_bytes} bytes "
                "cannot hold."
            )
        return wanted


def check(file: h5py.File, file_bytes: int) -> int:
    """Check all objects of a file, reading none of the arrays; return how many numbers they hold.

    Raises:
        CheckpointError: names the object, what was expected there, and what was found.
    """
    survey = Survey(file_bytes)
    for _ in survey.objects(file):
        pass
    return survey.entries


def read_all(path: str) -> None:
    """Open a file and read every attribute and array in it, piece by piece.

    Raises:
        CheckpointError: it is not as it must be.
    """
    file_bytes = os.path.getsize(path)
    with h5py.File(path, "r") as file:
        for entry in Survey(file_bytes).objects(file):
            for name in entry.attrs:
                entry.attrs[name]
            if isinstance(entry, h5py.Dataset):
                _read(entry)


def _read(dataset: h5py.Dataset) -> None:
    if dataset.chunks is not None:
        for piece in dataset.iter_chunks():
            dataset[piece]
    elif dataset.size * dataset.dtype.itemsize <= _MOST_CHUNK_BYTES:
        dataset[()]  # a larger one lies in one piece, which is known to be in the file


@cache
def _filters() -> tuple[int, ...]:
    """What arrays may be compressed by."""
    kinds = h5py.h5z
    return kinds.FILTER_DEFLATE, kinds.FILTER_SHUFFLE, kinds.FILTER_FLETCHER32, kinds.FILTER_LZF


def _named_link(kind: int) -> str:
    named = {h5py.h5l.TYPE_SOFT: "a soft link", h5py.h5l.TYPE_EXTERNAL: "a link into another file"}
    return named.get(kind, "a link of its own kind")


def _verdict(path: str) -> str | None:
    """What is wrong with a file, or None."""
    spent = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(spent.ru_utime + spent.ru_stime) + _CPU_S + os.path.getsize(path) // _BYTES_PER_CPU_S
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.getrlimit(resource.RLIMIT_CPU)[1]))
    try:
        read_all(path)
    except CheckpointError as error:
        return str(error)
    except MemoryError:
        return "damaged: reading it takes more memory than it can hold."
    except (ArithmeticError, AttributeError, LookupError, OSError, RuntimeError, TypeError, ValueError) as error:
        return f"damaged, or no HDF5: {error}."
    return None


def _confine() -> None:
    """Take from this process what reading does not need: memory, writing, a core dump."""
    limits = {resource.RLIMIT_FSIZE: 0, resource.RLIMIT_CORE: 0}
    if os.path.exists("/proc/self/statm"):  # on systems without it nobody enforces a limit on memory either
        with open("/proc/self/statm", encoding="ascii") as status:
            limits[resource.RLIMIT_AS] = int(status.read().split()[0]) * resource.getpagesize() + _MEMORY_BYTES
    for limit, value in limits.items():
        resource.setrlimit(limit, (value, value))


def _answer(questions: Any, answers: Any) -> None:
    """Give a verdict on each path, one line of JSON each, until nobody asks any more."""
    while select.select([questions], [], [], _IDLE_S)[0]:
        line = questions.readline()
        if not line:
            return
        answers.write(json.dumps(_verdict(json.loads(line))) + "\n")
        answers.flush()


if __name__ == "__main__":
    _filters()  # h5py is imported before there are limits
    _confine()
    _answer(sys.stdin, sys.stdout)
