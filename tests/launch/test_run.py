"""``distnet run``, by way of launch/run.sh: with this environment's mpirun, and scripts that answer like other MPIs."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest

RUN = Path(__file__).parents[2] / "launch" / "run.sh"
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
SET_BY_RUN = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "PYTHONUNBUFFERED", "MPIRUN", "PYTHON")

SCRIPT = """
import os, sys
from mpi4py import MPI
names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "PYTHONUNBUFFERED")
line = [MPI.COMM_WORLD.rank, MPI.COMM_WORLD.size, *(os.environ.get(name) for name in names), *sys.argv[1:]]
os.write(1, ("|".join(map(str, line)) + "\\n").encode())
sys.exit(int(os.environ.get("EXIT", "0")) if MPI.COMM_WORLD.rank == 1 else 0)
"""

VERSIONS = {
    "mpich": "HYDRA build details:\n    Version:  4.2.0",
    "openmpi4": "mpirun (Open MPI) 4.1.6",
    "openmpi5": "mpirun (Open MPI) 5.0.6",
    "prrte": "prterun (PRRTE) 3.0.7",
    "intel": "Intel(R) MPI Library for Linux* OS, Version 2021.13 Build 20240701",
}


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "train it.py"
    path.write_text(SCRIPT)
    return path


@pytest.fixture
def fake(tmp_path: Path) -> Path:
    """An mpirun that answers ``--version`` with $VERSION and else prints its arguments, one a line."""
    folder = tmp_path / "bin"
    folder.mkdir()
    path = folder / "mpirun"
    path.write_text(
        '#!/bin/sh\nif [ "$1" = --version ]; then printf "%s\\n" "$VERSION"; exit 0; fi\n'
        'printf "%s\\n" "OMP=$OMP_NUM_THREADS" "$@"\nexit 5\n'
    )
    path.chmod(0o755)
    return path


def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = (name for name in os.environ if name not in SET_BY_RUN and not name.startswith(("DISTNET_", "SLURM_")))
    inherited = {name: os.environ[name] for name in kept}
    return subprocess.run(
        [str(RUN), *map(str, arguments)],
        env=inherited | {"PYTHON": sys.executable} | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def options_of(fake: Path, flavour: str, *arguments: object, **environment: str) -> list[str]:
    """The options that this mpirun was given, without the program."""
    done = run(*arguments, MPIRUN=str(fake), VERSION=VERSIONS[flavour], **environment)
    assert done.returncode == 5, done.stderr
    lines = done.stdout.splitlines()
    return lines[: lines.index(sys.executable)]


@pytest.mark.usefixtures("mpirun")
def test_the_script_runs_on_the_ranks_asked_for_with_its_arguments(script):
    done = run("-n", 3, script, "--epochs", 2, "two words", "-n", 9)
    assert done.returncode == 0, done.stderr
    threads = str(max(1, CORES // 3))
    expected = [f"{rank}|3|{threads}|{threads}|1|--epochs|2|two words|-n|9" for rank in range(3)]
    assert sorted(done.stdout.splitlines()) == expected


@pytest.mark.usefixtures("mpirun")
def test_the_exit_code_is_that_of_the_job(script):
    assert run("-np", 2, script, EXIT="7").returncode == 7


RESTARTED = """
import os, pathlib, signal, sys, time
starts = pathlib.Path(sys.argv[1])
with starts.open("a") as file:
    file.write("x")
number = len(starts.read_text())
if sys.argv[2] == "wait":
    signal.signal(signal.SIGTERM, lambda *args: sys.exit(75))
    starts.with_name("ready").touch()
    time.sleep(30)
