"""Real jobs: ``Ranks(launcher, folder).run(program)`` starts one, waits for it, and ends every process of it."""

from __future__ import annotations

import functools
import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

import pytest

MARKER = "DISTNET_TEST_JOB"
LAUNCHERS = ("OMPI_", "PMI", "PMIX", "PRTE", "MPI_", "MV2_", "SLURM_", "HYDRA_")
SETTINGS = (
    *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS"),
    "PYTHONUNBUFFERED",  # with it a line is several writes, between which other ranks' come
)
USUAL = 3
"""Processes at work for each core while these tests run on a machine that does nothing else."""


def crowding() -> float:
    """How many times longer than usual all takes where other programs keep the cores busy; at least 1."""
    return max(1.0, os.getloadavg()[0] / (USUAL * (os.cpu_count() or 1)))


@dataclass(frozen=True)
class Job:
    """A job that has ended, with the output of all its ranks."""

    returncode: int
    stdout: str
    stderr: str
    seconds: float

    def succeeded(self) -> Job:
        assert self.returncode == 0, f"the job ended with {self.returncode}:\n{self}"
        return self

    def failed(self, *messages: str, within: float = 10) -> Job:
        """It failed soon, for a machine as busy as this one, and said all of this."""
        assert self.returncode != 0, f"the job should have failed:\n{self}"
        for message in messages:
            assert message in self.stderr, f"the job did not say {message!r}:\n{self}"
        assert self.seconds < within * crowding(), f"the job took {self.seconds:.1f} s to fail:\n{self}"
        return self

    def __str__(self) -> str:
        return f"-- stdout\n{self.stdout[-4000:]}\n-- stderr\n{self.stderr[-8000:]}"


class RunningJob:
    """A job under way. Its processes are known by a mark in their environment, wherever a launcher put them."""

    def __init__(self, command: list[str], environment: dict[str, str], folder: Path) -> None:
        self.mark = uuid.uuid4().hex
        self.out, self.err = folder / f"{self.mark}.out", folder / f"{self.mark}.err"
        self.start = time.monotonic()
        with self.out.open("wb") as out, self.err.open("wb") as err:
            self.process = subprocess.Popen(
                command,
                env={**environment, MARKER: self.mark},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                cwd=folder,
                start_new_session=True,
            )

    def wait(self, timeout: float) -> Job:
        """The ended job; one that takes longer, by far where the machine is busy, is killed and fails the test."""
        timeout *= crowding()
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            pytest.fail(f"the job did not end within {timeout:.0f} s:\n{self._ended()}")
        finally:
            self.kill()
        return self._ended()

    def wait_for(self, path: Path, timeout: float = 30) -> None:
        """Return once a rank has made this file."""
        timeout *= crowding()
        while not path.exists():
            if self.process.poll() is not None or time.monotonic() - self.start > timeout:
                self.kill()
                pytest.fail(f"the job did not make {path.name} within {timeout:.0f} s:\n{self._ended()}")
            time.sleep(0.01)

    def kill(self) -> None:
        """SIGKILL every process of the job, and see all of them gone."""
        while members := self.members():
            for pid in members:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
            self.process.poll()
            time.sleep(0.01)
        self.process.wait()

    def members(self) -> list[int]:
        """Its processes: the launcher's and the ranks'."""
        if not Path("/proc/self/environ").exists():
            return [] if self.process.poll() is not None else [self.process.pid]
        return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and self._is_ours(entry)]

    def left(self) -> list[str]:
        """Its processes, each with the first words of its command."""
        return [f"{process} {_command(process)}" for process in self.members()]

    def _is_ours(self, entry: Path) -> bool:
        try:
            return f"{MARKER}={self.mark}".encode() in (entry / "environ").read_bytes()
        except OSError:
            return False

    def _ended(self) -> Job:
        seconds = time.monotonic() - self.start
        texts = (path.read_text(errors="replace") for path in (self.out, self.err))
        return Job(self.process.returncode, *texts, seconds)


def _command(process: int) -> str:
    try:
        words = Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return "gone"
    return b" ".join(words[:4]).decode(errors="replace")[:100]


@dataclass(frozen=True)
class Ranks:
    """Starts programs on a number of ranks.

    NumPy's kernels are used unless ``env`` says otherwise: importing numba takes each rank a second.
    """

    launcher: tuple[str, ...]
    folder: Path

    def start(self, program: str | Path, *args: object, env: dict[str, str] | None = None) -> RunningJob:
        """Start a program: the path of a file, or its text."""
        if isinstance(program, str):
            path = self.folder / f"{uuid.uuid4().hex}.py"
            path.write_text(program, encoding="utf-8")
        else:
            path = program
        kept = {k: v for k, v in os.environ.items() if not k.startswith(LAUNCHERS) and k not in SETTINGS}
        environment = {**kept, "DISTNET_KERNELS": "numpy", **(env or {})}
        return RunningJob([*self.launcher, sys.executable, str(path), *map(str, args)], environment, self.folder)

    def run(self, program: str | Path, *args: object, timeout: float = 60, env: dict[str, str] | None = None) -> Job:
        """Run a program to its end."""
        return self.start(program, *args, env=env).wait(timeout)


@functools.cache
def mpiexec() -> tuple[str, ...]:
    """The command that starts ranks of this Python's MPI: beside the interpreter, else in PATH."""
    beside = Path(sys.executable).parent
    found = shutil.which("mpiexec", path=f"{beside}{os.pathsep}{os.environ.get('PATH', '')}")
    if found is None:
        pytest.fail(
            f"no mpiexec beside {sys.executable} or in PATH. Run: pip install 'distnet[test]', or install an MPI"
        )
    version = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout
    if "Open MPI" in version or "PRRTE" in version:
        return (found, "--oversubscribe", *(("--allow-run-as-root",) if os.getuid() == 0 else ()))
    return (found,)
