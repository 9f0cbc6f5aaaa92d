"""What watches over a rank while it joins."""

from __future__ import annotations

import secrets
import subprocess
import sys
import time
from pathlib import Path

import pytest

JOINING = """
import mmap, os, signal, sys, time
from distnet.comm.siblings import watched_siblings
from distnet.launcher import Launcher

with watched_siblings(Launcher("a launcher", 0, 2, "NO_SUCH_VARIABLE"), 60):
    descriptor = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
    os.truncate(descriptor, 4096)
    mapped = mmap.mmap(descriptor, 4096)
    time.sleep(float(sys.argv[2]))
    os.killpg(0, signal.SIGKILL)
"""


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="this system has no /dev/shm")
def test_of_a_rank_that_is_killed_with_its_group_while_it_joins_mpis_memory_loses_its_name():
    path = Path("/dev/shm", f"mpich_shm_{secrets.token_hex(6)}_0")
    command = [sys.executable, "-c", JOINING, str(path), "0.5"]
    try:
        assert subprocess.run(command, start_new_session=True, check=False).returncode == -9
        until = time.monotonic() + 20
        while path.exists() and time.monotonic() < until:
            time.sleep(0.02)
        assert not path.exists()
    finally:
        path.unlink(missing_ok=True)
