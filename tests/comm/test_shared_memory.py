"""Memory of several processes."""

import os
import subprocess
import sys

import numpy as np
import pytest

from distnet.comm.shared_memory import SharedMemory, let_go_of

pytestmark = pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="this system has no memory files")

WRITE = """
import sys
import numpy as np
from distnet.comm.shared_memory import SharedMemory
memory = SharedMemory.opened(sys.argv[1], int(sys.argv[2]), sys.argv[3])
memory.array(np.dtype(np.float32))[1] = 7
"""


def test_another_process_writes_what_this_one_reads():
    memory = SharedMemory.of_size(3 * 4)
    array = memory.array(np.dtype(np.float32))
    assert array.tolist() == [0, 0, 0]
    subprocess.run([sys.executable, "-c", WRITE, memory.path, str(memory.size), memory.name], check=True, timeout=60)
    memory.close()
    assert array.tolist() == [0, 7, 0]
    assert not os.path.exists(memory.path)


def test_memory_in_large_pages_is_shared_zeroed_and_begins_where_a_page_may():
    memory = SharedMemory.of_size((3 << 20) + 4)
    memory.enlarge_pages()
    array = memory.array(np.dtype(np.float32))
    assert array.nbytes == memory.size
    assert not array.any()
    assert array.ctypes.data % (1 << 21) == 0
    subprocess.run([sys.executable, "-c", WRITE, memory.path, str(memory.size), memory.name], check=True, timeout=60)
    memory.close()
    assert array[:3].tolist() == [0, 7, 0]
    assert not array[3:].any()


def mapped_kb():
    """Of shared memory that counts as this process's."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("RssShmem:"))


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="this system does not tell what is mapped")
def test_what_is_let_go_of_is_not_mapped_and_is_not_lost():
    memory = SharedMemory.of_size(16 << 20)
    array = memory.array(np.dtype(np.float32))
    before = mapped_kb()
    array[...] = np.arange(array.size)
    assert mapped_kb() - before > 15_000
    part = array[1000:-1000]
    let_go_of(part[::1])
    assert mapped_kb() - before < 1_000
    assert np.array_equal(array, np.arange(array.size, dtype=np.float32))
    assert mapped_kb() - before > 15_000
    memory.close()


def test_what_is_not_shared_stays_as_it_is():
    own = np.arange(1 << 20)
    for array in (own, own[5:], own[:0], np.zeros((3, 4)).T):
        before = array.copy()
        let_go_of(array)
        assert np.array_equal(array, before)


def test_what_lies_there_for_another_process_is_not_taken_for_it():
    memory, other = SharedMemory.of_size(8), SharedMemory.of_size(8)
    with pytest.raises(OSError, match=f"expected the memory {memory.name}, received /memfd:{other.name}"):
        SharedMemory.opened(other.path, 8, memory.name)
    for one in (memory, other):
        one.close()


def test_a_limit_on_the_size_of_files_holds():
    program = """
import resource
from distnet.comm.shared_memory import SharedMemory
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    SharedMemory.of_size(1001)
except OSError as error:
    print(error)
"""
    found = subprocess.run([sys.executable, "-c", program], check=True, timeout=60, capture_output=True, text=True)
    assert "File too large" in found.stdout


def test_systems_without_memory_files_say_so(monkeypatch):
    monkeypatch.delattr(os, "memfd_create")
    with pytest.raises(OSError, match="memfd_create"):
        SharedMemory.of_size(8)
