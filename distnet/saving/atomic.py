"""Replaces a file whole or not at all."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from distnet.errors import CheckpointError
from distnet.naming import older_file
from distnet.saving.seal import seal_of

_PIECE_BYTES = 1 << 24
_CANNOT_SYNC = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP)
"""What ``fsync`` answers where a file system does not know it; nothing is lost by it."""


def put(path: str | os.PathLike[str], content: memoryview, keep: int = 1) -> None:
    """Write ``content`` and its seal to ``path``, and keep the ``keep - 1`` previous files under older names.

    The data is on the disk before the name changes, so that a crash at any instant leaves the old
    file or the new one. Missing folders are made, links are followed.

    Raises:
        CheckpointError: the folder cannot be written to, the disk is full, or ``path`` is a folder,
            a device or a pipe. The old file then remains.
    """
    target = os.path.realpath(os.fspath(path))
    if os.path.exists(target) and not os.path.isfile(target):
        # Renaming over a device would take it away from the whole machine.
        raise CheckpointError(f"{target}: cannot be written: it is not a regular file. Save to another file.")
    folder = os.path.dirname(target)
    try:
        os.makedirs(folder, exist_ok=True)
        _clean(target)
        with _temporary(target) as (handle, temporary):
            _write(handle, content)
            _write(handle, memoryview(seal_of(content)))
            _sync(handle)
            with suppress(OSError):  # readers lock files, too: they need not wait until this one is closed
                fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
            _exchange(temporary, target, keep)
        _flush(folder)
    except OSError as error:
        raise CheckpointError(
            f"{target}: cannot be written: {error}. The previous file, if any, is unchanged."
        ) from error


@contextmanager
def _temporary(target: str) -> Iterator[tuple[int, str]]:
    """A locked file next to ``target``, deleted at the end unless it was renamed."""
    handle, path = _locked(target)
    try:
        yield handle, path
    finally:
        with suppress(OSError):
            if os.path.samestat(os.fstat(handle), os.stat(path)):
                os.unlink(path)
        os.close(handle)


def _locked(target: str) -> tuple[int, str]:
    """A new temporary file whose lock says that its writer lives; its mode is a new file's."""
    while True:
        path = _temporary_name(target)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        with suppress(OSError):  # some network file systems know no locks: nothing is cleaned there
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.exists(path):  # else another writer has just taken it for a dead one's
            return handle, path
        os.close(handle)


def _clean(target: str) -> None:
    """Delete the temporary files that writers of ``target`` left behind when they were killed."""
    folder, name = os.path.split(target)
    for entry in os.scandir(folder):
        if not re.fullmatch(rf"\.{re.escape(name)}\.[0-9a-f]{{12}}\.tmp", entry.name):
            continue
        with suppress(OSError):
            handle = os.open(entry.path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.unlink(entry.path)
            finally:
                os.close(handle)


def _exchange(temporary: str, target: str, keep: int) -> None:
    """Put the new file in its place, and only then make the one before it, and those before that, one older."""
    if keep < 2 or not os.path.exists(target):
        os.replace(temporary, target)
        return
    second_name = _temporary_name(target)
    try:
        os.link(target, second_name)
    except OSError:
        os.replace(target, second_name)  # a file system without links: for an instant only older files are there
    os.replace(temporary, target)
    for number in range(keep - 2, 0, -1):
        if os.path.exists(older_file(target, number)):
            os.replace(older_file(target, number), older_file(target, number + 1))
    os.replace(second_name, older_file(target, 1))


def _temporary_name(target: str) -> str:
    folder, name = os.path.split(target)
    return os.path.join(folder, f".{name}.{secrets.token_hex(6)}.tmp")


def _write(handle: int, content: memoryview) -> None:
    while content:
        content = content[os.write(handle, content[:_PIECE_BYTES]) :]


def _flush(folder: str) -> None:
    """Wait until a folder's entries are on the disk, where folders can be read and synced; the file stands by now."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    except PermissionError:
        return
    try:
        _sync(handle)
    finally:
        os.close(handle)


def _sync(handle: int) -> None:
    """Wait until what was written is on the disk; some file systems cannot say so."""
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _CANNOT_SYNC:
            raise
