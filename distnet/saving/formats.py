"""The formats of files: recognized by content when reading, and by name when writing.

====================  ============================================
``x.keras``           Keras 3's archive: ``keras_archive``
``x.weights.h5``      Keras 3's weights: ``keras_weights``
any other name        Keras's legacy HDF5 file: ``keras_h5``
====================  ============================================
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from distnet.dialects.writing import FOR_BOTH, FOR_KERAS_2, by_output, of_sparse_targets
from distnet.errors import CheckpointError
from distnet.paths import checked_path
from distnet.registry import to_json
from distnet.saving import keras_archive, keras_h5, keras_weights, state_group, users_state
from distnet.saving.image import Image
from distnet.saving.late_h5py import h5py
from distnet.saving.opening import errors_of, opened
from distnet.saving.stored_model import StoredModel, WholeModel
from distnet.variables import laid_out


@dataclass(frozen=True)
class Saved:
    """A file open for reading.

    Args:
        file: the HDF5 file, or the one in the archive.
        model_config: None in a file of weights alone.
        training_config: None where the model was not compiled.
        assets: what an archive holds besides, by name.
    """

    file: h5py.File
    model_config: dict[str, Any] | None
    training_config: dict[str, Any] | None
    assets: Mapping[str, bytes] = field(default_factory=dict)

    def read_weights(self, model: StoredModel, skip_mismatch: bool = False, by_name: bool = False) -> None:
        """Fill a model's weights.

        Args:
            skip_mismatch: skip weights of other shapes, with a warning.
            by_name: match layers by name, not by place.

        Raises:
            CheckpointError: the file holds other layers, or arrays of other shapes, or no names to match by.
        """
        if not keras_weights.is_keras_weights(self.file):
            group = keras_h5.weights_group(self.file)
            if by_name:
                keras_h5.read_weights_by_name(group, model.layers, skip_mismatch)
            else:
                keras_h5.read_weights(group, model.layers, skip_mismatch, model.own_variables)
                users_state.read_arrays(self.file, model)
        elif by_name:
            raise CheckpointError(
                f"{self.file.filename}: by_name needs a legacy HDF5 file; Keras 3's matches layers by class and place."
            )
        else:
            keras_weights.read_weights(self.file, model, skip_mismatch)

    def first_weights(self) -> tuple[int, ...] | None:
        """The shape of the first array of a legacy file's weights; None where there is none."""
        if keras_weights.is_keras_weights(self.file):
            return None
        return keras_h5.first_weights(keras_h5.weights_group(self.file))

    def read_optimizer_state(self, model: StoredModel, may_train_more: bool = False) -> None:
        """Continue a compiled model's optimizer where the file left it; distnet's own state goes before Keras's.

        Args:
            may_train_more: see ``state_group.read_optimizer_state``.
        """
        if f"{state_group.GROUP}/optimizer" in self.file:
            state_group.read_optimizer_state(self.file, model, may_train_more)
        elif keras_weights.is_keras_weights(self.file):
            keras_weights.read_optimizer_state(self.file, model)
        else:
            keras_h5.read_optimizer_state(self.file, model)

    def read_attached(self, model: StoredModel) -> None:
        """The same for other objects with a state that are attributes of the model."""
        if state_group.GROUP in self.file:
            state_group.read_attached(self.file, model)
        elif keras_weights.is_keras_weights(self.file):
            keras_weights.read_other_optimizers(self.file, model)


@contextmanager
def saved(filepath: str | os.PathLike[str]) -> Iterator[Saved]:
    """The file, in any format, open for reading; every error within names it.

    Raises:
        ArgumentError: ``filepath`` is not a file name.
        CheckpointError: the file is missing, damaged, or not a model's file.
    """
    path = checked_path("filepath", filepath)
    with errors_of(path):
        if keras_archive.is_archive(path):
            with keras_archive.unpacked(path) as (config, file, assets):
                yield Saved(file, config, keras_archive.training_config(config), assets)
            return
    with opened(path) as file:
        yield Saved(file, keras_h5.read_config(file, "model_config"), keras_h5.read_config(file, "training_config"))


def write_whole(
    image: Image, model: WholeModel, is_archive: bool, include_optimizer: bool = True, keras_optimizer: bool = False
) -> None:
    """Write a whole model into a file in memory.

    Args:
        is_archive: whether to write Keras 3's archive instead of a legacy HDF5 file.
        include_optimizer: whether training configuration and state are part of it.
        keras_optimizer: see ``save_model``; an archive is for Keras 3 in any case.
    """
    _lay_out(model)
    dialect = FOR_KERAS_2 if keras_optimizer and not is_archive else FOR_BOTH
    model_config, config, scheme = dialect.model(to_json(model)), None, None
    if include_optimizer and model.optimizer is not None and model.compile_settings is not None:
        scheme, optimizer = dialect.optimizer(model.optimizer)
        settings = by_output(model.compile_settings, model.output_keys)
        settings = settings if is_archive else of_sparse_targets(settings, model.output_keys)
        config = {**settings, "optimizer_config": optimizer}
    if is_archive:
        assets = users_state.asset_files(model)
        keras_archive.compose(
            image, model_config, config, lambda file: _write_state(file, model, include_optimizer), assets
        )
        return
    with h5py.File(image, "w") as file:
        keras_h5.write_header(file, model_config, config, dialect.version)
        keras_h5.write_weights(file.create_group("model_weights"), model.layers, model.own_variables)
        users_state.write_arrays(file, model)
        if scheme is not None:
            keras_h5.write_optimizer_state(file, model, scheme)
        if include_optimizer:
            state_group.write_training_state(file, model)


def _lay_out(model: StoredModel) -> None:
    """Let the optimizer's slots lie as the model's weights do; a loop of the user's may have made others first."""
    optimizer = model.optimizer
    if optimizer is not None and optimizer.built:
        optimizer.lay_out_like(laid_out(model))


def write_weights(image: Image, model: StoredModel, is_keras_3: bool) -> None:
    """Write only the weights into a file in memory; Keras 3's layout includes the optimizer's state."""
    _lay_out(model)
    with h5py.File(image, "w") as file:
        if is_keras_3:
            keras_weights.write_weights(file, model)
        else:
            keras_h5.write_weights(file, model.layers, model.own_variables)
            users_state.write_arrays(file, model)


def _write_state(file: h5py.File, model: StoredModel, include_optimizer: bool) -> None:
    """Write the ``model.weights.h5`` of an archive; Keras ignores distnet's additions."""
    keras_weights.write_weights(file, model, include_optimizer)
    if include_optimizer:
        state_group.write_training_state(file, model)
