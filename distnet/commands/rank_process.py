"""Watches over one rank, and says how it ended: ``distnet run`` starts this program for every rank.

A rank that a signal ends cannot say so itself, and MPI's launchers end all ranks without naming the first. So the
user's program runs in a child of this process, which sees how the child ends: it names the rank and the cause, and
only then ends in the same way, at which the launcher ends the job. Signals reach both, for launchers send them to
groups of processes.

It runs as a file, and imports nothing of distnet: the user's process is the first to do so.
"""

from __future__ import annotations

import argparse
import os
import resource
import runpy
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import IO, cast

PROGRAM = "distnet.commands.rank_program"
ENDED, FAILED = b"ended", b"failed"
"""What a rank's program notes: that Python ended it, and that an error did, which it told of."""

_LAST_WORDS_S = 0.2
"""Time for the launcher to forward what was said: MPICH's drops what it has not read when the job ends."""
_OUTPUT_S = 5.0
"""How long the output is awaited that a rank left in its pipes: a process that it started may hold them open."""
SAVED = 75
"""``errors.Preempted.EXIT_CODE``: this process must not import distnet, which would take it for the rank."""
ENDS = "DISTNET_RUN_ENDS"
"""Variable with a folder where each rank of the machine that the job is started from notes that it began, and ended."""
BEGAN, ENDED_WELL = "began", "ended"
PID_NAMESPACE = "/proc/self/ns/pid"
"""Tells where the number of a process, which a rank notes when it begins, is that process's."""
_TO_END = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_FOR_THE_PROGRAM = (signal.SIGUSR1, signal.SIGUSR2)
_PACKAGE = Path(__file__).parents[1]


def main(arguments: Sequence[str]) -> int:
    """Start the rank's program, wait for its end, tell of it, and end likewise; return the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", required=True)
    parser.add_argument("--stopped", type=float, default=0.0)
    parser.add_argument("--prefix", action="store_true")
    parser.add_argument("--folder")
    parser.add_argument("program", nargs=argparse.REMAINDER)
    options = parser.parse_args(arguments)
    launcher = runpy.run_path(str(_PACKAGE / "launcher.py"))["detect"](os.environ)
    rank, size = (0, 1) if launcher is None else (launcher.rank, launcher.size)
    watched = WatchedRank(rank, size, options.stopped)
    return watched.run(options.seed, options.program[1:], Output(rank, options.prefix, options.folder))


class Output:
    """Where a rank's output goes: as it is, or with its rank before each line, or into a file of its own.

    Args:
        rank: of the job.
        has_prefix: whether lines begin with the rank.
        folder: of the files; None for none.
    """

    def __init__(self, rank: int, has_prefix: bool, folder: str | None) -> None:
        self.prefix = f"[{rank}] ".encode() if has_prefix else b""
        self.path = None if folder is None else Path(folder, f"rank-{rank}.log")
        self._threads: list[threading.Thread] = []

    def streams(self) -> tuple[IO[bytes] | int | None, IO[bytes] | int | None]:
        """The standard output and error of the rank's program."""
        if self.path is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            file = self.path.open("ab")
            return file, file
        return (subprocess.PIPE, subprocess.PIPE) if self.prefix else (None, None)

    def forward(self, process: subprocess.Popen[bytes]) -> None:
        """Begin to hand on what comes through the program's pipes."""
        for source, target in ((process.stdout, sys.stdout.buffer), (process.stderr, sys.stderr.buffer)):
            if source is not None:
                thread = threading.Thread(target=self._copy, args=(source.fileno(), target), daemon=True)
                thread.start()
                self._threads.append(thread)

    def _copy(self, source: int, target: IO[bytes]) -> None:
        rest = b""
        while piece := os.read(source, 1 << 16):
            *lines, rest = (rest + piece).split(b"\n")
            target.write(b"".join(self.prefix + line + b"\n" for line in lines))
            target.flush()
        if rest:
            target.write(self.prefix + rest + b"\n")
            target.flush()

    def finish(self) -> None:
        """Return once everything is handed on."""
        for thread in self._threads:
            thread.join(_OUTPUT_S)


