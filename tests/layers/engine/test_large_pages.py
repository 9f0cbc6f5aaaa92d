"""Arrays in blocks of large pages: apart from each other, and gone when nobody has them."""

import gc
import mmap
import weakref

import numpy as np
import pytest

from distnet.layers.engine import large_pages
from distnet.layers.engine.large_pages import LargePages

SIZES = [300_000, 1, 17, 250_000, 4096, 999_999, 3, 700_000, 1_000_000, 5, 900_000, 64]


def made_by(pages):
    return [pages.empty(n, np.dtype(kind)) for kind in ("float32", "float64", "uint8", "int64") for n in SIZES]


def test_arrays_have_memory_of_their_own():
    arrays = made_by(LargePages())
    for number, array in enumerate(arrays):
        array[:] = number
    for number, array in enumerate(arrays):
        assert (array == number).all()
        assert array.flags.writeable
        assert array.flags.aligned
    assert [len(array) for array in arrays] == SIZES * 4


@pytest.mark.skipif(not hasattr(mmap, "MADV_HUGEPAGE"), reason="this system has no large pages")
def test_small_and_large_arrays_are_numpys_and_a_block_lives_as_long_as_an_array_in_it():
    pages = LargePages()
    first, large = pages.empty(1000, np.dtype("f")), pages.empty(1 << 20, np.dtype("f"))
    assert first.flags.owndata
    assert large.flags.owndata
    inner = [pages.empty(5000, np.dtype("f")) for _ in range(3)]
    assert not any(array.flags.owndata or array.ctypes.data % 64 for array in inner)
    assert inner[0].ctypes.data % (1 << 21) == 0
    block = weakref.ref(pages._block)
    del pages, inner[1:]
    gc.collect()
    assert block() is not None
    del inner
    gc.collect()
    assert block() is None


def test_where_the_system_has_no_large_pages_numpy_gives_the_memory(monkeypatch):
    monkeypatch.delattr(mmap, "MADV_HUGEPAGE", raising=False)
    assert all(array.flags.owndata for array in made_by(LargePages()))


def test_where_there_is_no_memory_for_a_block_numpy_gives_it(monkeypatch):
    monkeypatch.setattr(large_pages, "_BLOCK_BYTES", 1 << 60)
    assert all(array.flags.owndata for array in made_by(LargePages()))
