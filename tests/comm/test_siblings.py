"""What watches over a rank while it joins."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from distnet.comm.joining_marks import Joining

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


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="this system has no /proc")
def test_two_ranks_of_a_machine_watch_for_all_and_others_take_the_place_of_those_that_end():
    ranks = [Joining(os.getpid(), rank) for rank in range(4)]
    assert [rank.watches for rank in ranks] == [True, True, False, False]
    assert [ranks[0].is_joining(rank) for rank in range(5)] == [True, True, True, True, False]
    ranks[1].leave()
    ranks[1].leave_watch()
    later = Joining(os.getpid(), 4)
    assert later.watches
    assert [later.is_joining(rank) for rank in range(5)] == [True, False, True, True, True]
    for rank in (*ranks, later):
        rank.leave()
        rank.leave_watch()


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="this system has no /proc")
def test_a_rank_is_known_to_join_though_another_one_asks_for_it_just_then(monkeypatch):
    watcher, joining = Joining(os.getpid(), 0), []

    class Asking(socket.socket):
        def close(self):
            if not joining:
                joining.append(None)  # it may close a socket, too
                joining.append(Joining(os.getpid(), 1))
            super().close()

    with monkeypatch.context() as patched:
        patched.setattr(socket, "socket", Asking)
        watcher.is_joining(1)
    assert watcher.is_joining(1)
    for each in (watcher, joining[-1]):
        each.leave()
        each.leave_watch()


def test_every_rank_watches_where_the_launcher_is_not_to_be_seen():
    for rank in range(3):
        joining = Joining(None, rank)
        assert joining.watches
        assert joining.is_first == (rank < 2)
        assert not joining.is_joining(rank)
