"""JSON that holds arrays, as a group of an HDF5 file.

::

    <group>/json      the text as UTF-8 bytes, with {"__array__": n} in the place of an array
    <group>/<n>       the arrays

A dataset, for an attribute holds 64 KiB at most.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from distnet.errors import ArgumentError, CheckpointError
from distnet.saving import contents, json_text
from distnet.saving.late_h5py import h5py
from distnet.types import Array, Json

_TEXT = "json"
_ARRAY = "__array__"
_MOST_VALUES = 1 << 20


def write_tree(group: h5py.Group, tree: Any, what: str) -> None:
    """Write dicts, lists, numbers, texts and arrays into an empty group.

    Args:
        what: the tree's name, for messages.

    Raises:
        ArgumentError: something in it is none of these; names where.
    """
    arrays: list[Array] = []
    text = json.dumps(_without_arrays(tree, arrays, what))
    group[_TEXT] = np.frombuffer(text.encode(), np.uint8)
    for i, array in enumerate(arrays):
        group[str(i)] = array


def read_tree(group: h5py.Group) -> Any:
    """What ``write_tree`` wrote; tuples have become lists.

    Raises:
        CheckpointError: the group holds no such thing.
    """
    text = _numbers(group, _TEXT).tobytes()
    try:
        return _with_arrays(json_text.values(text, f"{group.file.filename}: {group.name}", _MOST_VALUES), group, set())
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{group.file.filename}: {group.name} is damaged: {error!r}.") from None


def _without_arrays(tree: Any, arrays: list[Array], where: str) -> Json:
    if tree is None or isinstance(tree, bool | int | float | str):
        return tree
    if isinstance(tree, np.generic) and tree.dtype.kind in "biuf":
        number: Json = tree.item()
        return number
    if isinstance(tree, np.ndarray) and tree.dtype.kind in "biuf":
        arrays.append(tree)
        return {_ARRAY: len(arrays) - 1}
    if isinstance(tree, list | tuple):
        return [_without_arrays(value, arrays, f"{where}[{i}]") for i, value in enumerate(tree)]
    if isinstance(tree, Mapping) and all(isinstance(key, str) and key != _ARRAY for key in tree):
        return {key: _without_arrays(value, arrays, f"{where}[{key!r}]") for key, value in tree.items()}
    raise ArgumentError(
        f"{where}: expected numbers, texts, arrays, and lists and dicts (by text) of these, received {tree!r:.100}."
    )


def _with_arrays(tree: Json, group: h5py.Group, read: set[str]) -> Any:
    """The tree with its arrays, each of which stands in one place: they take no more memory than the file says."""
    if isinstance(tree, list):
        return [_with_arrays(value, group, read) for value in tree]
    if not isinstance(tree, dict):
        return tree
    if _ARRAY not in tree:
        return {key: _with_arrays(value, group, read) for key, value in tree.items()}
    name = str(tree[_ARRAY])
    if not name.isdecimal() or name in read:
        raise ValueError(f"expected each array once, by its number, found {name!r:.100}")
    read.add(name)
    return _numbers(group, name)


def _numbers(group: h5py.Group, name: str) -> Array:
    values = contents.array(group, name)
    if values.dtype.kind not in "biuf":
        raise CheckpointError(f"{group.file.filename}: {group.name}/{name} should hold an array of numbers.")
    return values
