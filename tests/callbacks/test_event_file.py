"""Event files byte by byte, against the formats' definitions."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest

from distnet.callbacks.event_file import EventFile, crc32c, masked_crc32c, record

KNOWN = [
    (b"", 0x00000000),
    (b"123456789", 0xE3069283),
    (bytes(32), 0x8A9136AA),
    (b"\xff" * 32, 0x62A8AB43),
    (bytes(range(32)), 0x46DD794E),
    (bytes(range(31, -1, -1)), 0x113FDB5C),
]
"""RFC 3720, appendix B.4, and the check value of the CRC catalogues."""


@pytest.mark.parametrize(("data", "checksum"), KNOWN)
def test_the_checksum_is_that_of_the_standard(data, checksum):
    assert crc32c(data) == checksum


def test_a_record_is_length_checksum_data_checksum():
    framed = record(b"abc")
    assert struct.unpack("<QI3sI", framed) == (3, masked_crc32c(struct.pack("<Q", 3)), b"abc", masked_crc32c(b"abc"))
    rotated = ((crc32c(b"abc") >> 15) | (crc32c(b"abc") << 17)) + 0xA282EAD8
    assert masked_crc32c(b"abc") == rotated % 2**32


def events(folder):
    (path,) = folder.iterdir()
    data, found = path.read_bytes(), []
    while data:
        (length,) = struct.unpack("<Q", data[:8])
        assert data[: length + 16] == record(data[12 : 12 + length])
        found.append(data[12 : 12 + length])
        data = data[length + 16 :]
    return found


def test_a_scalar_is_an_event_with_time_step_tag_and_value(tmp_path):
    file = EventFile(tmp_path / "run")
    file.scalar("loss", 0.5, 300)
    file.flush()
    version, scalar = events(tmp_path / "run")
    assert version[9:] == b"\x1a\x0dbrain.Event:2"
    assert (version[0], scalar[0]) == (0x09, 0x09)
    assert 1.6e9 < struct.unpack("<d", scalar[1:9])[0] < 1e10
    assert scalar[9:] == b"\x10\xac\x02\x2a\x0d\x0a\x0b\x0a\x04loss\x15\x00\x00\x00\x3f"


def test_an_image_is_a_png(tmp_path):
    image = pytest.importorskip("PIL.Image", reason="reads PNG")
    pixels = np.arange(12, dtype=np.uint8).reshape(3, 4) * 20
    file = EventFile(tmp_path)
    file.image("w", pixels, 0)
    file.flush()
    event = events(tmp_path)[1]
    np.testing.assert_array_equal(np.asarray(image.open(io.BytesIO(event[event.index(b"\x89PNG") :]))), pixels)
