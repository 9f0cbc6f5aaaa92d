"""Event files that TensorBoard opens, written without TensorFlow.

A file is a sequence of records: length (uint64), its checksum, an ``Event`` message, its checksum, all
little-endian. Messages are written field by field in protocol buffers' wire format.

Source: TensorFlow's ``core/lib/io/record_writer.h``, ``core/util/event.proto``,
``core/framework/summary.proto``; CRC-32C: RFC 3720, appendix B.4.
"""

from __future__ import annotations

import os
import socket
import struct
import time
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from distnet.paths import written
from distnet.types import Array

_CASTAGNOLI = 0x82F63B78
_MASK_DELTA = 0xA282EAD8
_BINS = 30
_DT_STRING = 7


def _table() -> tuple[int, ...]:
    entries = []
    for entry in range(256):
        for _ in range(8):
            entry = (entry >> 1) ^ (_CASTAGNOLI if entry & 1 else 0)
        entries.append(entry)
    return tuple(entries)


_TABLE = _table()


def crc32c(data: bytes) -> int:
    """The CRC-32C (Castagnoli) checksum.

    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


def masked_crc32c(data: bytes) -> int:
    """The checksum as records hold it: rotated and shifted, because the data may itself contain checksums."""
    crc = crc32c(data)
    return (((crc >> 15) | (crc << 17)) + _MASK_DELTA) & 0xFFFFFFFF


def record(data: bytes) -> bytes:
    """``data`` framed as one record."""
    length = struct.pack("<Q", len(data))
    return b"".join((length, _checksum(length), data, _checksum(data)))


class EventFile:
    """A new event file in a folder, which is created; ``flush`` writes the file.

    Args:
        folder: TensorBoard calls it a run.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        with written("TensorBoard", folder):
            Path(folder).mkdir(parents=True, exist_ok=True)
        name = f"events.out.tfevents.{time.time():.6f}.{socket.gethostname()}.{os.getpid()}.v2"
        self._path = Path(folder) / name
        self._pending = bytearray()
        self._write(_bytes(3, b"brain.Event:2"))

    def scalar(self, tag: str, value: float, step: int) -> None:
        """Add one number."""
        self._summary(tag, _packed(2, "<f", value), step)

    def histogram(self, tag: str, values: Array, step: int) -> None:
        """Add a histogram of 30 equal bins; values that are not finite are left out."""
        finite = np.asarray(values, np.float64).ravel()
        finite = finite[np.isfinite(finite)]
        if not finite.size:
            return
        counts, edges = np.histogram(finite, _BINS)
        moments = (finite.min(), finite.max(), finite.size, finite.sum(), np.square(finite).sum())
        numbers = b"".join(_packed(field, "<d", value) for field, value in enumerate(moments, 1))
        limits = _bytes(6, edges[1:].astype("<f8").tobytes())
        self._summary(tag, _bytes(5, numbers + limits + _bytes(7, counts.astype("<f8").tobytes())), step)

    def image(self, tag: str, pixels: Array, step: int) -> None:
        """Add an image, (H, W) bytes, in shades of grey."""
        height, width = pixels.shape
        size = _integer(1, height) + _integer(2, width) + _integer(3, 1)
        self._summary(tag, _bytes(4, size + _bytes(4, _png(pixels))), step)

    def text(self, tag: str, text: str, step: int, plugin: str, content: bytes) -> None:
        """Add a string for one of TensorBoard's plugins, with the plugin's own data."""
        tensor = _integer(1, _DT_STRING) + _bytes(2, b"") + _bytes(8, text.encode())
        metadata = _bytes(1, _bytes(1, plugin.encode()) + _bytes(2, content))
        self._summary(tag, _bytes(8, tensor) + _bytes(9, metadata), step)

    def flush(self) -> None:
        """Write what was added since the last flush; in between the file is closed, whatever interrupts training."""
        with written("TensorBoard", self._path), self._path.open("ab") as file:
            file.write(self._pending)
        self._pending.clear()

    def _summary(self, tag: str, value: bytes, step: int) -> None:
        self._write(_integer(2, step) + _bytes(5, _bytes(1, _bytes(1, tag.encode()) + value)))

    def _write(self, event: bytes) -> None:
        self._pending += record(_packed(1, "<d", time.time()) + event)


def _checksum(data: bytes) -> bytes:
    return struct.pack("<I", masked_crc32c(data))


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def _integer(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _packed(field: int, layout: str, value: float) -> bytes:
    """A float (``<f``) or double (``<d``)."""
    return _varint(field << 3 | (5 if layout == "<f" else 1)) + struct.pack(layout, value)


def _bytes(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _png(pixels: Array) -> bytes:
    """A PNG file of (H, W) bytes."""
    height, width = pixels.shape
    rows = np.zeros((height, width + 1), np.uint8)
    rows[:, 1:] = pixels
    chunks: Sequence[tuple[bytes, bytes]] = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows.tobytes())),
        (b"IEND", b""),
    )
    parts = (struct.pack(">I", len(d)) + kind + d + struct.pack(">I", zlib.crc32(kind + d)) for kind, d in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)
