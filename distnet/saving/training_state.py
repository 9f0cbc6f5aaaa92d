"""The file's group ``distnet``: what exact resumption needs besides the weights.

::

    /distnet                                @format @seed @step @epochs @history
    /distnet/optimizer                      @class_name @scalars
    /distnet/optimizer/<n>                  @weight; one dataset a slot, of the shape of the n-th trained weight

Nothing here depends on the number of ranks.
"""

from __future__ import annotations

import json
from typing import Any, cast

import h5py
import numpy as np

from distnet.errors import CheckpointError
from distnet.network import Network, TrainingState
from distnet.types import Array

GROUP = "distnet"
_FORMAT = 1


def write_training_state(file: h5py.File, model: Network) -> None:
    """Write how far training has come, and the optimizer's state where it has one."""
    state = model.training_state
    group = file.create_group(GROUP)
    group.attrs["format"] = _FORMAT
    group.attrs["seed"] = state.seed
    group.attrs["step"] = state.step
    group.attrs["epochs"] = json.dumps(state.epochs)
    group.attrs["history"] = json.dumps(state.history)
    optimizer, store = model.optimizer, model.store
    if optimizer is None or store is None or not optimizer.built:
        return
    part = group.create_group("optimizer")
    part.attrs["class_name"] = type(optimizer).__name__
    part.attrs["scalars"] = json.dumps(dict(optimizer.scalars))
    for i, span in enumerate(store.trainable()):
        slots = part.create_group(str(i))
        slots.attrs["weight"] = span.variable.path
        for name, slot in optimizer.slots.items():
            slots[name] = slot[span.start : span.stop].reshape(span.variable.shape)


def read_training_state(file: h5py.File) -> TrainingState | None:
    """How far the training had come that wrote the file; None in a file that only Keras has written.

    Raises:
        CheckpointError: the group is of a later format, or damaged.
    """
    group = file.get(GROUP)
    if group is None:
        return None
    if group.attrs.get("format") != _FORMAT:
        raise CheckpointError(
            f"{file.filename}: its training state has format {group.attrs.get('format')}, and this distnet reads "
            f"{_FORMAT}. Use the distnet that wrote it, or a newer one."
        )
    try:
        return TrainingState(
            seed=int(group.attrs["seed"]),
            step=int(group.attrs["step"]),
            epochs=json.loads(group.attrs["epochs"]),
            history=json.loads(group.attrs["history"]),
        )
    except (KeyError, ValueError) as error:
        raise CheckpointError(f"{file.filename}: its training state is damaged: {error!r}.") from None


def read_optimizer_state(file: h5py.File, model: Network) -> None:
    """Continue the optimizer where the file left it; a file without its state leaves it fresh.

    The weights are matched by position, as ``read_weights`` does: automatic names change from model to model.

    Raises:
        CheckpointError: the state is another optimizer's, or of other weights.
    """
    part = file.get(f"{GROUP}/optimizer")
    optimizer, store = model.optimizer, model.store
    if part is None or optimizer is None or store is None:
        return
    if part.attrs["class_name"] != type(optimizer).__name__:
        raise CheckpointError(
            f"{file.filename}: holds the state of {part.attrs['class_name']}, but the model is compiled with "
            f"{type(optimizer).__name__}. Compile it with the optimizer it was trained with."
        )
    if not optimizer.built:
        optimizer.build(store)
    if len(part) != len(store.spans):
        raise CheckpointError(
            f"{file.filename}: holds the optimizer's state for {len(part)} trained weights, but the model trains "
            f"{len(store.spans)}. Freeze the layers that were frozen when it was written."
        )
    optimizer.scalars.update(cast(dict[str, Any], json.loads(part.attrs["scalars"])))
    for i, span in enumerate(store.trainable()):
        for name, slot in optimizer.slots.items():
            slot[span.start : span.stop] = _slot(part, f"{i}/{name}", span.variable.shape).reshape(-1)


def _slot(part: h5py.Group, where: str, shape: tuple[int, ...]) -> Array:
    found = part.get(where)
    if not isinstance(found, h5py.Dataset) or found.shape != shape:
        held = "nothing" if found is None else getattr(found, "shape", "a group")
        raise CheckpointError(f"{part.file.filename}: {part.name}/{where} should hold an array {shape}, found {held}.")
    return np.asarray(found[()])
