"""Where the processes of a job are that does not end: what each rank was at last, and the stacks of its threads."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from distnet.comm import neighbours
from jobs import RunningJob

_SHOWN_S = 1.0
_GDB_S = 30.0


def shown(job: RunningJob) -> str:
    """All of it; the stacks in C where gdb is there. Ranks write those of Python on the job's standard error."""
    told, processes = [], job.members()
    for process in processes:
        with suppress(OSError):  # one may end meanwhile
            told.append(f"-- {_command(process)}: {_state(process)}, last at {phase_of(process)}")
            if _shows_its_stacks(process):
                os.kill(process, neighbours._signal())
    time.sleep(_SHOWN_S)
    told += [_stacks_in_c(process) for process in processes]
    return "\n".join([*told, "-- the job's standard error", job.err.read_text(errors="replace")])


def _command(process: int) -> str:
    words = Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")
    return f"process {process} ({b' '.join(words)[:120].decode(errors='replace')})"


def _state(process: int) -> str:
    """The letter of the system, and what of the kernel it waits in."""
    letter = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    return f"{letter} {Path(f'/proc/{process}/wchan').read_text()}"


def phase_of(process: int) -> str:
    """What a rank noted for its neighbours; nothing of a process that is none."""
    for descriptor in Path(f"/proc/{process}/fd").iterdir():
        is_memory = os.readlink(descriptor).startswith("/memfd:distnet-")
        if is_memory and descriptor.stat().st_size >= neighbours.MEMORY_BYTES:
            return descriptor.read_bytes().partition(b"\0")[0].decode(errors="replace")
    return "nothing that it noted"


def _shows_its_stacks(process: int) -> bool:
    """Whether it has a handler for the signal, which would else end it."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == "SigCgt":
            return bool(int(value, 16) >> (neighbours._signal() - 1) & 1)
    return False


def _stacks_in_c(process: int) -> str:
    gdb = shutil.which("gdb")
    if gdb is None:
        return ""
    command = [gdb, "-p", str(process), "-batch", "-ex", "thread apply all bt 30"]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=_GDB_S, check=False).stdout
    except subprocess.TimeoutExpired:
        return "gdb did not end"
