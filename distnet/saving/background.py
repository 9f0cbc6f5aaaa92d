"""Writes checkpoints in the background: training waits only until one is copied into memory.

At most one file is being written: the next one waits for it, so that every requested file is
written, in order. An error is raised by the next write, or by ``finish``. The thread
only hashes and writes bytes, during which other threads can run; the interpreter does
not exit before it ends.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Self

from distnet.errors import CheckpointError
from distnet.paths import checked_path
from distnet.saving.atomic import put
from distnet.saving.image import Image


class CheckpointPath(str):
    """The name of a file that is written while the program goes on; what saves a model takes it as any other name.

    A user's own ``save`` hands it on.

    Args:
        path: the name.
        keep: number of files, this one among them, that are kept under its name: see ``atomic.put``.
        retired: files to delete once the new one stands.
    """

    __slots__ = ("keep", "retired")

    keep: int
    retired: Sequence[str]

    def __new__(cls, path: str | os.PathLike[str], keep: int = 1, retired: Sequence[str] = ()) -> Self:
        made = super().__new__(cls, checked_path("save: filepath", path))
        made.keep, made.retired = keep, tuple(retired)
        return made


class Writer:
    """Writes one file after the other to disk, all from the same memory."""

    def __init__(self) -> None:
        self._image = Image()
        self._thread: threading.Thread | None = None
        self._failure: CheckpointError | None = None

    def write(self, path: CheckpointPath, compose: Callable[[Image], None]) -> None:
        """Copy what is to be written, and return; the disk has it later.

        Raises:
            CheckpointError: the previous file could not be written.
        """
        self.wait()
        self._image.clear()
        compose(self._image)
        target = CheckpointPath(os.path.abspath(path), path.keep, path.retired)  # a program may change its folder
        self._thread = threading.Thread(target=self._put, args=(target,), name="distnet-writer")
        self._thread.start()

    def finish(self) -> None:
        """Return once everything is written, and free the memory.

        Raises:
            CheckpointError: the last file could not be written.
        """
        try:
            self.wait()
        finally:
            if len(self._image.content()):
                self._image = Image()

    def report(self) -> None:
        """Raise the error of a failed write, if any, without waiting.

        Raises:
            CheckpointError: the last file could not be written.
        """
        if self._failure is not None:
            self.finish()

    def lament(self) -> None:
        """At the end of the program, log a failure that was not raised."""
        with suppress(RuntimeError):
            self._join()
        if self._failure is not None:
            logging.getLogger("distnet").error("%s", self._failure)

    def wait(self) -> None:
        """Like ``finish``, but keep the memory for the next file."""
        self._join()
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def _join(self) -> None:
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()
            self._thread = None

    def _put(self, path: CheckpointPath) -> None:
        try:
            put(path, self._image.content(), path.keep)
            for retired in path.retired:
                with suppress(FileNotFoundError):
                    os.unlink(retired)
        except CheckpointError as error:
            self._failure = error
        except OSError as error:
            self._failure = CheckpointError(f"{error.filename}: cannot be deleted: {error}.")


_writer = Writer()
atexit.register(_writer.lament)
finish = _writer.finish
wait = _writer.wait
report = _writer.report


def write(path: str | os.PathLike[str], compose: Callable[[Image], None]) -> None:
    """Write what ``compose`` puts into a file, now or, of a ``CheckpointPath``, while the program goes on.

    Raises:
        CheckpointError: this file, or the previous one, cannot be written.
    """
    if isinstance(path, CheckpointPath):
        _writer.write(path, compose)
        return
    wait()
    image = Image()
    compose(image)
    put(path, image.content())
