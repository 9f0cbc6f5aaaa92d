"""A rank that fails before it has joined the job ends it all the same."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

LEAVING = """
import os, sys
import distnet as keras
if sys.argv[1] in ("all", os.environ.get("PMI_RANK", os.environ.get("OMPI_COMM_WORLD_RANK"))):
    sys.exit(int(sys.argv[2]))
keras.distribution.barrier()
"""

EARLY = """
import os, sys
import distnet as keras
if sys.argv[1] in ("all", os.environ.get("PMI_RANK", os.environ.get("OMPI_COMM_WORLD_RANK"))):
    open("/nowhere/table.csv")
keras.distribution.barrier()
"""


def test_a_rank_that_fails_before_the_first_call_ends_the_job_by_name(ranks):
    job = ranks(3).run(EARLY, "1", timeout=40)
    job.failed("distnet: rank 1 of 3 failed; the job ends.", "FileNotFoundError", "/nowhere/table.csv")


def test_an_error_of_all_ranks_ends_the_job(ranks):
    ranks(3).run(EARLY, "all", timeout=40).failed("of 3 failed; the job ends.", "FileNotFoundError")


def test_a_process_alone_fails_as_python_does(alone):
    job = alone.run(EARLY, "all").failed("FileNotFoundError")
    assert job.returncode == 1
    assert "distnet: rank" not in job.stderr


@pytest.mark.parametrize("code", [0, 3])
def test_a_rank_that_leaves_before_the_first_call_ends_the_job(ranks, code):
    job = ranks(3).run(LEAVING, "1", code, timeout=40)
    job.failed("CommunicationError", "the program of rank 1 has ended before its first distnet call")


@pytest.mark.parametrize("code", [0, 2])
def test_ranks_that_all_leave_keep_their_exit_code(ranks, code):
    job = ranks(3).run(LEAVING, "all", code, timeout=40)
    assert job.returncode == code, job
    assert "distnet" not in job.stderr  # Open MPI tells of every exit code but 0


BEFORE = """
import os, sys
if os.environ.get("PMI_RANK", os.environ.get("OMPI_COMM_WORLD_RANK")) == "1":
    {ends}
import distnet as keras
keras.distribution.barrier()
"""

AT_ONCE = """
import os, sys
import numpy as np, distnet as keras
when, rank = sys.argv[1], keras.distribution.rank()
class Trap(keras.layers.Layer):
    steps = 0
    def call(self, x):
        self.steps += 1
        if when == "within" and rank == 1 and self.steps == 8:
            os._exit(0)
        return x
if when == "before" and rank == 1:
    os._exit(0)
model = keras.Sequential([keras.Input((2,)), Trap(), keras.layers.Dense(1)])
model.compile("sgd", "mse", run_eagerly=True)
model.fit(np.ones((80, 2)), np.ones((80, 1)), batch_size=8, epochs=2, verbose=0)
os._exit(0)
"""

LATE_TO_LEAVE = """
import os, time
import distnet as keras
from distnet.comm.neighbours import Neighbours
leave = Neighbours.leave_together
def late(self):
    time.sleep(2)
    leave(self)
if keras.distribution.rank() == 1:
    Neighbours.leave_together = late
