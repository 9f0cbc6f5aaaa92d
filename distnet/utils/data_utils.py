"""Files from the network, kept for the next time; Keras 2's path of ``get_file`` and ``Sequence``."""

from __future__ import annotations

import os
import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Sequence as Formats
from functools import partial
from pathlib import Path
from typing import IO, cast
from urllib.parse import urlsplit

from distnet.comm import world
from distnet.data.py_dataset import PyDataset as PyDataset
from distnet.data.py_dataset import Sequence as Sequence
from distnet.datasets import fetch
from distnet.errors import ArgumentError, DatasetError

_LONGEST_NAME = 200
"""Bytes: the systems' files have names of at most 255, and more is appended while one is loaded or unpacked."""


def get_file(
    fname: str | os.PathLike[str] | None = None,
    origin: str | None = None,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: str = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: str | Formats[str] | None = "auto",
    cache_dir: str | os.PathLike[str] | None = None,
    force_download: bool = False,
) -> str:
    """The path of a file, downloaded unless it exists; one rank of each node downloads, every rank must call it.

    Args:
        fname: its name in the cache; by default the last part of the URL.
        origin: its URL; ``file://`` copies a file of this machine.
        untar: like ``extract``, for a tar archive.
        md5_hash, file_hash: MD5 or SHA-256 of its content, told apart by their length; without one, any content is
            accepted.
        cache_subdir, cache_dir: it is kept in ``cache_dir/cache_subdir``; ``cache_dir`` is ``$DISTNET_HOME``
            by default, or ``~/.cache/distnet``.
        extract: unpack it, and return the folder ``{name}_extracted``.
        archive_format: ``"auto"``, ``"tar"``, ``"zip"``, or a list of these; None unpacks nothing.
        force_download: download it even if it exists.

    Raises:
        ArgumentError: there is no URL, or the name is none of a file in the cache.
        DatasetError: the file cannot be downloaded or unpacked, or has another checksum.

    Source: ``keras.utils.get_file``.
    """
    if not origin:
        raise ArgumentError("get_file: expected origin, the URL of the file.")
    name = os.fspath(fname or os.path.basename(urlsplit(origin).path))
    if name in ("", os.curdir, os.pardir) or os.path.basename(name) != name or "\0" in name:
        raise ArgumentError(f"get_file: expected fname, a name without folders, received {name!r}. See cache_dir.")
    if len(os.fsencode(name)) > _LONGEST_NAME:
        raise ArgumentError(
            f"get_file: expected fname, a name of at most {_LONGEST_NAME} bytes, received {name!r:.100} of "
            f"{len(os.fsencode(name))}. Give a shorter fname."
        )
    if hash_algorithm not in ("auto", "md5", "sha256"):
        raise ArgumentError(
            f"get_file: expected hash_algorithm 'auto', 'md5' or 'sha256', received {hash_algorithm!r}."
        )
    base = fetch.cache_folder().parent if cache_dir is None else Path(cache_dir).expanduser().absolute()
    target = base / cache_subdir / name
    formats = ("tar",) if untar else _formats(archive_format)
    if not (extract or untar):
        folder = None
    elif fname is None or "." not in name:  # Keras keeps this name for what is in the archive
        folder, target = target, target.with_name(f"{name}_archive")
    else:
        folder = target.with_name(f"{name.partition('.')[0]}_extracted")
    load = partial(_load, origin, target, file_hash or md5_hash, folder, formats, force_download)
    return str(fetch.on_one_rank_first(load))


def _load(
    origin: str, target: Path, checksum: str | None, folder: Path | None, formats: Formats[str], force: bool
) -> Path:
    remote = fetch.RemoteFile(target.stem, origin, checksum)
    if force and world().local_rank == 0:
        target.unlink(missing_ok=True)
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
        try:
            fetch.download(remote, target)
        except (OSError, ValueError) as error:
            if isinstance(error, DatasetError):
                raise
            raise DatasetError(f"get_file: {origin}: cannot be downloaded: {error}") from error
    path = fetch.obtain(remote, target)
    if folder is None:
        return path
    if not folder.is_dir():
        _unpack(path, folder, formats)
    return folder


def _formats(archive_format: str | Formats[str] | None) -> Formats[str]:
    if archive_format is None:
        return ()
    if archive_format == "auto":
        return ("tar", "zip")
    return (archive_format,) if isinstance(archive_format, str) else tuple(archive_format)


def _unpack(path: Path, folder: Path, formats: Formats[str]) -> None:
    """Unpack an archive into a new folder, which appears whole; nothing is written outside it."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as made:
        within = Path(made) / folder.name
        try:
            if "tar" in formats and tarfile.is_tarfile(path):
                _unpack_tar(path, within)
            elif "zip" in formats and zipfile.is_zipfile(path):
                with zipfile.ZipFile(path) as zipped:
                    zipped.extractall(within)
            else:
                raise DatasetError(f"{path}: expected an archive of {' or '.join(formats) or 'no format'}.")
        except (OSError, tarfile.TarError, zipfile.BadZipFile) as error:
            if isinstance(error, DatasetError):
                raise
            raise DatasetError(f"{path}: cannot be unpacked: {error}.") from error
        within.rename(folder)


def _unpack_tar(path: Path, folder: Path) -> None:
    """Write only an archive's plain files: the filters of ``tarfile`` are missing before Python 3.11.4."""
    folder.mkdir()
    with tarfile.open(path) as tar:
        for member in tar:
            target = (folder / member.name).resolve()
            if not target.is_relative_to(folder.resolve()) or not (member.isfile() or member.isdir()):
                raise DatasetError(f"{path}: its member {member.name} is no plain file below the archive's folder.")
            if member.isdir():
                target.mkdir(parents=True, exist_ok=True)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            with cast(IO[bytes], tar.extractfile(member)) as source, target.open("wb") as unpacked:
                shutil.copyfileobj(source, unpacked)
