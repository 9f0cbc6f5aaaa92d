"""The IDX format: arrays of bytes behind a header of big-endian sizes, gzipped or not.

Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database", the section on file formats.
"""

from __future__ import annotations

import gzip
import struct
import zlib
from contextlib import nullcontext
from io import BufferedIOBase
from pathlib import Path

import numpy as np

from distnet.errors import DatasetError
from distnet.types import Array

_UNSIGNED_BYTE = 0x08
_GZIP_MAGIC = b"\x1f\x8b"
_READ_AT_ONCE = 1 << 20
"""Bytes; all that are unpacked at once lie twice in memory."""


def read_idx(path: Path, shape: tuple[int, ...]) -> Array:
    """The unsigned bytes of an IDX file, gzipped or not.

    No more is read than ``shape`` needs, whatever the header claims or the file expands to.

    Args:
        path: the file.
        shape: the shape that it must have.

    Returns:
        an array of ``shape``, uint8.

    Raises:
        DatasetError: the file cannot be read, is damaged, or is another file.
    """
    size = int(np.prod(shape))
    try:
        with path.open("rb") as file:
            is_gzipped = file.read(2) == _GZIP_MAGIC
            file.seek(0)
            with gzip.open(file) if is_gzipped else nullcontext(file) as stream:
                _check_header(path, stream, shape)
                data = np.empty(size, np.uint8)
                filled = _fill(data, stream)
                is_longer = bool(stream.read(1))
    except DatasetError:
        raise
    except (OSError, EOFError, zlib.error) as error:
        raise DatasetError(f"{path}: cannot be read: {error}. Copy or download the file again.") from error
    if filled < size or is_longer:
        received = "more" if is_longer else f"only {filled}"
        raise DatasetError(f"{path}: expected {size} bytes of data, found {received}. Copy or download the file again.")
    return data.reshape(shape)


def _fill(data: Array, stream: BufferedIOBase) -> int:
    """Read an array of bytes, as far as the stream has them; return how many were read."""
    filled = 0
    while count := stream.readinto(data[filled : filled + _READ_AT_ONCE].data):
        filled += count
    return filled


def _check_header(path: Path, stream: BufferedIOBase, shape: tuple[int, ...]) -> None:
    expected = struct.pack(f">HBB{len(shape)}I", 0, _UNSIGNED_BYTE, len(shape), *shape)
    header = stream.read(len(expected))
    if header != expected:
        raise DatasetError(
            f"{path}: expected an IDX file of {shape} unsigned bytes (header {expected.hex(' ', -4)}), "
            f"found header {header.hex(' ', -4) or 'nothing'}. Copy or download the file again."
        )
