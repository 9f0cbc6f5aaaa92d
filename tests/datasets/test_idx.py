from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from distnet.datasets.idx import read_idx
from distnet.errors import DatasetError

IMAGES = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
ENCODED = struct.pack(">HBB3I", 0, 8, 3, 2, 3, 4) + IMAGES.tobytes()


@pytest.mark.parametrize("encode", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_an_array_is_read_with_its_shape(tmp_path, encode):
    path = tmp_path / "images"
    path.write_bytes(encode(ENCODED))
    images = read_idx(path, (2, 3, 4))
    np.testing.assert_array_equal(images, IMAGES)
    assert images.dtype == np.uint8
    assert images.flags.writeable


DAMAGED = {
    "empty": (b"", "found header nothing"),
    "short header": (ENCODED[:9], "expected an IDX file"),
    "other shape": (struct.pack(">HBB3I", 0, 8, 3, 9, 3, 4) + IMAGES.tobytes(), "expected an IDX file"),
    "floats": (struct.pack(">HBB3I", 0, 13, 3, 2, 3, 4) + IMAGES.tobytes(), "expected an IDX file"),
    "truncated": (ENCODED[:-5], "expected 24 bytes of data, found only 19"),
    "too long": (ENCODED + b"x", "expected 24 bytes of data, found more"),
    "truncated gzip": (gzip.compress(ENCODED)[:-12], "cannot be read"),
    "damaged gzip": (gzip.compress(ENCODED)[:-8] + bytes(8), "cannot be read"),
    "gzip of rubbish": (b"\x1f\x8b" + bytes(40), "cannot be read"),
    "not even idx": (b"<html>503 Service Unavailable</html>", "expected an IDX file"),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_a_damaged_file_is_named_with_what_was_expected(tmp_path: Path, case: str):
    content, message = DAMAGED[case]
    path = tmp_path / "train-images"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=message) as caught:
        read_idx(path, (2, 3, 4))
    assert str(caught.value).count(str(path)) == 1
    assert str(caught.value).count("Copy or download") == 1


def test_a_missing_file_is_a_dataset_error(tmp_path):
    with pytest.raises(DatasetError, match="cannot be read"):
        read_idx(tmp_path / "none", (1,))
