"""save_model and load_model: a whole model in one file."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, cast

from distnet import config
from distnet.comm import Communicator
from distnet.comm.scope import meeting, on_all_ranks
from distnet.dialects import input_shapes
from distnet.errors import ArgumentError, CheckpointError
from distnet.layers import LAYERS
from distnet.parallel.realigning import realign
from distnet.paths import names_archive
from distnet.registry import custom_object_scope
from distnet.registry.code import code_allowed
from distnet.saving import background, formats, keras_weights, state_group, users_state
from distnet.saving.image import Image
from distnet.saving.stored_model import StoredModel, WholeModel


def save_model(
    model: WholeModel,
    filepath: str | os.PathLike[str],
    overwrite: bool = True,
    include_optimizer: bool = True,
    keras_optimizer: bool = False,
    save_format: str | None = None,
) -> None:
    """Write architecture, weights, training configuration and training state to one file.

    Rank 0 writes; every rank returns once the file is there. The old file stands until the new one is
    whole.

    Args:
        filepath: a name that ends in ``.keras`` makes Keras 3's archive, from which Keras 3 trains on; one that ends
            in ``.h5`` or ``.hdf5`` a legacy HDF5 file. Missing folders are made.
        overwrite: False refuses to replace a file.
        include_optimizer: False leaves out training configuration and state.
        keras_optimizer: True writes an HDF5 file for Keras 2 alone, with the optimizer's state, from which it then
            trains on. Where no one form suits both Keras 2 and Keras 3, this file has that of Keras 2, every other
            that of Keras 3: calls with ``initial_state``, ``MultiHeadAttention``, what ``hard_sigmoid`` means. From
            any such file Keras 3 cannot train before it has called ``compile`` again.
        save_format: Keras 2's ``"h5"`` or ``"keras"``, ignored: the name decides, as in Keras 3.

    Raises:
        ArgumentError: the name says no format, or ``save_format`` another one.
        CheckpointError: the model has no weights yet, or the file cannot be written.

    Source: ``keras.Model.save``.
    """
    if save_format not in (None, "h5", "keras"):
        raise ArgumentError(
            f"save: save_format: expected 'h5' or 'keras', received {save_format!r}. Leave it out: the end of filepath "
            "says the format. TensorFlow's SavedModel cannot be written."
        )
    is_archive = names_archive("save: filepath", filepath)
    write(
        model,
        filepath,
        overwrite,
        lambda image: formats.write_whole(image, model, is_archive, include_optimizer, keras_optimizer),
    )


def load_model(
    filepath: str | os.PathLike[str],
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,
    safe_mode: bool = True,
) -> Any:
    """Make the model that a file holds, with its weights, its compilation and its optimizer's state.

    Args:
        custom_objects: classes and functions of your own that it uses, by name.
        compile: False leaves it uncompiled.
        safe_mode: False runs the code of ``Lambda`` layers; only for files that you trust.

    Raises:
        CheckpointError: there is no such file, or it holds no model that can be read.

    Source: ``keras.models.load_model``.
    """
    with (
        code_allowed(not safe_mode or config.runs_code()),
        custom_object_scope(custom_objects),
        formats.saved(filepath) as saved,
    ):
        if saved.model_config is None:
            raise CheckpointError(
                f"{os.fspath(filepath)}: holds no model (no model_config). Was it saved with save_weights?"
            )
        model = cast(Any, LAYERS.get(saved.model_config))
        build_config = saved.model_config.get("build_config")
        if not model.built and isinstance(build_config, Mapping) and build_config:
            model.build_from_config(build_config)
        if model.has_own_files:
            if not model.built:
                raise CheckpointError(f"{os.fspath(filepath)}: does not say how the {model.name} in it was built.")
            keras_weights.read_weights(saved.file, model)
            users_state.give_assets(model, saved.assets)
            return model
        if not model.built:
            _build(model, saved, os.fspath(filepath))
        state_group.build_layers(saved.file, model)
        saved.read_weights(model)
        users_state.give_assets(model, saved.assets)
        if compile and saved.training_config is not None:
            model.compile_from_config(saved.training_config)
            saved.read_optimizer_state(model, not _says_what_is_frozen(model, saved.model_config))
        saved.read_attached(model)
        model.training_state = state_group.read_training_state(saved.file) or model.training_state
    return model


def _says_what_is_frozen(model: Any, config: Mapping[str, Any]) -> bool:
    """Whether the configuration has all layers, not those that layers and models with a ``call`` make by themselves."""
    is_listed = config.get("class_name") in ("Sequential", "Functional", "Model")
    return is_listed and not any(True for layer in model.layers for _ in layer.inner_layers())


def _build(model: Any, saved: formats.Saved, where: str) -> None:
    """Build a Sequential whose layers do not say the shape of its input.

    Raises:
        CheckpointError: nor does anything else in the file.
    """
    weights = saved.first_weights()
    shape = input_shapes.declared(saved.model_config or {})
    if shape is None and weights is not None:
        shape = input_shapes.deduced(model.layers, weights)
    if shape is None:
        raise CheckpointError(
            f"{where}: the model in it does not say the shape of its input, nor do its first weights. Make the model "
            "with an Input, and fill it by load_weights."
        )
    model.build(shape)


def restore_training(model: StoredModel, filepath: str | os.PathLike[str]) -> None:
    """Give a compiled model the weights, the optimizer's state and the progress that a file holds.

    Raises:
        CheckpointError: the file is missing, or another model's.
    """
    with formats.saved(filepath) as saved:
        state = state_group.read_training_state(saved.file)
        if state is None:
            raise CheckpointError(f"{os.fspath(filepath)}: holds no training to resume; it was not written by distnet.")
        state_group.build_layers(saved.file, model)
        saved.read_weights(model)
        state_group.read_optimizer_state(saved.file, model)
        state_group.read_attached(saved.file, model, is_resumed=True)
        model.training_state = state


@on_all_ranks()
def write(
    model: StoredModel, filepath: str | os.PathLike[str], overwrite: bool, content: Callable[[Image], None]
) -> None:
    """Let rank 0 write a file; every rank returns once it is there.

    Raises:
        CheckpointError: the model has no weights yet, or the file cannot be written.
    """
    with meeting("save") as ranks:
        if not model.built:
            raise CheckpointError(
                f"{model.name}: cannot be saved before its input shape is known. Build or train it first."
            )
    realign(ranks, model)
    put_on_root(ranks, filepath, overwrite, content)


def put_on_root(
    ranks: Communicator, filepath: str | os.PathLike[str], overwrite: bool, content: Callable[[Image], None]
) -> None:
    """Let rank 0 write a file; what fails there fails on every rank.

    Raises:
        CheckpointError: the file cannot be written.
    """
    failure = None
    if ranks.rank == 0:
        try:
            if not overwrite and os.path.exists(filepath):
                raise CheckpointError(f"{os.fspath(filepath)}: exists already. Pass overwrite=True to replace it.")
            background.write(filepath, content)
        except CheckpointError as error:
            failure = str(error)
    failure = ranks.broadcast_object(failure)
    if failure is not None:
        raise CheckpointError(failure)
