"""Where the facts of several ranks differ: the first part that does, and what each rank has there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

Path: TypeAlias = tuple[str | int, ...]
"""Keys and places that lead to a part of a structure."""

_MOST_CHARACTERS = 120
_BEFORE = 20
"""Characters shown before the first that differs in long texts."""
_OF_RANKS = re.compile(r"rank|chief|root|main|master|primary|head", re.IGNORECASE)
"""In names of values that are meant to tell ranks apart."""


class _Absent:
    def __repr__(self) -> str:
        return "absent"


_ABSENT = _Absent()


def first_difference(values: Sequence[Any], processes: Sequence[tuple[int, ...]] = ()) -> tuple[str, list[Any]] | None:
    """Where values of JSON differ first, and what each is there; None if they are equal.

    A rank's own number under a name such as ``rank``, and whether it is rank 0 under one such as ``is_chief``, are no
    difference: programs keep them to print on one rank. Nor is the number of the process, where each rank has its own.

    Args:
        processes: of each rank, the numbers of its process and of those around it, in one order.
    """
    for path, parts in _differences(values, ()):
        if not _tells(path, parts) and not _are_processes(parts, processes):
            return _written(path), parts
    return None


def listed(values: Sequence[Any]) -> str:
    """What each rank has, the fewest ranks first: ``2.0 on rank 1 and 1.0 on ranks 0, 2``."""
    ranks: dict[str, list[int]] = {}
    for rank, text in enumerate(_shortened([_text(value) for value in values])):
        ranks.setdefault(text, []).append(rank)
    groups = sorted(ranks.items(), key=lambda group: (len(group[1]), -group[1][0]))
    return " and ".join(f"{text} on {ranks_told(numbers)}" for text, numbers in groups)


def ranks_told(numbers: Sequence[int]) -> str:
    """``rank 1``, ``ranks 0, 2``."""
    return f"rank{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}"


def _differences(values: Sequence[Any], path: Path) -> Iterator[tuple[Path, list[Any]]]:
    first = values[0]
    if all(type(value) is type(first) and value == first for value in values[1:]):
        return
    if all(isinstance(value, Mapping) for value in values):
        for key in dict.fromkeys(key for value in values for key in value):
            yield from _differences([value.get(key, _ABSENT) for value in values], (*path, key))
    elif all(isinstance(value, list) for value in values):
        for i in range(max(map(len, values))):
            yield from _differences([value[i] if i < len(value) else _ABSENT for value in values], (*path, i))
    elif len(set(map(_text, values))) > 1:  # NaN is not equal to itself
        yield path, list(values)


def _tells(path: Path, parts: Sequence[Any]) -> bool:
    """Whether the ranks' values tell the ranks apart by intention."""
    ranks = list(range(len(parts)))
    names = [name for name in path if isinstance(name, str)]
    is_number = all(type(part) is int for part in parts) and parts == ranks
    is_flag = all(type(part) is bool for part in parts) and parts in ([r == 0 for r in ranks], [r != 0 for r in ranks])
    return (is_number or is_flag) and bool(names) and _OF_RANKS.search(names[-1]) is not None


def _are_processes(parts: Sequence[Any], processes: Sequence[tuple[int, ...]]) -> bool:
    """Whether each rank has the number of a process of its own; numbers in containers are small, as others are, too."""
    of_one_kind = map(list, zip(*processes, strict=True))
    return all(type(part) is int for part in parts) and list(parts) in of_one_kind


def _written(path: Path) -> str:
    """``loss: constants[1]``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f": {part}" if text else part
    return text


def _text(value: Any) -> str:
    return repr(value) if isinstance(value, _Absent) else json.dumps(value)


def _shortened(texts: Sequence[str]) -> list[str]:
    """Long texts from shortly before where they differ."""
    if max(map(len, texts)) <= _MOST_CHARACTERS:
        return list(texts)
    same = next((i for i, each in enumerate(zip(*texts, strict=False)) if len(set(each)) > 1), min(map(len, texts)))
    start = max(same - _BEFORE, 0)
    return [
        ("..." if start else "") + text[start : start + _MOST_CHARACTERS]
        + ("..." if len(text) > start + _MOST_CHARACTERS else "")
        for text in texts
    ]  # fmt: skip
