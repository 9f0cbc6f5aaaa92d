"""Nested lists, tuples and dicts of tensors, in Keras's order: that of a dict is that of its keys.

Source: ``keras.tree``.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias, cast

Path: TypeAlias = tuple[Any, ...]
"""The keys and places by which a leaf is reached."""


def is_nested(structure: Any) -> bool:
    """Whether it is a list, a tuple or a dict."""
    return _nests(cast(Hashable, type(structure)))


@cache
def _nests(kind: Any) -> bool:
    """Whether structures of this type are nested: known of each type, since every call of a user's layer asks."""
    return issubclass(kind, Mapping | list | tuple)


def items(structure: Any) -> list[tuple[Any, Any]]:
    """The items of a list, tuple or dict, with their places or keys; keys are sorted, except in an OrderedDict."""
    if not isinstance(structure, Mapping):
        return list(enumerate(structure))
    try:
        keys = list(structure) if isinstance(structure, OrderedDict) else sorted(structure)
    except TypeError:
        keys = list(structure)
    return [(key, structure[key]) for key in keys]


def paths(structure: Any, is_inner: Callable[[Any], bool] = is_nested) -> Iterator[tuple[Path, Any]]:
    """The leaves, and how they are reached.

    Args:
        is_inner: whether something is no leaf; by default every list, tuple and dict.
    """
    if is_inner(structure):
        for key, value in items(structure):
            yield from (((key, *path), leaf) for path, leaf in paths(value, is_inner))
    else:
        yield (), structure


def leaves(structure: Any, is_inner: Callable[[Any], bool] = is_nested) -> Iterator[Any]:
    """What nested lists, tuples and dicts hold, in order."""
    if not is_inner(structure):
        return iter((structure,))
    if is_inner is is_nested and isinstance(structure, list | tuple) and not any(map(is_nested, structure)):
        return iter(structure)
    return (leaf for _, leaf in paths(structure, is_inner))


def packed(structure: Any, flat: Sequence[Any]) -> Any:
    """The values in the form of ``structure``, which has as many leaves."""
    return _packed(structure, iter(flat))


def mapped(function: Callable[[Any], Any], structure: Any) -> Any:
    """The structure with ``function`` applied to every leaf."""
    if not is_nested(structure):
        return function(structure)
    if type(structure) in (list, tuple):
        return type(structure)([mapped(function, part) for part in structure])
    if type(structure) is dict:
        values = {key: mapped(function, value) for key, value in items(structure)}
        return {key: values[key] for key in structure}
    return packed(structure, [function(leaf) for leaf in leaves(structure)])


def holds_tensors(value: Any) -> bool:
    """Whether it is a structure of arrays, placeholders or data frames; a list of numbers is one array."""
    if isinstance(value, Mapping):
        return True
    return isinstance(value, list | tuple) and bool(value) and all(map(_is_tensor_or_structure, value))


def form_of(given: Any) -> Any:
    """The lists, tuples and dicts that hold arrays, with None in the place of these."""
    if isinstance(given, Mapping):
        return {key: form_of(value) for key, value in given.items()}
    return type(given)(form_of(value) for value in given) if holds_tensors(given) else None


def _is_tensor_or_structure(value: Any) -> bool:
    return bool(getattr(value, "shape", ())) or hasattr(value, "to_numpy") or holds_tensors(value)


def _packed(structure: Any, flat: Iterator[Any]) -> Any:
    if not is_nested(structure):
        return next(flat)
    values = {key: _packed(value, flat) for key, value in items(structure)}
    if isinstance(structure, Mapping):
        ordered = {key: values[key] for key in structure}
        return OrderedDict(ordered) if isinstance(structure, OrderedDict) else ordered
    parts = [values[i] for i in range(len(structure))]
    if isinstance(structure, list):
        return parts
    return type(structure)(*parts) if hasattr(structure, "_fields") else tuple(parts)


@dataclass(frozen=True)
class Slot:
    """The place of a tensor among the arguments of a call."""

    number: int


def slotted(structure: Any, is_tensor: Callable[[Any], bool]) -> tuple[Any, list[Any]]:
    """The structure with slots in the place of tensors, and the tensors in order."""
    tensors: list[Any] = []

    def taken(leaf: Any) -> Any:
        if not is_tensor(leaf):
            return leaf
        tensors.append(leaf)
        return Slot(len(tensors) - 1)

    return mapped(taken, structure), tensors


def filled(structure: Any, tensors: Sequence[Any]) -> Any:
    """The structure with tensors in the place of slots."""
    return mapped(lambda leaf: tensors[leaf.number] if type(leaf) is Slot else leaf, structure)
