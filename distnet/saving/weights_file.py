"""save_weights and load_weights: files of weights alone.

``x.weights.h5`` is Keras 3's layout, with the optimizer's state; ``x.h5`` and ``x.hdf5`` mean the legacy one, whose
root holds what ``model_weights`` holds in a whole-model file.
"""

from __future__ import annotations

import os

from distnet.errors import NotBuiltError
from distnet.paths import names_keras_3
from distnet.saving import formats, keras_weights
from distnet.saving.model_file import write
from distnet.saving.stored_model import StoredModel


def save_weights(model: StoredModel, filepath: str | os.PathLike[str], overwrite: bool = True) -> None:
    """Write the model's weights; rank 0 writes, and the old file stands until the new one is whole.

    Raises:
        ArgumentError: the name ends otherwise.
        CheckpointError: the model has no weights yet, or the file cannot be written.

    Source: ``keras.Model.save_weights``.
    """
    is_keras_3 = names_keras_3("save_weights: filepath", filepath)
    write(model, filepath, overwrite, lambda image: formats.write_weights(image, model, is_keras_3))


def load_weights(
    model: StoredModel, filepath: str | os.PathLike[str], skip_mismatch: bool = False, by_name: bool = False
) -> None:
    """Fill the model's weights from a file of weights or of a whole model, layer by layer in order.

    Args:
        skip_mismatch: warn of weights of other shapes and pass over them.
        by_name: fill the layers whose names are in the file, whatever their order, and leave the others.

    Raises:
        NotBuiltError: the model has no weights yet.
        CheckpointError: the file is missing or damaged, or holds other shapes.

    Source: ``keras.Model.load_weights``.
    """
    if not model.built:
        raise NotBuiltError(f"{model.name}: load_weights needs the input shape. Build the model first.")
    with formats.saved(filepath) as saved:
        saved.read_weights(model, skip_mismatch, by_name)
        if keras_weights.is_keras_weights(saved.file):
            keras_weights.read_optimizer_state(saved.file, model)
            saved.read_attached(model)
