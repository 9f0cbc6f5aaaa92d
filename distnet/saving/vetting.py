"""A file is opened first by a process that may die of it.

libhdf5 does not withstand every damaged file: some make it write where it must not, loop or ask for all
memory there is. So a file, whoever seems to have written it, is read, whole, in a process of its own, with
bounds on its memory and time; only when that has ended well is the file opened here. The process answers
for further files as they come, and ends when none has come for some seconds. It costs a tenth of a second
to start, and with each file about what reading it does.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import IO, TypeAlias, cast

from distnet import comm
from distnet.errors import CheckpointError
from distnet.saving import rules
from distnet.scoped import Scoped

_WAIT_S, _BYTES_PER_S = 600.0, 1_000_000
"""How long the process may take by the clock; what it computes is bounded in ``rules``, and a busy machine is slow."""
_LAUNCHERS = ("PMI", "PMIX", "OMPI_", "MPI", "SLURM", "HYD", "PRTE", "HDF5_PLUGIN")


Identity: TypeAlias = tuple[int, int, int, int]
"""By which a file is known: its device, number, length, and time of its last change."""

_trusted: ContextVar[frozenset[Identity]] = ContextVar("trusted", default=frozenset())


def identity(path: str) -> Identity:
    """That of the file of this name.

    Raises:
        OSError: there is none.
    """
    state = os.stat(path)
    return state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns


def trusting(files: Iterable[Identity]) -> Scoped[frozenset[Identity]]:
    """Within the block these need not be examined: another rank did."""
    return Scoped(_trusted, frozenset(files))


def is_trusted(path: str) -> bool:
    """Whether it need not be examined."""
    trusted = _trusted.get()
    return bool(trusted) and identity(path) in trusted


@contextmanager
def examined_by_a_neighbour(file: str | bytes) -> Iterator[bool]:
    """Whether another rank of this node has just examined the file, as its every reader would; else the block does it.

    Ranks that load one file need not meet for it: one examines it, and the others wait until it has.

    Args:
        file: its name; or what it holds, where its name says nothing.

    Raises:
        OSError: there is no such file.
    """
    known = file if isinstance(file, bytes) else repr((identity(file), os.stat(file).st_ctime_ns)).encode()
    if not comm.has_joined():
        yield False
        return
    with comm.world().done_on_node(known) as is_done:
        yield is_done


class _DiedError(Exception):
    """The process ended instead of answering."""


class Examiner:
    """Asks the process, and starts it where none is there."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()

    def examine(self, path: str) -> None:
        """Return if the file can be read.

        Raises:
            CheckpointError: it cannot be; says what is wrong.
        """
        with self._lock:
            is_fresh = self._process is None
            try:
                verdict = self._ask(path)
            except _DiedError as death:
                # An earlier file may have left it ill, or it was about to end for want of questions.
                verdict = str(death) if is_fresh else self._ask_anew(path)
        if verdict is not None:
            raise CheckpointError(f"{path}: {verdict}")

    def end(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()

    def forget(self) -> None:
        """Leave the process to the one that started it."""
        self._process, self._lock = None, threading.Lock()

    def _ask_anew(self, path: str) -> str | None:
        try:
            return self._ask(path)
        except _DiedError as death:
            return str(death)

    def _ask(self, path: str) -> str | None:
        try:
            return self._exchanged(path)
        except BaseException:
            self.end()
            raise

    def _exchanged(self, path: str) -> str | None:
        if self._process is None:
            self._process = _started()
        questions, answers = cast(IO[str], self._process.stdin), cast(IO[str], self._process.stdout)
        wait = _WAIT_S + os.path.getsize(path) / _BYTES_PER_S
        try:
            questions.write(json.dumps(os.path.abspath(path)) + "\n")
            questions.flush()
        except BrokenPipeError:
            raise _DiedError(self._cause()) from None
        if not select.select([answers], [], [], wait)[0]:
            raise _DiedError(
                f"cannot be examined: reading it did not end within {wait:.0f} s. Its file system may be stuck, or the "
                "machine too busy."
            )
        line = answers.readline()
        if not line.endswith("\n"):
            raise _DiedError(self._cause())
        return cast("str | None", json.loads(line))

    def _cause(self) -> str:
        code = self._process.wait() if self._process is not None else 0
        if code == -signal.SIGXCPU:
            return "damaged: reading it does not come to an end."
        if code < 0:
            return f"damaged: the HDF5 library crashes when it reads it ({signal.Signals(-code).name})."
        return f"cannot be examined: the process that reads it first ended with exit code {code}."


def _started() -> subprocess.Popen[str]:
    """The process, with this one's modules and without its place in an MPI job."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(_LAUNCHERS)}
    path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)
    environment = {**kept, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    try:
        return subprocess.Popen(
            [sys.executable, "-P", "-W", "ignore", rules.__file__],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
    except OSError as error:
        raise CheckpointError(
            f"the process that examines files before they are opened cannot be started ({error}). Load the file where "
            "processes can be started."
        ) from error


_examiner = Examiner()
atexit.register(_examiner.end)
os.register_at_fork(after_in_child=_examiner.forget)
examine = _examiner.examine
