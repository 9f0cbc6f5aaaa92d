"""``distnet run``: ranks that end, each in its own way, are named with the cause; their output tells them apart."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from distnet.commands import rank_process
from distnet.errors import Preempted
from jobs import LAUNCHERS, SETTINGS, mpiexec

ENDING = """
import os, random, signal, sys, time
import numpy as np
drawn = np.random.rand(3).tolist(), random.random(), list({"a", "b", "c", "d", "e"})
import distnet as keras
from distnet import comm
print("drew", drawn, sys.argv[1:], flush=True)
sys.stderr.write(f"rank {keras.distribution.rank()} is here\\n")
keras.distribution.barrier()
how = sys.argv[1]
if keras.distribution.rank() == 1:
    if how == "raises":
        raise ValueError("boom")
    if how == "os._exit":
        os._exit(0)
    if how != "ends":
        os.kill(os.getpid(), getattr(signal, how))
if how != "ends":
    keras.distribution.barrier()
"""

BEFORE = """
import os, sys
if os.environ.get("PMI_RANK", os.environ.get("OMPI_COMM_WORLD_RANK")) == "1":
    exec(sys.argv[1])
import distnet as keras
keras.distribution.barrier()
"""

pytestmark = pytest.mark.usefixtures("mpirun")


def run(path, *arguments, options=(), ranks=2):
    """``distnet run``, in an environment without another launcher's variables."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(LAUNCHERS) and k not in SETTINGS}
    command = [sys.executable, "-m", "distnet", "run", "-n", str(ranks), "--mpirun", mpiexec()[0], *options]
    return subprocess.run(
        [*command, str(path), *map(str, arguments)],
        env={**kept, "DISTNET_KERNELS": "numpy"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def ending(tmp_path):
    path = tmp_path / "ending.py"
    path.write_text(ENDING)
    return path


def test_every_rank_draws_the_same_and_its_lines_begin_with_its_number(ending):
    done = run(ending, "ends", "-n", 9, options=["--prefix"])
    assert done.returncode == 0, done.stderr
    ranks, said = zip(*(line.split(" ", 1) for line in done.stdout.splitlines()), strict=True)
    assert set(ranks) == {"[0]", "[1]"}
    assert len(set(said)) == 1
    assert said[0].endswith("['ends', '-n', '9']")
    assert sorted(done.stderr.splitlines()) == ["[0] rank 0 is here", "[1] rank 1 is here"]


def test_a_seed_is_kept_and_output_goes_to_a_file_for_each_rank(ending, tmp_path):
    for folder in ("a", "b"):
        done = run(ending, "ends", options=["--seed", "5", "--output", str(tmp_path / folder)])
        assert (done.returncode, done.stdout) == (0, ""), done
    files = [tmp_path / folder / f"rank-{rank}.log" for folder in "ab" for rank in (0, 1)]
    drawn = {line for path in files for line in path.read_text().splitlines() if line.startswith("drew")}
    assert len(drawn) == 1
    assert "rank 1 is here" in files[1].read_text()


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("SIGKILL", "was ended by SIGKILL. Something outside of it did so"),
        ("SIGSEGV", "was ended by SIGSEGV. A library crashed"),
        ("os._exit", "the program of rank 1 has ended"),
        ("SIGSTOP", "was stopped by SIGSTOP"),
    ],
)
def test_a_rank_that_cannot_say_how_it_ended_is_named(ending, how, told):
    done = run(ending, how, options=["--timeout", "2"])
    assert done.returncode != 0
    assert "distnet run: rank 1 of 2 (process" in done.stderr or how in ("SIGSTOP", "os._exit")
    assert told in done.stderr
    assert "distnet run: rank 0" not in done.stderr


def test_a_rank_that_raises_says_so_itself_and_its_traceback_is_its_programs(ending):
    done = run(ending, "raises")
    assert done.returncode != 0
    assert "distnet: rank 1 of 2 failed; the job ends." in done.stderr
    assert f'Traceback (most recent call last):\n  File "{ending}", line ' in done.stderr
    assert "distnet run: " not in done.stderr


@pytest.mark.parametrize(
    ("does", "told"),
    [
        ("raise LookupError('early')", "LookupError: early"),
        ("os._exit(3)", "rank 1 of 2 (process"),
        ("os.kill(os.getpid(), 9)", "rank 1 of 2 (process"),
        ("sys.exit(3)", "ended its program with exit code 3"),
    ],
)
def test_a_rank_that_ends_before_it_imports_distnet_ends_the_job(tmp_path, does, told):
    path = tmp_path / "before.py"
    path.write_text(BEFORE)
    done = run(path, does)
    assert done.returncode != 0
    assert told in done.stderr


def test_a_module_runs_with_its_own_workers(tmp_path):
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "part.py").write_text(
        "import multiprocessing, sys\n"
        "def double(x): return 2 * x\n"
        "if __name__ == '__main__':\n"
        "    with multiprocessing.get_context('spawn').Pool(1) as pool:\n"
        "        print(__file__, pool.map(double, [1, 2]), sys.argv[1:])\n"
    )
    kept = {k: v for k, v in os.environ.items() if not k.startswith(LAUNCHERS)}
    for what in (["-m", "package.part"], ["package/part.py"]):
        command = [sys.executable, "-m", "distnet", "run", "-n", "1", *what, "--rest"]
        done = subprocess.run(command, env=kept, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        assert done.stdout.endswith("part.py [2, 4] ['--rest']\n")


def test_the_watching_process_knows_the_code_of_a_saved_training():
    assert rank_process.SAVED == Preempted.EXIT_CODE
