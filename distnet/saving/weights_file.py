"""save_weights and load_weights: Keras's legacy file of weights alone.

Its root holds what ``model_weights`` holds in a whole-model file.
"""

from __future__ import annotations

import os

from distnet.errors import NotBuiltError
from distnet.network import Network
from distnet.saving import keras_h5
from distnet.saving.model_file import write
from distnet.saving.opening import opened


def save_weights(model: Network, filepath: str | os.PathLike[str], overwrite: bool = True) -> None:
    """Write the model's weights; rank 0 writes, and the old file stands until the new one is whole.

    Raises:
        CheckpointError: the model has no weights yet, or the file cannot be written.

    Source: ``keras.Model.save_weights`` of Keras 2.
    """
    write(model, filepath, overwrite, lambda file: keras_h5.write_weights(file, model.layers))


def load_weights(
    model: Network, filepath: str | os.PathLike[str], skip_mismatch: bool = False, by_name: bool = False
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
    with opened(filepath) as file:
        is_whole_model = "layer_names" not in file.attrs and "model_weights" in file
        read = keras_h5.read_weights_by_name if by_name else keras_h5.read_weights
        read(file["model_weights"] if is_whole_model else file, model.layers, skip_mismatch)
