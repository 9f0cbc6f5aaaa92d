"""Runs the user's program as a rank of ``distnet run``: with the same seed on every rank.

A script that draws its data from ``numpy.random`` or ``random`` draws the same on every rank, and iterates over its
sets of strings in the same order. What it draws from generators of its own without a seed still differs.

The child of ``rank_process``, which it lets know how it ends.
"""

from __future__ import annotations

import atexit
import faulthandler
import os
import random
import runpy
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import numpy as np

from distnet import launcher
from distnet.commands.parent_death import end_with
from distnet.commands.rank_process import ENDED, FAILED


def main(arguments: Sequence[str]) -> int:
    """Run ``[-m] PROGRAM ...`` after the descriptor to note on, the parent's number and the seed."""
    descriptor, parent, seed, *program = arguments
    end_with(int(parent), signal.SIGKILL)  # a launcher kills what it started, not what that started
    note = Notes(int(descriptor))
    os.environ[launcher.RANK_PROCESS] = str(os.getpid())
    faulthandler.enable()
    random.seed(int(seed))
    np.random.seed(int(seed))
    launcher.before_reports.append(lambda: note.write(FAILED))
    try:
        _run(program)
    except SystemExit:
        raise
    except BaseException as error:  # any error of the user's program, which ends it
        note.write(FAILED)
        sys.excepthook(type(error), error, _within_program(error.__traceback__))
        return 130 if isinstance(error, KeyboardInterrupt) else 1
    return 0


class Notes:
    """What this process lets its parent know; a copy of this process that it forks says nothing.

    Args:
        descriptor: of the pipe to the parent.
    """

    def __init__(self, descriptor: int) -> None:
        self.descriptor, self._process = descriptor, os.getpid()
        os.set_inheritable(descriptor, False)
        atexit.register(self.write, ENDED)  # the first is called last

    def write(self, text: bytes) -> None:
        """Tell it, unless this is a copy."""
        if os.getpid() == self._process:
            os.write(self.descriptor, text + b"\n")


def _run(program: Sequence[str]) -> None:
    is_module = program[0] == "-m"
    name, *arguments = program[1:] if is_module else program
    sys.argv = [name, *arguments]
    sys.path.insert(0, os.getcwd() if is_module else str(Path(name).resolve().parent))
    if is_module:
        runpy.run_module(name, run_name="__main__", alter_sys=True)
        return
    runpy.run_path(name, run_name="__main__")


def _within_program(trace: TracebackType | None) -> TracebackType | None:
    """The part of a traceback that is the user's program, not what runs it."""
    ours = (__file__, runpy.__file__, "<frozen runpy>")
    while trace is not None and trace.tb_frame.f_code.co_filename in ours:
        trace = trace.tb_next
    return trace


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
