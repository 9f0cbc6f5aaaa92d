"""What compiled code, and the library that loads it, leave in memory."""

import ctypes
import importlib.util
import mmap
import re
from pathlib import Path

import numpy as np
import pytest

from distnet import kernels
from distnet.kernels.unmapping import unmap_code
from kernel_sets import NEEDS_NUMBA

NEEDS_PROC = pytest.mark.skipif(not Path("/proc/self/pagemap").exists(), reason="the system does not list pages")
PAGES = 8


@pytest.fixture
def library(tmp_path):
    """The address and content of a file that is mapped as a library's data: what is written there stays here."""
    content, path = np.random.default_rng(0).bytes(PAGES * mmap.PAGESIZE), tmp_path / "libunmapped.so.1"
    path.write_bytes(content)
    libc = ctypes.CDLL(None)
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
    libc.mmap.restype = ctypes.c_void_p
    with path.open("rb") as file:
        rights = mmap.PROT_READ | mmap.PROT_WRITE
        address = libc.mmap(None, len(content), rights, mmap.MAP_PRIVATE, file.fileno(), 0)
    assert ctypes.string_at(address, len(content)) == content
    yield address, content
    assert libc.munmap(ctypes.c_void_p(address), ctypes.c_size_t(len(content))) == 0


def protect(address, size):
    """Leave no right to write there."""
    assert ctypes.CDLL(None).mprotect(ctypes.c_void_p(address), ctypes.c_size_t(size), mmap.PROT_READ) == 0


def mapped_bytes(name, rights=r"\S+"):
    """What this process has mapped, in memory, of files whose names begin so."""
    sizes = re.findall(
        rf"(?m)^\S+ {rights} .*/{name}\S*\n(?:\w+:.*\n)*?Rss: +(\d+) kB", Path("/proc/self/smaps").read_text()
    )
    return 1024 * sum(map(int, sizes))


@NEEDS_PROC
def test_what_is_as_in_its_file_is_unmapped_and_read_again(library):
    address, content = library
    protect(address, len(content))
    unmap_code("libanother", "libunmapped")
    assert mapped_bytes("libunmapped") == 0
    assert ctypes.string_at(address, len(content)) == content


@NEEDS_PROC
def test_what_a_loader_wrote_stays(library):
    address, content = library
    ctypes.memset(address, 7, 3)
    protect(address, len(content))
    unmap_code("libunmapped")
    assert mapped_bytes("libunmapped") == len(content)
    assert ctypes.string_at(address, len(content)) == b"\7\7\7" + content[3:]


@NEEDS_PROC
def test_what_may_be_written_to_stays(library):
    unmap_code("libunmapped")
    assert mapped_bytes("libunmapped") == len(library[1])


@NEEDS_NUMBA
@NEEDS_PROC
def test_llvms_code_is_mapped_as_far_as_loops_are_loaded_only():
    loaded = kernels.load("numba")
    from distnet.kernels.llvm import unmap_llvm

    rights = "r-xp"
    unmap_llvm()
    assert mapped_bytes("libllvmlite", rights) == 0
    z = loaded.bias_activation(np.ones((2, 3), np.float32), np.ones(3, np.float32), "relu")
    np.testing.assert_array_equal(z, 2)


SOURCE = """
from distnet.kernels.compiling import compiled

@compiled
def twice(x):
    return x + x

@compiled
def twice_and_one(x):
    return twice(x) + 1
"""


@NEEDS_NUMBA
def test_a_loop_from_the_cache_is_compiled_into_another(tmp_path):
    path = tmp_path / "loops_of_a_user.py"
    path.write_text(SOURCE)

    def imported():
        spec = importlib.util.spec_from_file_location("loops_of_a_user", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    assert imported().twice(3) == 6
    again = imported()
    assert again.twice(3) == 6
    assert sum(again.twice.stats.cache_hits.values()) == 1
    assert again.twice_and_one(3) == 7
    assert sum(again.twice_and_one.stats.cache_hits.values()) == 0
    assert imported().twice_and_one(4) == 9