code = int(sys.argv[1 + number])
os.kill(os.getpid(), signal.SIGKILL) if code < 0 else sys.exit(code)
"""


@pytest.fixture
def restarted(tmp_path: Path) -> Path:
    path = tmp_path / "restarted.py"
    path.write_text(RESTARTED)
    return path


@pytest.mark.usefixtures("mpirun")
@pytest.mark.parametrize(
    ("most", "codes", "starts", "code"),
    [(5, (75, -9, 1, 0), 4, 0), (1, (3, 4, 0), 2, 4), (0, (75, 0), 1, 75), (3, (0,), 1, 0)],
)
def test_a_job_that_failed_or_saved_itself_is_started_again(restarted, tmp_path, most, codes, starts, code):
    done = run("-n", 1, "--max-restarts", most, restarted, tmp_path / "starts", *codes)
    assert done.returncode == code, done.stderr
    assert len((tmp_path / "starts").read_text()) == starts
    said = [line for line in done.stderr.splitlines() if line.startswith("distnet run: the job")]
    assert len(said) == starts - 1 + (code != 0 and most > 0)
    if starts > 1:
        assert f"restart {starts - 1} of {most}" in done.stderr
    if code and most:
        assert said[-1] == f"distnet run: the job ended with exit code {code} after {starts - 1} restarts."


@pytest.mark.usefixtures("mpirun")
def test_a_job_is_told_to_end_and_not_started_again(restarted, tmp_path):
    command = [str(RUN), "-n", "1", "--max-restarts", "5", str(restarted), str(tmp_path / "starts"), "wait"]
    job = subprocess.Popen(command, env=os.environ | {"PYTHON": sys.executable}, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 20
    while not (tmp_path / "ready").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    job.terminate()
    said = job.communicate(timeout=20)[1]
    assert job.returncode == 75, said
    assert "exit code 75 after 0 restarts" in said
    assert (tmp_path / "starts").read_text() == "x"


@pytest.mark.usefixtures("mpirun")
def test_threads_that_the_user_chose_stay(script):
    done = run("-n", 2, script, OMP_NUM_THREADS="5")
    assert [line.split("|")[2:4] for line in done.stdout.splitlines()] == [["5", "None"]] * 2


def test_without_a_number_there_is_a_rank_for_each_core(fake, script):
    assert options_of(fake, "mpich", script)[:3] == ["OMP=1", "-n", str(CORES)]


@pytest.mark.parametrize("flavour", ["mpich", "intel"])
def test_hydra_needs_no_more_than_the_number_of_ranks(fake, script, flavour):
    assert options_of(fake, flavour, "-n", 4, script)[1:] == ["-n", "4"]


@pytest.mark.parametrize("flavour", ["openmpi4", "openmpi5", "prrte"])
def test_open_mpi_is_allowed_more_ranks_than_cores_and_root(fake, script, flavour):
    options = options_of(fake, flavour, "-n", 4 * CORES, script)
    assert options[1:4] == ["-n", str(4 * CORES), "--oversubscribe"]
    assert ("--allow-run-as-root" in options) == (os.getuid() == 0)
    assert "--bind-to" not in options


def test_open_mpi_5_can_go_on_when_ranks_die(fake, script):
    options = options_of(fake, "openmpi5", "-n", 4, "--elastic", script)
    assert options[options.index("--with-ft") + 1] == "ulfm"
    assert "--with-ft" not in options_of(fake, "openmpi5", "-n", 4, script)


@pytest.mark.parametrize("flavour", ["openmpi4", "mpich", "intel", "prrte"])
def test_no_other_mpi_can(fake, script, flavour):
    done = run("-n", 4, "--elastic", script, MPIRUN=str(fake), VERSION=VERSIONS[flavour])
    assert done.returncode == 1
    assert "--elastic: expected Open MPI 5 or later, received" in done.stderr


def test_open_mpi_does_not_bind_ranks_of_several_threads(fake, script):
    options = options_of(fake, "openmpi5", "-n", 1, script, OMP_NUM_THREADS="2")
    assert options[options.index("--bind-to") + 1] == "none"


def test_open_mpi_hands_settings_on_to_other_machines(fake, script):
    options = options_of(fake, "openmpi5", "-n", 2, script, DISTNET_DATA="/data")
    exported = {options[i + 1] for i, option in enumerate(options) if option == "-x"}
    assert {"OMP_NUM_THREADS", "PYTHONUNBUFFERED", "DISTNET_DATA"} <= exported
    assert "DISTNET_HOME" not in exported


@pytest.mark.parametrize(("flavour", "option"), [("mpich", "-hosts"), ("intel", "-hosts"), ("openmpi5", "--host")])
def test_machines_are_handed_on_and_share_the_ranks(fake, script, flavour, option):
    ranks = 2 * CORES
    options = options_of(fake, flavour, "-n", ranks, "--hosts", "a:4,b:4", script)
    assert options[0] == "OMP=1"
    assert options[options.index(option) + 1] == "a:4,b:4"
    assert "a:3,b:3" in options_of(fake, flavour, "-n", 6, "--hosts", "a,b", script)
    assert options_of(fake, flavour, "-n", 2, "--hosts", "a,b", script)[0] == f"OMP={CORES}"


@pytest.mark.parametrize(("flavour", "option"), [("mpich", "-hosts"), ("intel", "-hosts"), ("openmpi5", "--host")])
def test_a_file_of_machines_is_handed_on_and_counted(fake, script, tmp_path, flavour, option):
    hostfile = tmp_path / "hosts"
    hostfile.write_text("# the lab\nnode1 slots=4 max_slots=8\nnode2:2\n\n  node1  # once more\nnode3\n")
    options = options_of(fake, flavour, "--hostfile", hostfile, script)
    assert options[options.index(option) + 1] == f"node1:5,node2:2,node3:{-(-(7 + CORES) // 3)}"
    assert options[options.index("-n") + 1] == str(7 + CORES)


def test_a_dry_run_shows_the_command_and_starts_nothing(fake, script):
    done = run("-n", 3, "--dry-run", "--seed", 7, script, "two words", MPIRUN=str(fake), VERSION=VERSIONS["mpich"])
    assert done.returncode == 0, done.stderr
    words = shlex.split(done.stdout)
    assert f"OMP_NUM_THREADS={max(1, CORES // 3)}" in words
    assert words[words.index(str(fake)) :][:4] == [str(fake), "-n", "3", sys.executable]
    assert words[words.index("--seed") + 1] == "7"
    assert words[-3:] == ["--", str(script), "two words"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "required: PROGRAM"),
        (("-n",), "expected one argument"),
        (("-n", "0", "{script}"), "-n/-np: expected a number of at least 1, received 0"),
        (("-n", "two", "{script}"), "received two"),
        (("--ranks=2", "{script}"), "unrecognized arguments: --ranks=2"),
        (("-n", "2", "none.py"), "none.py: no such script"),
        (("-n", "2", "/bin/sh", "train.py"), "/bin/sh: expected a Python script"),
        (("-n", "2", "{wrapper}", "train.py"), "expected a Python script, received a program of another kind"),
        (("--max-restarts", "many", "{script}"), "--max-restarts: expected a number, received many"),
        (("--hosts", "a", "--hostfile", "{script}", "{script}"), "not allowed with argument --hosts"),
        (("--hosts", "a:b", "{script}"), "a: expected a number of ranks of at least 1, received b"),
        (("--hosts", ",", "{script}"), "at least one machine"),
        (("--hostfile", "none", "{script}"), "--hostfile none: cannot be read"),
        (("--timeout", "soon", "{script}"), "--timeout: expected a number of seconds, received soon"),
        (("--seed", "-1", "{script}"), "--seed: expected"),
    ],
)
def test_wrong_usage_is_explained_with_exit_code_2(fake, script, tmp_path, arguments, message):
    wrapper = tmp_path / "wrap.sh"
    wrapper.write_text('#!/bin/sh\nexec "$@"\n')
    given = (argument.format(script=script, wrapper=wrapper) for argument in arguments)
    done = run(*given, MPIRUN=str(fake), VERSION="HYDRA")
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.startswith("usage: distnet")


def test_a_missing_mpirun_or_python_is_named(script):
    assert "none/mpirun was not found" in run("-n", 1, script, MPIRUN="none/mpirun").stderr
    assert "none/python does not start" in run("-n", 1, script, PYTHON="none/python", MPIRUN="none").stderr


def test_help_is_printed_on_request():
    done = run("--help", MPIRUN="none")
    assert done.returncode == 0
    assert done.stdout.startswith("usage: distnet run")
