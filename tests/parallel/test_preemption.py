"""A job that is told to end saves itself at its next step, and leaves with the code that asks for a restart."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

PROGRAM = Path(__file__).parent / "programs" / "long_training.py"
RUN = Path(__file__).parents[2] / "launch" / "run.sh"
EPOCHS = 60


@pytest.fixture(scope="module")
def whole(ranks, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    ranks(1).run(PROGRAM, folder, EPOCHS, 0).succeeded()
    return load(folder)


def load(folder):
    with np.load(folder / "end.npz") as found:
        return dict(found)


def assert_same(found, expected):
    assert list(found) == list(expected)
    for key, values in expected.items():
        np.testing.assert_allclose(found[key], values, rtol=0, atol=1e-10, err_msg=key)


def rank_of(folder, rank):
    return int((folder / f"rank{rank}").read_text())


def wait_for_a_backup(path, job):
    before = path.stat().st_mtime_ns if path.exists() else 0
    while (path.stat().st_mtime_ns if path.exists() else 0) == before:
        assert job.poll() is None
        time.sleep(0.005)


@pytest.mark.parametrize(
    ("first", "then", "told"), [(3, 2, "launcher"), (2, 1, "rank 1")], ids=["launcher told", "rank 1 told"]
)
def test_a_job_told_to_end_goes_on_elsewhere(ranks, whole, tmp_path, first, then, told):
    job = ranks(first).start(PROGRAM, tmp_path, EPOCHS, 7, env={"DISTNET_STOP_SIGNALS": "TERM, sigusr1"})
    job.wait_for(tmp_path / "backup" / "latest.h5")
    if told == "launcher":
        os.kill(job.process.pid, signal.SIGUSR1)
    else:
        os.kill(rank_of(tmp_path, 1), signal.SIGTERM)
    ended = job.wait(30)
    assert ended.returncode == 75, ended
    by = " by SIGUSR1" if told == "launcher" else ""
    assert (
        f"the job was told to end{by}: its training is saved in {tmp_path}/backup/latest.h5, at epoch" in ended.stdout
    )
    assert not (tmp_path / "end.npz").exists()
    ranks(then).run(PROGRAM, tmp_path, EPOCHS, 7).succeeded()
    assert_same(load(tmp_path), whole)


def test_run_sh_starts_a_job_again_that_was_killed_or_told_to_end(whole, tmp_path):
    command = [str(RUN), "-n", "2", "--max-restarts", "3", str(PROGRAM), str(tmp_path), str(EPOCHS), "7"]
    environment = {**os.environ, "PYTHON": sys.executable, "DISTNET_KERNELS": "numpy"}
    job = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    try:
        for stop in (signal.SIGKILL, signal.SIGTERM):
            wait_for_a_backup(tmp_path / "backup" / "latest.h5", job)
            os.kill(rank_of(tmp_path, 1), stop)
        said = job.communicate(timeout=60)[1]
    finally:
        job.terminate()
    assert job.returncode == 0, said
    assert "restart 2 of 3" in said
    assert_same(load(tmp_path), whole)
