"""launch/slurm.sbatch, with scripts in the place of Slurm's commands: what it asks of Slurm, and when."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("mpirun")

ROOT = Path(__file__).parents[2]
SCRIPT = "import os, sys, time\nopen(sys.argv[1], 'w').close()\n"
SAVES_ITSELF = "import signal\nsignal.signal(signal.SIGUSR1, lambda *_: os._exit(75))\n" + SCRIPT + "time.sleep(30)\n"
FAILS = SCRIPT + "sys.exit(3)\n"
ENDS = SCRIPT


@pytest.fixture
def slurm(tmp_path: Path):
    """Starts the batch script on one rank in a job of this state; ``asked`` is what scontrol is asked."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, text in {"scontrol": 'echo "$@" >> "$ASKED"', "squeue": 'echo "$STATE"'}.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)

    def start(program: str, state: str = "RUNNING") -> subprocess.Popen[str]:
        path = tmp_path / "program.py"
        path.write_text(program)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SLURM_")}
        environment = {
            **{**kept, "PATH": f"{folder}:{os.environ['PATH']}", "PYTHON": sys.executable, "STATE": state},
            **{"ASKED": str(tmp_path / "asked"), "SLURM_NTASKS": "1", "SLURM_JOB_ID": "12"},
        }
        command = ["bash", "launch/slurm.sbatch", str(path), str(tmp_path / "begun")]
        return subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)

    return start


def told(job: subprocess.Popen[str], tmp_path: Path, number: signal.Signals | None = None) -> tuple[int, str]:
    """The exit code, and what scontrol was asked, of a job that gets a signal once it has begun."""
    deadline = time.monotonic() + 30
    while number is not None and not (tmp_path / "begun").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    if number is not None:
        job.send_signal(number)
    said = job.communicate(timeout=40)[1]
    assert job.returncode is not None, said
    asked = tmp_path / "asked"
    return job.returncode, asked.read_text() if asked.exists() else ""


@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGTERM])
def test_a_job_that_saved_itself_is_queued_again(slurm, tmp_path, number):
    assert told(slurm(SAVES_ITSELF), tmp_path, number) == (75, "requeue 12\n")


def test_a_job_that_its_user_cancels_is_not(slurm, tmp_path):
    assert told(slurm(SAVES_ITSELF, state="COMPLETING"), tmp_path, signal.SIGTERM) == (75, "")


def test_a_job_whose_time_is_over_before_it_trains_is_queued_again(slurm, tmp_path):
    code, asked = told(slurm(SCRIPT + "time.sleep(30)\n"), tmp_path, signal.SIGUSR1)
    assert code not in (0, 75)
    assert asked == "requeue 12\n"


@pytest.mark.parametrize(("program", "code"), [(ENDS, 0), (FAILS, 3)])
def test_a_job_that_ends_by_itself_is_not_queued_again(slurm, tmp_path, program, code):
    assert told(slurm(program), tmp_path) == (code, "")
