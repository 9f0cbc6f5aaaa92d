"""Processes of this machine, as ``/proc`` shows them: who started whom, and with which environment."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from pathlib import Path

_LAUNCHERS = frozenset(
    ("hydra_pmi_proxy", "pmi_proxy", "mpirun", "mpiexec", "mpiexec.hydra", "prterun", "prted", "orted", "orterun",
     "srun", "slurmstepd")
)  # fmt: skip
"""Names of the programs that start ranks, as far as ``/proc`` shows them."""
_BEGAN_AT = 19
"""The place of the time of its begin among a process's fields: proc(5), less the three that ``_status`` leaves out."""


def ancestors(process: int) -> Iterator[int]:
    """Who started a process, who started that, and so on, as far as it is known."""
    while (parent := _parent(process)) is not None and parent > 0:
        yield parent
        process = parent


def is_launcher(process: int) -> bool:
    """Whether the process is a program that starts ranks."""
    return has_name(process, _LAUNCHERS)


def has_name(process: int, names: Collection[str]) -> bool:
    """Whether the process runs a program of one of these names, as ``/proc`` shows them: 15 characters at most."""
    try:
        return Path(f"/proc/{process}/comm").read_text(encoding="utf-8", errors="replace").strip() in names
    except OSError:
        return False


def has_variable(process: int, variable: str) -> bool | None:
    """Whether a process was started with an environment variable; None where that is not to be seen."""
    try:
        return f"\0{variable}=".encode() in _entries(process)
    except OSError:
        return None


def value_of(process: int, variable: str) -> str | None:
    """The value of a variable with which a process was started; None if there is none, or it is not to be seen."""
    try:
        entries = Path(f"/proc/{process}/environ").read_bytes().split(b"\0")
    except OSError:
        return None
    prefix = f"{variable}=".encode()
    return next((entry[len(prefix) :].decode(errors="replace") for entry in entries if entry.startswith(prefix)), None)


def below_launcher(variable: str) -> tuple[int, int] | None:
    """This rank's launcher, and the process that it started for this rank: this one, or a script around it.

    Args:
        variable: holds the rank; the launcher's own environment has none.
    """
    process = os.getpid()
    for parent in ancestors(process):
        if is_launcher(parent) or has_variable(parent, variable) is False:
            return parent, process
        process = parent
    return None


def ranks_of(launcher: int, variable: str) -> dict[int, int]:
    """The ranks that a launcher started on this machine and that live: rank -> process."""
    ranks = {}
    for process in _children(launcher):
        rank = value_of(process, variable)
        if rank is not None and rank.isdigit() and is_alive(process):
            ranks[int(rank)] = process
    return ranks


def is_child_with(process: int, parent: int, variable: str) -> bool:
    """Whether ``/proc`` shows that one process started the other, with a variable."""
    return process in _children(parent) and has_variable(process, variable) is True


def is_alive(process: int) -> bool:
    """Whether the process runs: one that has ended stays visible until its parent has noticed."""
    return _state(process) not in ("", "Z", "X")


def is_stopped(process: int) -> bool:
    """Whether the process is stopped by a signal."""
    return _state(process) in ("T", "t")


def began_at(process: int) -> str:
    """When a process began, which tells it from a later one of the same number; empty where that is not to be seen."""
    fields = _status(process)
    return fields[_BEGAN_AT] if len(fields) > _BEGAN_AT else ""


def descendants(process: int) -> Iterator[int]:
    """What a process has started, and what that has started, and so on."""
    for child in _children(process):
        yield child
        yield from descendants(child)


def _children(process: int) -> list[int]:
    try:
        tasks = list(Path(f"/proc/{process}/task").iterdir())
        return [int(child) for task in tasks for child in (task / "children").read_text(encoding="ascii").split()]
    except OSError:
        return []


def _parent(process: int) -> int | None:
    fields = _status(process)
    return int(fields[1]) if len(fields) > 1 else None


def _state(process: int) -> str:
    fields = _status(process)
    return fields[0] if fields else ""


def _status(process: int) -> list[str]:
    """The fields of ``/proc/PID/stat`` behind the name, which may hold spaces and parentheses."""
    try:
        return Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return []


def _entries(process: int) -> bytes:
    return b"\0" + Path(f"/proc/{process}/environ").read_bytes()
