"""What users' layers keep by methods of their own, where a format has no place for it among the weights.

::

    <file>.h5        /distnet_own_state, a tree: the arrays of ``save_own_variables``, by the layers' paths
    <file>.keras     assets/<path>/...: the files of ``save_assets``, as Keras 3 writes them

Source: ``keras.saving.saving_lib`` of Keras 3.15, for the archive.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from distnet.errors import CheckpointError
from distnet.layers.engine.own_state import arrays_of, every_layer, has_assets, has_own_variables
from distnet.saving import contents
from distnet.saving.array_tree import read_tree, write_tree
from distnet.saving.late_h5py import h5py
from distnet.saving.stored_model import HoldsLayers, StoredModel

_GROUP = "distnet_own_state"
ASSETS = "assets/"
"""What the names of such files in an archive begin with."""


def write_arrays(file: h5py.File, model: StoredModel) -> None:
    """Write the arrays into a legacy file, if there are layers that have some."""
    arrays = {path: arrays_of(layer) for path, layer in _each(model) if has_own_variables(layer)}
    if arrays:
        write_tree(file.create_group(_GROUP), arrays, f"{model.name}: save_own_variables")


def read_arrays(file: h5py.File, model: StoredModel) -> None:
    """Give the arrays in a legacy file to the layers that wrote them; Keras writes none there."""
    if _GROUP not in file:
        return
    kept = read_tree(contents.group(file, _GROUP))
    for path, layer in _each(model):
        if has_own_variables(layer) and isinstance(kept, Mapping) and isinstance(kept.get(path), Mapping):
            layer.load_own_variables(kept[path])


def asset_files(model: HoldsLayers) -> dict[str, bytes]:
    """The contents of all files that layers keep, by their names in the archive."""
    files: dict[str, bytes] = {}
    for path, layer in _each(model):
        if not has_assets(layer):
            continue
        with tempfile.TemporaryDirectory() as folder:
            layer.save_assets(folder)
            for file in sorted(Path(folder).rglob("*")):
                if file.is_file():
                    files[f"{ASSETS}{PurePosixPath(path, file.relative_to(folder).as_posix())}"] = file.read_bytes()
    return files


def give_assets(model: HoldsLayers, files: Mapping[str, bytes]) -> None:
    """Hand the files of an archive to the layers that wrote them.

    Raises:
        CheckpointError: a name leads out of the layer's folder.
    """
    for path, layer in _each(model):
        if not has_assets(layer):
            continue
        with tempfile.TemporaryDirectory() as folder:
            for name, content in files.items():
                parts = PurePosixPath(name).parts
                if ".." in parts or name.startswith("/"):
                    raise CheckpointError(f"{name!r}: expected the name of a file within the archive. Refused.")
                own = PurePosixPath(ASSETS, path)
                if PurePosixPath(name).is_relative_to(own):
                    target = Path(folder, *parts[len(own.parts) :])
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(content)
            layer.load_assets(folder)


def _each(model: HoldsLayers) -> Iterator[tuple[str, Any]]:
    yield "", model
    yield from every_layer(model)
