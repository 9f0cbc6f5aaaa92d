"""Machines that a job runs on, and how many ranks each takes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from distnet.errors import ArgumentError


@dataclass(frozen=True)
class Machine:
    """A machine of the job.

    Args:
        name: by which the others reach it.
        slots: number of ranks that it takes; None where nobody said it.
    """

    name: str
    slots: int | None = None


def listed(text: str) -> list[Machine]:
    """The machines of ``--hosts``: ``a,b``, or ``a:4,b:2`` with numbers of ranks.

    Raises:
        ArgumentError: there are none, or a number is none.
    """
    return _merged("--hosts", (part.strip().partition(":")[::2] for part in text.split(",") if part.strip()))


def in_file(path: str) -> list[Machine]:
    """The machines of a host file, as MPICH (``a:4``), Open MPI (``a slots=4``) or PBS (a line a rank) write it.

    Raises:
        ArgumentError: it cannot be read, names no machine, or a number in it is none.
    """
    try:
        lines = [line.partition("#")[0].split() for line in Path(path).read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise ArgumentError(f"--hostfile {path}: cannot be read: {error}.") from error
    return _merged(f"--hostfile {path}", (_of_line(words) for words in lines if words))


def _of_line(words: list[str]) -> tuple[str, str]:
    name, _, slots = words[0].partition(":")
    said = [word.partition("=")[2] for word in words[1:] if re.match(r"(slots|cpu|count)=", word)]
    return name, said[0] if said else slots


def _merged(where: str, entries: Iterable[tuple[str, str]]) -> list[Machine]:
    """One machine of each name: one named several times takes as many ranks as all its entries."""
    slots: dict[str, list[int | None]] = {}
    for name, text in entries:
        if text and not re.fullmatch(r"0*[1-9][0-9]{0,6}", text):
            raise ArgumentError(f"{where}: {name}: expected a number of ranks of at least 1, received {text}.")
        slots.setdefault(name, []).append(int(text) if text else None)
    if not slots:
        raise ArgumentError(f"{where}: expected at least one machine, received none.")
    return [Machine(name, _sum(each)) for name, each in slots.items()]


def _sum(slots: list[int | None]) -> int | None:
    return None if slots == [None] else sum(each or 1 for each in slots)


def placed(machines: list[Machine], ranks: int) -> list[Machine]:
    """The machines with a number of ranks each, in blocks as even as can be where nobody said how many.

    Args:
        ranks: of the job.
    """
    each = -(-ranks // len(machines))
    return [Machine(machine.name, machine.slots or each) for machine in machines]


def ranks_of(machines: list[Machine], cores: int) -> int:
    """How many ranks the machines take, where nobody asks for a number: one a core.

    Args:
        cores: of a machine of which nobody said how many ranks it takes.
    """
    return sum(machine.slots or cores for machine in machines)
