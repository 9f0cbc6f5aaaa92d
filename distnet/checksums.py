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
    return zlib.crc32(np.ascontiguousarray(array).data, before)