class WatchedRank:
    """A rank's program, and how it ended.

    Args:
        rank: of the job.
        size: number of ranks; None where the launcher does not say.
        stopped_s: how long it may be stopped before it is ended; 0 for ever.
    """

    def __init__(self, rank: int, size: int | None, stopped_s: float) -> None:
        self.rank, self.size, self.stopped_s = rank, size, stopped_s
        self._told_to_end = False
        self._was_stopped_long = False
        self._words = runpy.run_path(str(_PACKAGE / "comm" / "process_ends.py"))
        self._kills_before = self._words["kills_for_memory"]()

    def run(self, seed: str, program: Sequence[str], output: Output) -> int:
        """Run the program; return its exit code, or end as it did."""
        for number in (*_TO_END, *_FOR_THE_PROGRAM):
            signal.signal(number, self._note)  # handled, not ignored, which the program would inherit
        reading, writing = os.pipe()
        os.set_inheritable(writing, True)
        out, err = output.streams()
        command = [sys.executable, "-P", "-m", PROGRAM, str(writing), str(os.getpid()), seed, *program]
        # MPI's descriptors are for the program
        process = subprocess.Popen(
            command, stdout=out, stderr=err, close_fds=False, env={**os.environ, "PYTHONHASHSEED": seed}
        )
        os.close(writing)
        self._note_down(BEGAN)
        output.forward(process)
        code = self._end_of(process)
        output.finish()
        os.set_blocking(reading, False)
        return self._report(process.pid, code, _read(reading), output)

    def _note_down(self, what: str) -> None:
        folder = os.environ.get(ENDS)
        if folder is not None and os.path.isdir(folder):  # on other machines there is none
            namespace = os.readlink(PID_NAMESPACE) if os.path.exists(PID_NAMESPACE) else "unknown"
            unread = Path(folder, f".{what}-{self.rank}")  # the launcher looks at any time, at whole notes
            unread.write_text(f"{os.getpid()} {namespace}", encoding="ascii")
            unread.replace(Path(folder, f"{what}-{self.rank}"))

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._told_to_end |= number in _TO_END

    def _end_of(self, process: subprocess.Popen[bytes]) -> int:
        """Wait for it; what stays stopped for too long is ended."""

        def end(number: int, frame: FrameType | None) -> None:
            self._was_stopped_long = True
            process.send_signal(signal.SIGKILL)

        signal.signal(signal.SIGALRM, end)
        while True:
            _, status = os.waitpid(process.pid, os.WUNTRACED | os.WCONTINUED)
            if os.WIFSTOPPED(status) and self.stopped_s:
                self._say(
                    f"was stopped by {signal.Signals(os.WSTOPSIG(status)).name}; it is ended after "
                    f"{self.stopped_s:.0f} s unless it goes on."
                )
                signal.setitimer(signal.ITIMER_REAL, self.stopped_s)
            elif os.WIFCONTINUED(status):
                signal.setitimer(signal.ITIMER_REAL, 0)
            elif not os.WIFSTOPPED(status):
                process.returncode = os.waitstatus_to_exitcode(status)
                return process.returncode

    def _report(self, process: int, code: int, noted: bytes, output: Output) -> int:
        """Say how it ended, where it did not itself; end likewise."""
        where = f"(process {process} on {socket.gethostname()})"
        if FAILED not in noted and not self._told_to_end:
            if code < 0 or ENDED not in noted:
                self._say(f"{where} {self._in_words(code)}")
                if code >= 0:
                    return self._die(signal.SIGTERM) if self.size != 1 else code or 1
            elif code not in (0, SAVED):
                self._say(f"{where} ended its program with exit code {code}, as by sys.exit.")
        if ENDED in noted and code == 0:
            self._note_down(ENDED_WELL)
        if code and output.path is not None:
            self._say(f"{where} ended with exit code {code}; its output is in {output.path}.")
        return self._die(-code) if code < 0 else code

    def _in_words(self, code: int) -> str:
        if self._was_stopped_long:
            return f"was ended by SIGKILL. It had been stopped for {self.stopped_s:.0f} s."
        ran_out = self._words["kills_for_memory"]() > self._kills_before
        return cast(str, self._words["in_words"](code, ran_out))

    def _say(self, text: str) -> None:
        size = "" if self.size is None else f" of {self.size}"
        sys.stderr.write(f"distnet run: rank {self.rank}{size} {text.rstrip()}\n")
        sys.stderr.flush()

    @staticmethod
    def _die(number: int) -> int:
        """End this process by a signal, without a second core dump."""
        time.sleep(_LAST_WORDS_S)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if number != signal.SIGKILL:
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        return 128 + number


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 1 << 10)
    except BlockingIOError:  # a process that it started holds the other end
        return b""


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
