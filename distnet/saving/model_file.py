"""save_model and load_model: a whole model in one HDF5 file."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, cast

import h5py

from distnet.comm.scope import communicator
from distnet.errors import CheckpointError
from distnet.layers import LAYERS
from distnet.network import Network
from distnet.registry import custom_object_scope, to_json
from distnet.saving import background, keras_h5, training_state
from distnet.saving.image import Image
from distnet.saving.opening import opened
from distnet.types import Json


def save_model(
    model: Network, filepath: str | os.PathLike[str], overwrite: bool = True, include_optimizer: bool = True
) -> None:
    """Write architecture, weights, training configuration and training state to one HDF5 file.

    Rank 0 writes; every rank returns once the file is there. The old file stands until the new one is
    whole.

    Args:
        filepath: any name; missing folders are made.
        overwrite: False refuses to replace a file.
        include_optimizer: False leaves out training configuration and state.

    Raises:
        CheckpointError: the model has no weights yet, or the file cannot be written.

    Source: ``keras.Model.save``.
    """
    write(model, filepath, overwrite, lambda file: _write(file, model, include_optimizer))


def load_model(
    filepath: str | os.PathLike[str],
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,
) -> Any:
    """Make the model that a file holds, with its weights, its compilation and its optimizer's state.

    Args:
        custom_objects: classes and functions of your own that it uses, by name.
        compile: False leaves it uncompiled.

    Raises:
        CheckpointError: there is no such file, or it holds no model that can be read.

    Source: ``keras.models.load_model``.
    """
    with opened(filepath) as file, custom_object_scope(custom_objects):
        configuration = keras_h5.read_config(file, "model_config")
        if configuration is None:
            raise CheckpointError(f"{file.filename}: holds no model (no model_config). Was it saved with save_weights?")
        model = cast(Any, LAYERS.get(configuration))
        if not model.built:
            raise CheckpointError(f"{file.filename}: the model in it does not say the shape of its input.")
        keras_h5.read_weights(file["model_weights"], model.layers)
        training_config = keras_h5.read_config(file, "training_config") if compile else None
        if training_config is not None:
            model.compile_from_config(training_config)
            keras_h5.read_optimizer_state(file, model)
            training_state.read_optimizer_state(file, model)
        model.training_state = training_state.read_training_state(file) or model.training_state
    return model


def restore_training(model: Network, filepath: str | os.PathLike[str]) -> None:
    """Give a compiled model the weights, the optimizer's state and the progress that a file holds.

    Raises:
        CheckpointError: the file is missing, or another model's.
    """
    with opened(filepath) as file:
        state = training_state.read_training_state(file)
        if state is None:
            raise CheckpointError(f"{file.filename}: holds no training to resume; it was not written by distnet.")
        keras_h5.read_weights(file["model_weights"], model.layers)
        training_state.read_optimizer_state(file, model)
        model.training_state = state


def write(
    model: Network, filepath: str | os.PathLike[str], overwrite: bool, content: Callable[[h5py.File], None]
) -> None:
    """Let rank 0 write a file; every rank returns once it is there.

    Raises:
        CheckpointError: the model has no weights yet, or the file cannot be written.
    """
    if not model.built:
        raise CheckpointError(
            f"{model.name}: cannot be saved before its input shape is known. Build or train it first."
        )
    ranks = communicator()
    ranks.meet("save")
    failure = None
    if ranks.rank == 0:
        try:
            if not overwrite and os.path.exists(filepath):
                raise CheckpointError(f"{os.fspath(filepath)}: exists already. Pass overwrite=True to replace it.")
            background.write(filepath, lambda image: _compose(image, content))
        except CheckpointError as error:
            failure = str(error)
    failure = ranks.broadcast_object(failure)
    if failure is not None:
        raise CheckpointError(failure)


def _compose(image: Image, content: Callable[[h5py.File], None]) -> None:
    with h5py.File(image, "w") as file:
        content(file)


def _write(file: h5py.File, model: Network, include_optimizer: bool) -> None:
    training_config: Json | None = None
    if include_optimizer and model.optimizer is not None and model.compile_settings is not None:
        training_config = {**model.compile_settings, "optimizer_config": to_json(model.optimizer)}
    keras_h5.write_header(file, to_json(model), training_config)
    keras_h5.write_weights(file.create_group("model_weights"), model.layers)
    if include_optimizer:
        training_state.write_training_state(file, model)
