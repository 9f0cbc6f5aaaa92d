"""One of several processes does a work, and the others wait for it; what failed each does by itself."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROCESSES = """
import os, sys, time
from distnet.comm.once_a_node import TABLE_BYTES, OnceANode

path = f"/proc/{os.getpid()}/fd/{os.memfd_create('table')}"
os.truncate(path, 10 + TABLE_BYTES)
began, told = os.pipe()

def work(rank):
    table = OnceANode(lambda: os.open(path, os.O_RDWR), 10)
    for number in range(60):
        with table.done(b"well %d" % number) as is_done:
            is_done or os.write(told, b"w%d\\n" % number)
    for _ in range(2):
        try:
            with table.done(b"ill") as is_done:
                assert not is_done
                os.write(told, b"ill\\n")
                raise ValueError
        except ValueError:
            pass
    with table.done(b"deadly") as is_done:
        is_done or os.write(told, b"deadly\\n")
        time.sleep(0.05)
        if rank == 0:
            os._exit(0)  # while the others wait

children = []
for rank in range(4):
    if rank == 1:
        time.sleep(0.02)
    child = os.fork()
    if child == 0:
        work(rank)
        os._exit(0)
    children.append(child)
for child in children:
    assert os.waitpid(child, 0)[1] == 0
os.close(told)
sys.stdout.write(os.fdopen(began).read())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="this system has no memfd_create")
def test_a_work_is_done_once_and_one_that_fails_by_each():
    job = subprocess.run([sys.executable, "-c", PROCESSES], capture_output=True, text=True, timeout=60, check=False)
    assert job.returncode == 0, job.stderr
    works = job.stdout.split()
    assert sorted(set(works)) == sorted({*(f"w{number}" for number in range(60)), "ill", "deadly"})
    assert works.count("ill") == 8
    assert works.count("deadly") <= 2  # of the one that died, and of one of the others
    assert all(works.count(f"w{number}") == 1 for number in range(60))
