"""A layer that is saved by itself, in an archive like a model's: ``FeatureSpace``."""

from __future__ import annotations

import os

from distnet.comm.scope import meeting, on_all_ranks
from distnet.errors import CheckpointError
from distnet.paths import check_archive
from distnet.registry import to_json
from distnet.saving import keras_archive, keras_weights, users_state
from distnet.saving.image import Image
from distnet.saving.model_file import put_on_root
from distnet.saving.stored_model import HoldsLayers


@on_all_ranks()
def save_layer(layer: HoldsLayers, filepath: str | os.PathLike[str]) -> None:
    """Let rank 0 write a layer, with those within, to a ``.keras`` archive; every rank returns once it is there.

    Raises:
        ArgumentError: the name ends otherwise.
        CheckpointError: the layer is not built, or the file cannot be written.
    """
    with meeting("save") as ranks:
        check_archive(f"{layer.name}: save: filepath", filepath)
        if not layer.built:
            raise CheckpointError(f"{layer.name}: cannot be saved before it has seen data. Call adapt(data) before.")
    put_on_root(ranks, filepath, True, lambda image: _write(image, layer))


def _write(image: Image, layer: HoldsLayers) -> None:
    keras_archive.compose(
        image,
        to_json(layer),
        None,
        lambda file: keras_weights.write_layers(file, layer),
        users_state.asset_files(layer),
    )
