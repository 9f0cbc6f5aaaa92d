"""A file that distnet wrote says itself whether it is what was written.

Behind the end of the HDF5 file (or of the zip archive) stand 64 bytes::

    magic (16)   version (4)   reserved (4)   length (8)   SHA-256 of the first ``length`` bytes (32)

Readers of HDF5, Keras's among them, pass over what follows the file. A program that changes the file through
HDF5 cuts it off where HDF5 ends, and the seal with it: the file is then unsealed, as Keras's are, not damaged.
The seal shows damage, not who wrote the file: what a file may hold is checked whether it is sealed or not.
"""

from __future__ import annotations

import hashlib
import os
import struct
from io import BufferedReader

from distnet.errors import CheckpointError

_LAYOUT = struct.Struct("<16sIIQ32s")
_MAGIC = b"\x89DISTNET SEAL\r\n\x1a"
_VERSION = 1
_PIECE_BYTES = 1 << 22


def seal_of(content: memoryview) -> bytes:
    """The bytes to append to this content."""
    return _LAYOUT.pack(_MAGIC, _VERSION, 0, len(content), hashlib.sha256(content).digest())


def is_sealed(path: str | os.PathLike[str]) -> bool:
    """Whether the file bears a seal and is, byte for byte, what was sealed; False without a seal.

    Raises:
        CheckpointError: it bears one, but is not what was sealed.
        OSError: it cannot be read.
    """
    with open(path, "rb") as file:
        before = file.seek(0, os.SEEK_END) - _LAYOUT.size
        if before < 0:
            return False
        file.seek(before)
        magic, version, _, length, digest = _LAYOUT.unpack(file.read(_LAYOUT.size))
        if magic != _MAGIC:
            return False
        if version != _VERSION:
            raise CheckpointError(
                f"{os.fspath(path)}: its seal has version {version}, expected {_VERSION}: it was written by a newer "
                "distnet, or its last 64 bytes are damaged."
            )
        if length != before:
            raise CheckpointError(
                f"{os.fspath(path)}: damaged: {length} bytes were written, but it holds {before}. Use an older file."
            )
        if _digest(file, length) != digest:
            raise CheckpointError(
                f"{os.fspath(path)}: damaged: its {length} bytes are not those that were written (their SHA-256 "
                "differs). Use an older file."
            )
    return True


def _digest(file: BufferedReader, length: int) -> bytes:
    sha256 = hashlib.sha256()
    file.seek(0)
    buffer = memoryview(bytearray(min(length, _PIECE_BYTES)))
    while length > 0:
        count = file.readinto(buffer[: min(length, _PIECE_BYTES)])
        if not count:
            break
        sha256.update(buffer[:count])
        length -= count
    return sha256.digest()
