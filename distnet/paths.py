"""File names that a user passes, what their ends say of the format, and errors of the system when files are written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from distnet.errors import ArgumentError, CheckpointError

_ARCHIVE = ".keras"
"""Keras 3's archive of a whole model."""
_WEIGHTS = ".weights.h5"
"""Keras 3's layout of weights alone."""
_HDF5 = (".h5", ".hdf5", ".h7")
"""Keras's legacy HDF5 files; the last is how programs of distnet's first tutorial call them."""


def checked_path(where: str, path: object, what: str = "the name of a file") -> str:
    """A file or folder name as a string.

    Args:
        where: who takes it, for messages.
        what: what it should be.

    Raises:
        ArgumentError: ``path`` is no such name.
    """
    text = os.fspath(path) if isinstance(path, str | os.PathLike) else None
    if not isinstance(text, str) or not text or "\0" in text:
        raise ArgumentError(f"{where}: expected {what}, received {path!r:.100}.")
    return text


@contextmanager
def written(where: str, path: str | os.PathLike[str]) -> Iterator[None]:
    """Write a file within the block.

    Args:
        where: who writes it, for messages.

    Raises:
        CheckpointError: the system cannot write it.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise CheckpointError(
            f"{where}: {os.fspath(path)}: cannot be written: {reason}. Choose a file in a writable folder."
        ) from error


def names_archive(where: str, path: str | os.PathLike[str]) -> bool:
    """Whether a whole model is written as Keras 3's archive into a file of this name, not as a legacy HDF5 file.

    Args:
        where: who takes the name, for messages.
        path: the name.

    Raises:
        ArgumentError: it says neither.

    Source: ``keras.saving.save_model``.
    """
    return _says(where, path, _ARCHIVE)


def names_keras_3(where: str, path: str | os.PathLike[str]) -> bool:
    """Whether weights alone are written in Keras 3's layout into a file of this name, not in the legacy one.

    Args:
        where: who takes the name, for messages.
        path: the name.

    Raises:
        ArgumentError: it says neither.

    Source: ``keras.Model.save_weights``.
    """
    return _says(where, path, _WEIGHTS)


def check_archive(where: str, path: str | os.PathLike[str]) -> None:
    """Fail unless the name is that of an archive.

    Raises:
        ArgumentError: it is not.
    """
    text = checked_path(where, path)
    if not text.endswith(_ARCHIVE):
        raise ArgumentError(f"{where}: expected a name that ends in {_ARCHIVE}, received {text!r}.")


def _says(where: str, path: str | os.PathLike[str], of_keras_3: str) -> bool:
    text = checked_path(where, path)
    if not text.endswith((of_keras_3, *_HDF5)):
        raise ArgumentError(
            f"{where}: expected a name that ends in {of_keras_3}, as in Keras 3, or in .h5 or .hdf5 for a legacy HDF5 "
            f"file, received {text!r}. Capitals count."
        )
    return text.endswith(of_keras_3)
