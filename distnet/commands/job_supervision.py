"""Waits for a job's end, passes signals on to it, and starts it again where that is wanted."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType

from distnet.commands.launcher_end import wait_for
from distnet.commands.lost_segments import remove_lost_segments
from distnet.commands.machines import Machine
from distnet.commands.mpi_launchers import MPILauncher
from distnet.commands.parent_death import end_with
from distnet.commands.rank_process import BEGAN, ENDED_WELL, ENDS

_PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2)
_MACHINE_ANSWERS_S = 30


@dataclass(frozen=True)
class Job:
    """What is started.

    Args:
        launcher: MPI's.
        ranks: number of them.
        machines: to run on, each with its number of ranks; none for this one, or what a scheduler gave.
        program: what every rank runs.
        settings: variables that distnet sets for it, or that its ranks on other machines need.
        environ: the whole environment.
    """

    launcher: MPILauncher
    ranks: int
    machines: tuple[Machine, ...]
    program: tuple[str, ...]
    settings: Mapping[str, str]
    environ: Mapping[str, str]

    def command(self) -> list[str]:
        """What starts it."""
        return [*self.launcher.command(self.ranks, self.machines, self.settings), *self.program]

    def on_machines_left(self) -> Job:
        """The same job on the machines that still answer, with as many of its ranks as these take."""
        left = tuple(machine for machine, answers in zip(self.machines, self._answering(), strict=True) if answers)
        if not left or left == self.machines:
            return self
        ranks = min(self.ranks, sum(machine.slots or 1 for machine in left))
        gone = ", ".join(machine.name for machine in self.machines if machine not in left)
        say(f"{gone} does not answer; the job goes on with {ranks} of {self.ranks} ranks.")
        return Job(self.launcher, ranks, left, self.program, self.settings, self.environ)

    def _answering(self) -> list[bool]:
        """Whether each machine starts a program that does nothing."""
        asked = [
            subprocess.Popen(
                [*self.launcher.command(1, [Machine(machine.name, 1)], {}), "true"],
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            for machine in self.machines
        ]
        return [_ends_well(process) for process in asked]


class Supervision:
    """Starts a job, and again where it failed or saved itself, until it has ended well.

    Args:
        most_restarts: how often it is started again.
    """

    def __init__(self, most_restarts: int) -> None:
        self.most_restarts = most_restarts
        self._process: subprocess.Popen[bytes] | None = None
        self._told: list[signal.Signals] = []
        self._is_open_mpi = False

    def run(self, job: Job) -> int:
        """Return the exit code of the job, or of its last start."""
        before = {number: signal.signal(number, self._pass_on) for number in _PASSED_ON}
        try:
            return self._run(job)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _run(self, job: Job) -> int:
        self._is_open_mpi = job.launcher.is_open_mpi
        restarts = 0
        while code := self._start(job):
            if self._told or restarts == self.most_restarts:
                break
            restarts += 1
            job = job.on_machines_left()
            say(f"the job ended with exit code {code}; restart {restarts} of {self.most_restarts}.")
        if code and self.most_restarts:
            say(f"the job ended with exit code {code} after {restarts} restarts.")
        return code

    def _start(self, job: Job) -> int:
        """Start it and wait for its end; a session of its own keeps the terminal's signals from it."""
        since = time.time()
        stdin = subprocess.DEVNULL if self.most_restarts else None
        with_this = partial(end_with, os.getpid(), signal.SIGTERM)
        with tempfile.TemporaryDirectory(prefix="distnet-run-") as ends:
            environ = {**job.environ, ENDS: ends}
            self._process = subprocess.Popen(
                job.command(), env=environ, stdin=stdin, start_new_session=True, preexec_fn=with_this
            )
            for number in self._told:  # between two starts
                self._send(number)
            code, was_ended = wait_for(self._process, job.ranks, Path(ends))
            if was_ended:
                say("mpirun did not end though all its ranks had; it was ended.")
                code = 0 if len(list(Path(ends).glob(f"{ENDED_WELL}-*"))) == job.ranks else code
            code = code or _code_of_ranks(Path(ends))
        if code:
            remove_lost_segments(since)
        return 128 - code if code < 0 else code

    def _pass_on(self, number: int, frame: FrameType | None) -> None:
        """A signal of a scheduler or of the terminal: the job gets it, too, and its end is then final."""
        self._told.append(signal.Signals(number))
        self._send(number)

    def _send(self, number: int) -> None:
        # Open MPI's mpirun answers SIGTERM by killing the ranks; SIGUSR1 it passes on to them.
        passed = signal.SIGUSR1 if self._is_open_mpi and number == signal.SIGTERM else number
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(passed)


def _code_of_ranks(ends: Path) -> int:
    """The exit code of a job whose launcher says that all is well; Open MPI's does where a machine of several is lost.

    Args:
        ends: the folder of ``rank_process.ENDS``. Ranks on other machines note nothing there.
    """
    began, ended_well = (sum(1 for _ in ends.glob(f"{what}-*")) for what in (BEGAN, ENDED_WELL))
    if not began or ended_well:  # others may have died, where ranks outlive them
        return 0
    say("mpirun ended with exit code 0, but no rank here had ended its program: another machine may be lost.")
    return 1


def say(text: str) -> None:
    """Tell the user."""
    sys.stderr.write(f"distnet run: {text}\n")
    sys.stderr.flush()


def _ends_well(process: subprocess.Popen[bytes]) -> bool:
    try:
        return process.wait(_MACHINE_ANSWERS_S) == 0
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return False


def command_line(command: Sequence[str], settings: Mapping[str, str]) -> str:
    """What starts a job, as a shell takes it."""
    return shlex.join(
        [*(["env", *(f"{name}={value}" for name, value in settings.items())] if settings else []), *command]
    )
