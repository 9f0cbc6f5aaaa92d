"""Keras 3's ``.keras`` archive: a zip of two JSON texts and a ``model.weights.h5``.

::

    metadata.json       {"keras_version", "date_saved"}
    config.json         {"module", "class_name", "config", "registered_name", "compile_config"}
    model.weights.h5    see ``keras_weights``; with distnet's training state as one more group, which Keras passes over
    assets/...          files that users' layers keep: see ``users_state``

Source: ``keras.saving.saving_lib`` of Keras 3.15.
"""

from __future__ import annotations

import io
import json
import os
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import IO, Any, cast

from distnet import allocation
from distnet.dialects.reading import in_present_words
from distnet.errors import CheckpointError
from distnet.layers import LAYERS
from distnet.losses import LOSSES
from distnet.metrics import METRICS
from distnet.optimizers import OPTIMIZERS
from distnet.registry import beside, said_beside
from distnet.saving import rules
from distnet.saving.image import Image
from distnet.saving.json_text import parsed
from distnet.saving.late_h5py import h5py
from distnet.saving.seal import is_sealed
from distnet.saving.users_state import ASSETS
from distnet.saving.vetting import examine, examined_by_a_neighbour
from distnet.types import Json

_CONFIG, _METADATA, _WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
_KERAS_VERSION = "3.11.0"
_SIGNATURE = b"PK\x03\x04"


class _Member(io.BytesIO):
    """A file within the archive, read into memory; h5py calls it by its representation."""

    def __init__(self, name: str, content: bytes) -> None:
        super().__init__(content)
        self._name = name

    def __repr__(self) -> str:
        return self._name


def is_archive(path: str | os.PathLike[str]) -> bool:
    """Whether the file is a zip archive, whatever its name."""
    with open(path, "rb") as file:
        return file.read(len(_SIGNATURE)) == _SIGNATURE


def compose(
    image: Image,
    model: Json,
    settings: Mapping[str, Json] | None,
    write_weights: Callable[[h5py.File], None],
    assets: Mapping[str, bytes],
) -> None:
    """Write an archive.

    Args:
        model: the model's configuration.
        settings: its ``training_config``; None where it is not to be compiled.
        write_weights: fills ``model.weights.h5``.
        assets: further files, by their names.
    """
    weights = Image()
    with h5py.File(weights, "w") as file:
        write_weights(file)
    metadata = {"keras_version": _KERAS_VERSION, "date_saved": datetime.now().strftime("%Y-%m-%d@%H:%M:%S")}
    config = {**cast(dict[str, Json], LAYERS.with_module(model)), "compile_config": compile_config(settings)}
    if settings and beside(settings):
        config = said_beside(config, **beside(settings))  # Keras 3 takes every key within for an argument of compile
    with zipfile.ZipFile(cast(IO[bytes], image), "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(_METADATA, json.dumps(metadata))
        archive.writestr(_CONFIG, json.dumps(config))
        with archive.open(_WEIGHTS, "w", force_zip64=True) as member:
            member.write(weights.content())
        for name, content in assets.items():
            archive.writestr(name, content)


@contextmanager
def unpacked(path: str) -> Iterator[tuple[dict[str, Any], h5py.File, dict[str, bytes]]]:
    """The configuration in an archive, its ``model.weights.h5`` open for reading, and further files by their names.

    The archive's own names reach no disk: its weights are examined in a temporary file, and read from memory.

    Raises:
        CheckpointError: it is damaged, is no archive of a model, or its members would fill the memory.
    """
    is_sealed(path)  # for what it raises: its words for damage say more
    try:
        with zipfile.ZipFile(path) as archive:
            text, weights = _content(archive, path, _CONFIG), _content(archive, path, _WEIGHTS)
            version = _keras_version(archive, path)
            names = [name for name in archive.namelist() if name.startswith(ASSETS) and not name.endswith("/")]
            assets = {name: _content(archive, path, name) for name in names}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise CheckpointError(f"{path}: damaged, or no .keras archive: {error}.") from None
    config = in_present_words(parsed(text, f"{path}: {_CONFIG}"), version)
    with examined_by_a_neighbour(weights) as is_examined:
        if not is_examined:
            _examine(weights, path)
    member = _Member(f"{path}/{_WEIGHTS}", weights)
    with h5py.File(member, "r") as file, allocation.awaiting(rules.check(file, len(weights))):
        yield config, file, assets


def compile_config(training_config: Mapping[str, Json] | None) -> dict[str, Json]:
    """The arguments of ``compile`` in Keras 3's form: each object with its module."""
    if training_config is None:
        return {}
    return {
        "optimizer": OPTIMIZERS.with_module(training_config["optimizer_config"]),
        "loss": LOSSES.with_module(training_config["loss"]),
        "loss_weights": training_config["loss_weights"],
        "metrics": METRICS.with_module(training_config["metrics"]),
        "weighted_metrics": METRICS.with_module(training_config["weighted_metrics"]),
    }


def training_config(config: Mapping[str, Any]) -> dict[str, Any] | None:
    """The ``compile_config`` of a model's configuration in the words of a whole-model file; None without one."""
    compiled = config.get("compile_config")
    return said_beside(compiled, **beside(config)) if compiled else None


def _keras_version(archive: zipfile.ZipFile, path: str) -> object:
    """The Keras that wrote the archive, for the meaning of its words; None where it does not say."""
    if _METADATA not in archive.namelist():
        return None
    return parsed(_content(archive, path, _METADATA), f"{path}: {_METADATA}").get("keras_version")


def _content(archive: zipfile.ZipFile, path: str, name: str) -> bytes:
    """A member's bytes, after a check that its size is plausible."""
    members = [info for info in archive.infolist() if info.filename == name]
    if len(members) != 1:
        raise CheckpointError(f"{path}: expected one {name} in the archive, found {len(members)}.")
    size, stored, method = members[0].file_size, members[0].compress_size, members[0].compress_type
    if method not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise CheckpointError(f"{path}: {name} is compressed by method {method}; expected deflate or none.")
    if stored > os.path.getsize(path) or size > rules.most_bytes(stored):
        raise CheckpointError(f"{path}: {name} claims to hold {size} bytes, of which {stored} are stored. Refused.")
    with archive.open(members[0]) as member:
        content = member.read(size)  # without a size it would first unpack what the archive does not declare
    if len(content) < size:
        raise CheckpointError(f"{path}: damaged: {name} claims to hold {size} bytes, but holds {len(content)}.")
    return content


def _examine(weights: bytes, path: str) -> None:
    """Read the weights in another process first, as any HDF5 file."""
    with tempfile.NamedTemporaryFile(suffix=f"-{_WEIGHTS}") as copy:
        copy.write(weights)
        copy.flush()
        try:
            examine(copy.name)
        except CheckpointError as error:
            raise CheckpointError(str(error).replace(copy.name, f"{path}/{_WEIGHTS}")) from None
