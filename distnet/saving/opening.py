"""A file is examined before it is opened, and its errors are its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from distnet import allocation
from distnet.errors import (
    CheckpointError,
    CommunicationError,
    DistnetError,
    MissingCheckpointError,
    MissingPackageError,
    UnknownNameError,
    UnknownObjectError,
)
from distnet.saving import background, rules
from distnet.saving.late_h5py import h5py
from distnet.saving.seal import is_sealed
from distnet.saving.vetting import examine, examined_by_a_neighbour, is_trusted


@contextmanager
def opened(filepath: str | os.PathLike[str]) -> Iterator[h5py.File]:
    """The HDF5 file, open for reading; every error within names the file.

    Another process has read it before, also where it bears distnet's seal, which anybody can make. Variables
    made within the block wait for the file's values, of which there must be enough.

    Raises:
        UnknownObjectError: it names a class or function that is not there.
        CheckpointError: it is missing, no HDF5, damaged, or holds what a model's file does not hold.
    """
    path = os.fspath(filepath)
    with errors_of(path):
        if not is_trusted(path):
            examine_whole(path)
        with h5py.File(path, "r") as file, allocation.awaiting(rules.check(file, os.path.getsize(path))):
            yield file


@contextmanager
def errors_of(path: str) -> Iterator[None]:
    """Read a file within the block: every error names the file, and what is wrong with the file is a CheckpointError.

    Raises:
        UnknownObjectError: it names a class or function that is not there.
        MissingCheckpointError: there is no such file.
        CheckpointError: it is damaged, or holds what a model's file does not hold.
    """
    background.wait()  # it may be this file that is on its way
    try:
        if os.path.exists(path) and not os.path.isfile(path):
            raise CheckpointError(f"{path}: is no regular file.")
        yield
    except (CommunicationError, MissingPackageError):
        raise
    except CheckpointError as error:
        if path in str(error):
            raise
        raise CheckpointError(f"{path}: {error}") from error
    except UnknownNameError as error:
        raise UnknownObjectError(f"{path}: {error}") from error
    except DistnetError as error:
        raise CheckpointError(f"{path}: {error}") from error
    except FileNotFoundError:
        raise MissingCheckpointError(f"{path}: there is no such file.") from None
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read: {error}.") from error
    except MemoryError as error:
        raise CheckpointError(f"{path}: reading it takes more memory than there is.") from error
    except Exception as error:  # a bug, of distnet or of the user's own layer: it stays what it is
        error.add_note(f"It was raised while {path} was read.")
        raise


def examine_whole(path: str) -> None:
    """Fail unless the file is what was sealed, if it is sealed, and can be read.

    Raises:
        CheckpointError: says what is wrong.
        OSError: it cannot be read.
    """
    with examined_by_a_neighbour(path) as is_examined:
        if not is_examined:
            is_sealed(path)  # for what it raises: its words for damage say more
            examine(path)