os._exit(0)
"""

AT_THE_SAME_TIME = """
import threading, numpy as np, distnet as keras
def fit():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(np.ones((80, 2)), np.ones((80, 1)), epochs=200, batch_size=8, verbose=0)
threads = [threading.Thread(target=fit) for _ in range(2)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
fit()
"""


LATE = """
import os, signal, sys, time
if os.environ.get("PMI_RANK", os.environ.get("OMPI_COMM_WORLD_RANK")) == "1":
    if sys.argv[1] == "stopped":
        os.kill(os.getpid(), signal.SIGSTOP)
    time.sleep(100)
import distnet as keras
keras.distribution.barrier()
"""

THREAD = """
import signal, threading, time
import distnet as keras
signal.signal(signal.SIGTERM, lambda *_: None)
def read():
    raise LookupError("no more rows")
keras.distribution.barrier()
if keras.distribution.rank() == 1:
    threading.Thread(target=read, name="reader").start()
time.sleep(100)
"""


@pytest.mark.parametrize(("how", "told"), [("late", "has not come"), ("stopped", "is stopped, as by SIGSTOP")])
def test_a_rank_that_does_not_join_in_time_is_named(ranks, how, told):
    job = ranks(2).run(LATE, how, timeout=60, env={"DISTNET_TIMEOUT_S": "3"})
    job.failed("rank 0 of 2 has waited 3 s in MPI_Init", "rank 1 (process", told, "Let every rank", within=60)


def test_an_error_that_ends_a_thread_of_one_rank_ends_the_job(ranks):
    job = ranks(2).run(THREAD, timeout=60)
    job.failed("rank 1 of 2 failed", "no more rows", "It ended the thread reader", within=60)


@pytest.mark.parametrize("ends", ["sys.exit(0)", "open('/nowhere/table.csv')"])
def test_a_rank_that_ends_before_it_imports_distnet_is_named(ranks, ends):
    ranks(3).run(BEFORE.format(ends=ends), timeout=60).failed(
        "rank 1", "ended before its first distnet call", within=60
    )


@pytest.mark.parametrize("program", [EARLY, LEAVING], ids=["fails", "leaves"])
def test_a_rank_below_a_script_that_ends_early_is_named(ranks, tmp_path, program):
    path = tmp_path / "program.py"
    path.write_text(program, encoding="utf-8")
    command = ["sh", "-c", '"$@"; exit $?', "sh", sys.executable, str(path), "1", "0"]
    script = f"import os\nos.execvp('sh', {command!r})\n"
    ranks(2).run(script, timeout=60).failed("rank 1", within=60)


@pytest.mark.parametrize("when", ["before", "within"])
def test_an_exit_at_once_on_one_rank_ends_the_job_by_name(ranks, when):
    job = ranks(2).run(AT_ONCE, when, timeout=60)
    job.failed("CommunicationError", "the program of rank 1 has ended", within=60)


def test_ranks_that_all_exit_at_once_end_well(ranks):
    ranks(2).run(AT_ONCE, "at the end", timeout=60).succeeded()


def test_a_rank_that_is_slow_to_leave_mpi_ends_well(ranks):
    """MPICH's launcher kills it where another rank's process is gone before."""
    for _ in range(3):
        ranks(2).run(LATE_TO_LEAVE, timeout=60).succeeded()


def test_two_threads_that_train_at_once_are_told(ranks):
    ranks(2).run(AT_THE_SAME_TIME, timeout=60).failed("two threads call distnet at once", within=60)


def test_processes_that_a_rank_starts_work_alone(ranks):
    program = Path(__file__).parent / "programs" / "started_processes.py"
    ranks(2).run(program, "subprocess", "spawn", "fork", "raw", timeout=110).succeeded()


LATER = """
import multiprocessing, os, sys
def alone(_):
    import distnet
    return distnet.distribution.size()
with multiprocessing.get_context("fork").Pool(2) as pool:
    sizes = pool.map(alone, range(2))
import distnet
os.environ.clear()
sys.stdout.write(f"{sizes} {distnet.distribution.size()}\\n")
"""


def test_processes_forked_before_the_rank_imports_distnet_work_alone_and_it_remembers_its_launcher(ranks):
    """The rank clears its environment before it joins, too."""
    assert ranks(2).run(LATER).succeeded().stdout == "[1, 1] 2\n" * 2


FORKED_EARLY = """
import os
reads, writes = os.pipe()
child = os.fork()
if not child:
    os.read(reads, 1)
import distnet
distnet.distribution.barrier()
os.write(writes, b".")
os.waitpid(child, 0)
"""


def test_a_process_forked_before_the_import_that_joins_as_its_parents_rank_is_told_the_remedy(ranks):
    ranks(2).run(FORKED_EARLY).failed("LaunchError: this process", "another one has joined", "before you fork")


def test_a_call_after_the_program_has_ended_fails_in_distnets_words(ranks):
    program = (
        "import distnet as keras\n"
        "class Late:\n"
        "    def __del__(self):\n"
        "        keras.distribution.barrier()\n"
        "late = Late()\n"
        "keras.distribution.barrier()\n"
    )
    job = ranks(2).run(program).succeeded()
    assert "CommunicationError: rank 1: the program has ended, and the ranks have left MPI" in job.stderr


def test_a_program_that_a_rank_starts_is_no_rank_and_a_rank_has_no_other_children(ranks):
    program = (
        "import os, subprocess, sys, distnet as keras\n"
        "keras.distribution.barrier()\n"
        "subprocess.run([sys.executable, '-c', 'import distnet'], check=True)\n"
        "try:\n"
        "    sys.exit(f'a child: {os.waitpid(-1, os.WNOHANG)}')\n"
        "except ChildProcessError:\n"
        "    keras.distribution.barrier()\n"
    )
    assert not ranks(2).run(program).succeeded().stderr


def test_where_standard_error_is_closed_ranks_work_and_no_process_is_left(ranks):
    program = (
        "import os, sys\n"
        "if sys.stderr is not None:\n"
        "    os.close(2)\n"
        "    os.execv(sys.executable, [sys.executable, *sys.argv])\n"
        "import distnet as keras\n"
        "keras.distribution.barrier()\n"
    )
    job = ranks(2).start(program)
    assert job.process.wait(60) == 0
    assert not job.left()
    job.kill()
