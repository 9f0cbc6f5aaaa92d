"""Where a dataset's files are: the user's folder, the cache, Keras's cache, the network.

One rank of each node looks first, and downloads if necessary, while the others wait; what it reads it gives them in
memory. An error is raised on every rank.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from distnet.comm import world
from distnet.comm.base import Communicator
from distnet.comm.shared_values import of_first_on_node
from distnet.errors import DatasetError

T = TypeVar("T")

_CONNECT_S = 15
_READ_S = 60
_SHA256_DIGITS = 64


@dataclass(frozen=True)
class RemoteFile:
    """A file that can be downloaded.

    Args:
        dataset: name of its dataset, which is also its folder in ``$DISTNET_DATA``.
        url: where it can be downloaded.
        checksum: SHA-256 of its content, hexadecimal, or MD5 where Keras knows no other; the length tells which. None
            accepts any content.
        room: the folder of the caches, ours and Keras's, that holds it.
        kept_as: its name there, where it is not that of the URL.
    """

    dataset: str
    url: str
    checksum: str | None
    room: str = "datasets"
    kept_as: str | None = None

    @property
    def name(self) -> str:
        """Name of the file."""
        return self.kept_as or self.url.rpartition("/")[2]

    @property
    def algorithm(self) -> str:
        """Kind of the checksum: ``"sha256"`` or ``"md5"``."""
        return "sha256" if len(self.checksum or "") == _SHA256_DIGITS else "md5"


class _OtherContentError(DatasetError):
    """A file of this machine is there, but has another checksum."""


def user_folder(dataset: str) -> Path | None:
    """``$DISTNET_DATA/dataset``; None if ``DISTNET_DATA`` is not set."""
    data = os.environ.get("DISTNET_DATA")
    return Path(data).expanduser() / dataset if data else None


def cache_folder(room: str = "datasets") -> Path:
    """``$DISTNET_HOME/datasets``, by default ``~/.cache/distnet/datasets``; or another room there."""
    home = os.environ.get("DISTNET_HOME")
    return (Path(home).expanduser() if home else Path.home() / ".cache" / "distnet") / room


def locate(remote: RemoteFile, path: str | Path | None = None) -> Path:
    """The user's own copy of ``remote`` in ``$DISTNET_DATA/dataset``, or else what ``obtain`` returns.

    The user's copy is read as it is: it need not be the published file. It may be the unpacked form of a ``.gz``
    file.

    Args:
        remote: the file.
        path: its name in the cache folder, by default its own name, or an absolute path where it is kept.

    Raises:
        DatasetError: there is no copy and none can be downloaded.
    """
    folder = user_folder(remote.dataset)
    if folder is not None:
        for candidate in (folder / remote.name, folder / remote.name.removesuffix(".gz")):
            if candidate.is_file():
                return candidate
    return obtain(remote, remote.name if path is None else path)


def obtain(remote: RemoteFile, path: str | Path) -> Path:
    """A verified copy of ``remote``, downloaded if neither cache holds one.

    Args:
        remote: the file.
        path: its name in the cache folder, or an absolute path where it is kept.

    Raises:
        DatasetError: there is no copy and none can be downloaded; the message lists what was tried.
    """
    target = cache_folder(remote.room) / path
    of_keras = Path.home() / ".keras" / remote.room / (target.name if Path(path).is_absolute() else path)
    tried = [_describe_user_folder(remote.dataset)]
    for candidate in (target, of_keras):
        reason = _defect(candidate, remote)
        if reason is None:
            return candidate
        tried.append(f"{candidate}: {reason}")
    try:
        download(remote, target)
    except _OtherContentError:
        raise
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        tried.append(f"{remote.url}: {reason}")
        lines = "\n".join(f"  - {line}" for line in tried)
        raise DatasetError(
            f"{remote.dataset}: not found on this machine, and it cannot be downloaded. Tried:\n{lines}\n"
            f"Set the environment variable DISTNET_DATA to a folder whose subfolder {remote.dataset}/ holds the "
            f"files, or download the URL elsewhere and copy it to {target}."
        ) from error
    return target


def on_one_rank_first(load: Callable[[], T]) -> T:
    """``load()``, called by one rank of each node before the others; every rank must call this.

    Raises:
        DatasetError: ``load`` failed on some rank; every rank raises the same message.
    """
    comm = world()
    of_first = _on_some(comm, comm.local_rank == 0, load)
    of_others = _on_some(comm, comm.local_rank > 0, load)
    return [*of_first, *of_others][0]


def on_one_rank_only(load: Callable[[], T]) -> T:
    """``load()``, called by one rank of each node, for all of them; every rank must call this.

    The others call it after that one where ranks cannot share memory.

    Raises:
        DatasetError: ``load`` failed on some rank; every rank raises the same message.
    """
    comm = world()
    of_first = _on_some(comm, comm.local_rank == 0, load)
    if comm.size == 1:
        return of_first[0]
    shared = of_first_on_node(comm, of_first[0] if of_first else None)
    if shared is not None:
        return shared
    of_others = _on_some(comm, comm.local_rank > 0, load)
    return [*of_first, *of_others][0]


def _on_some(comm: Communicator, is_one: bool, load: Callable[[], T]) -> list[T]:
    """What ``load`` makes on a rank that is one of those to call it, while the others wait; none on these."""
    loaded: list[T] = []
    failure: str | None = None
    cause: Exception | None = None
    if is_one:
        try:
            loaded.append(load())
        except Exception as error:  # an error kept to this rank would leave the others waiting
            cause = error
            failure = str(error) if isinstance(error, DatasetError) else f"{type(error).__name__}: {error}"
    failures = [other for other in comm.allgather_object(failure) if other is not None]
    if failures:
        raise DatasetError(failures[0]) from cause
    return loaded


def _describe_user_folder(dataset: str) -> str:
    folder = user_folder(dataset)
    if folder is None:
        return "the environment variable DISTNET_DATA: not set"
    return f"{folder} (from DISTNET_DATA): " + ("none of the dataset's files" if folder.is_dir() else "no such folder")


def _defect(path: Path, remote: RemoteFile) -> str | None:
    try:
        if not path.is_file():
            return "no such file"
        return None if remote.checksum in (None, _hash(path, remote)) else "its checksum is wrong"
    except OSError as error:
        return f"cannot be read: {error}"


def _hash(path: Path, remote: RemoteFile) -> str:
    import pooch  # slow to import, needed by few

    return str(pooch.file_hash(str(path), alg=remote.algorithm))


def download(remote: RemoteFile, target: Path) -> None:
    """Download a file and check it; ``target`` appears whole or not at all.

    Raises:
        OSError, ValueError: the download fails, or has another checksum.
    """
    if urlsplit(remote.url).scheme == "file":
        _copy(remote, target)
        return
    import pooch  # slow to import, needed by few

    pooch.get_logger().setLevel("WARNING")  # it advises to call itself with a hash
    downloader = pooch.HTTPDownloader(timeout=(_CONNECT_S, _READ_S))
    known_hash = None if remote.checksum is None else f"{remote.algorithm}:{remote.checksum}"
    pooch.retrieve(remote.url, known_hash=known_hash, fname=target.name, path=target.parent, downloader=downloader)


def _copy(remote: RemoteFile, target: Path) -> None:
    """Like ``download``, for a ``file://`` URL."""
    from urllib.request import url2pathname  # slow to import, needed by few

    source = Path(url2pathname(urlsplit(remote.url).path))
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as made:
        copied = Path(made) / target.name
        shutil.copyfile(source, copied)
        if remote.checksum not in (None, _hash(copied, remote)):
            raise _OtherContentError(
                f"{source}: its {remote.algorithm} checksum is {_hash(copied, remote)}, expected {remote.checksum}. "
                "Give the checksum of this file, or the file of this checksum."
            )
        copied.replace(target)
