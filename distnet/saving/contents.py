"""What an HDF5 object holds, as what it must be: where it is something else, the error names file and object."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from distnet.errors import CheckpointError
from distnet.saving.late_h5py import h5py
from distnet.types import Array


def text(owner: h5py.Group, name: str) -> str | None:
    """An attribute that is a text; None where there is none.

    Raises:
        CheckpointError: it is something else.
    """
    if name not in owner.attrs:
        return None
    value = owner.attrs[name]
    if not isinstance(value, str | bytes):
        raise _unexpected(owner, _attribute(owner, name, "a text"), value)
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def number(owner: h5py.Group, name: str) -> int:
    """An attribute that is a whole number.

    Raises:
        CheckpointError: it is missing, or something else.
    """
    value = owner.attrs.get(name)
    if not isinstance(value, np.integer | int):
        raise _unexpected(owner, _attribute(owner, name, "a whole number"), value)
    return int(value)


def names(owner: h5py.Group, name: str) -> list[str]:
    """A list of names, each once, from one attribute or from several: see ``keras_h5.write_names``.

    Raises:
        CheckpointError: it is no such list.
    """
    numbered = (f"{name}{part}" for part in itertools.count())
    pieces = [name] if name in owner.attrs else itertools.takewhile(owner.attrs.__contains__, numbered)
    listed = [entry for piece in pieces for entry in _texts(owner, piece)]
    if len(set(listed)) < len(listed):
        twice = next(entry for entry in listed if listed.count(entry) > 1)
        raise CheckpointError(f"{owner.file.filename}: {name} of {owner.name} lists {twice!r:.100} twice.")
    return listed


def _texts(owner: h5py.Group, name: str) -> list[str]:
    value = owner.attrs[name]
    entries = value.tolist() if isinstance(value, np.ndarray) else value
    if not isinstance(entries, list) or not all(isinstance(entry, str | bytes) for entry in entries):
        raise _unexpected(owner, _attribute(owner, name, "a list of names"), value)
    return [entry.decode(errors="replace") if isinstance(entry, bytes) else entry for entry in entries]


def group(parent: h5py.Group, name: str) -> h5py.Group:
    """A group within another one.

    Raises:
        CheckpointError: it is not there, or an array.
    """
    held = parent.get(name)
    if not isinstance(held, h5py.Group):
        raise _unexpected(parent, _object(parent, name, "a group"), held)
    return held


def dataset(parent: h5py.Group, name: str) -> h5py.Dataset:
    """An array within a group, not read yet.

    Raises:
        CheckpointError: it is not there, or a group.
    """
    held = parent.get(name)
    if not isinstance(held, h5py.Dataset):
        raise _unexpected(parent, _object(parent, name, "an array"), held)
    return held


def array(parent: h5py.Group, name: str) -> Array:
    """The values of an array within a group.

    Raises:
        CheckpointError: it is not there, or a group.
    """
    return np.asarray(dataset(parent, name)[()])


def _unexpected(owner: h5py.Group, what: str, value: Any) -> CheckpointError:
    kinds = {h5py.Group: "a group", h5py.Dataset: "an array", type(None): "nothing"}
    return CheckpointError(f"{owner.file.filename}: {what}, found {kinds.get(type(value), f'{value!r:.100}')}.")


def _attribute(owner: h5py.Group, name: str, expected: str) -> str:
    return f"{owner.name}: attribute {name}: expected {expected}"


def _object(parent: h5py.Group, name: str, expected: str) -> str:
    return f"{parent.name.rstrip('/')}/{name} should hold {expected}"
