"""Checksums of arrays, by which ranks compare what they hold."""

from __future__ import annotations

import zlib

import numpy as np

from distnet.types import Array


def checksum(array: Array, before: int = 0) -> int:
    """CRC-32 of the entries: about 0.2 ms for a megabyte.

    Args:
        before: of what comes before these entries.
    """
    if array.dtype.kind == "O":
        return _of_strings(array, before)
    if array.dtype.kind in "mMV":  # dates and records, which NumPy shows to no other library
        return zlib.crc32(array.tobytes(), before)
    return zlib.crc32(np.ascontiguousarray(array).data, before)


def _of_strings(array: Array, before: int) -> int:
    """Of what strings hold, and of where each ends."""
    each = [
        one if isinstance(one, bytes) else str(one).encode(errors="surrogatepass") for one in array.ravel().tolist()
    ]
    lengths = np.fromiter(map(len, each), np.int64, len(each))
    return zlib.crc32(b"".join(each), zlib.crc32(lengths.data, before))
