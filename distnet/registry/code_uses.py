"""What some code uses: names that it reads and sets, and containers that it changes."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping, MutableMapping, MutableSequence, MutableSet
from dataclasses import dataclass, field
from dis import get_instructions
from types import CodeType
from typing import Any

_ADDING = frozenset(("append", "extend", "insert", "add", "update", "setdefault", "appendleft", "pop"))
"""Methods that change a container: one that has them called on it is running state."""
_ANY = "*"
"""Stands for the name of a container that has no name, as an entry of another."""
BY_TEXT = frozenset(("globals", "locals", "vars", "getattr", "attrgetter", "eval", "exec", "__dict__"))
"""By which code reads names that its texts tell."""
_WORD = re.compile(r"[^\W\d]\w*")


@dataclass
class Uses:
    """What some code uses.

    Args:
        names: that it reads: of globals, attributes and methods.
        state: names that it sets.
        changed: names of containers that it changes.
    """

    names: set[str] = field(default_factory=set)
    state: set[str] = field(default_factory=set)
    changed: set[str] = field(default_factory=set)

    def take(self, code: CodeType) -> None:
        """Add what this code uses, and the functions within it."""
        names, state, changed = uses_of(code)
        self.names |= names
        self.state |= state
        self.changed |= changed


@functools.lru_cache(4096)
def uses_of(code: CodeType) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """Names that a code and those within it look up, names that it sets, and names of containers that it changes."""
    names, state, changed = {*code.co_names, *_told_by_text(code)}, set(), set[str]()
    of_local: dict[str, str] = {}
    before = ("", "")
    for instruction in get_instructions(code):
        given = instruction.argval
        of_two = isinstance(given, tuple) and "_FAST" in instruction.opname  # Python 3.13 joins two instructions
        name = str(given[-1] if of_two else given)
        now = instruction.opname, name
        if now[0] in ("STORE_ATTR", "STORE_GLOBAL", "STORE_DEREF"):
            state.add(name)
        elif now[0].startswith("STORE_FAST") and _is_lookup(*before):
            of_local[str(given[0] if of_two else given)] = before[1]
        elif now[0] in ("LOAD_ATTR", "LOAD_METHOD") and name in _ADDING:
            changed.add(_changed_by(*before, of_local))
        before = now
    for inner in codes_in(code):
        theirs = uses_of(inner)
        names |= theirs[0]
        state |= theirs[1]
        changed |= theirs[2]
    return frozenset(names), frozenset(state), frozenset(changed)


def _is_lookup(instruction: str, name: str) -> bool:
    return instruction in ("LOAD_ATTR", "LOAD_GLOBAL", "LOAD_DEREF", "LOAD_NAME") and name not in _ADDING


def _changed_by(instruction: str, name: str, of_local: Mapping[str, str]) -> str:
    """The name of what a method is called on, given the instruction before; of a local variable, what it stands for."""
    if instruction.startswith("LOAD_FAST"):
        return of_local.get(name, "")
    return name if _is_lookup(instruction, name) else _ANY


def codes_in(code: CodeType) -> Iterator[CodeType]:
    """The codes of functions that stand within."""
    return (constant for constant in code.co_consts if isinstance(constant, CodeType))


def _told_by_text(code: CodeType) -> Iterator[str]:
    """Names that its texts hold, where it may look them up by their text."""
    if not BY_TEXT.isdisjoint(code.co_names):
        for constant in code.co_consts:
            yield from _WORD.findall(constant) if isinstance(constant, str) else ()


def is_read(name: str, value: Any, uses: Uses) -> bool:
    """Whether it is no running state."""
    is_changed = isinstance(value, MutableSequence | MutableMapping | MutableSet) and bool({name, _ANY} & uses.changed)
    return name not in uses.state and not is_changed
