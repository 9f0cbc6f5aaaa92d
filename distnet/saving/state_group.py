"""The file's group ``distnet``: what exact resumption needs besides the weights.

::

    /distnet                                @format @seed @step @fits, and @reproducible_shards where it trained so
    /distnet/record                         a tree (see ``tree``): epochs, history
    /distnet/progress                       a tree: where ``fit`` stood, with the state of its callbacks
    /distnet/optimizer                      that of ``model.optimizer``: see ``optimizer_group``
    /distnet/attached                       of other objects with a state: see ``attached``

Nothing here depends on the number of ranks.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from distnet.errors import CheckpointError
from distnet.saving import attached, contents, optimizer_group
from distnet.saving.array_tree import read_tree, write_tree
from distnet.saving.late_h5py import h5py
from distnet.saving.stored_model import StoredModel, store_to_fill
from distnet.training_state import CallbackRecord, Moment, Progress, Stage, TrainingState

GROUP = "distnet"
_FORMAT = 2
_ATTACHED, _SHARDS = "attached", "reproducible_shards"


def write_training_state(file: h5py.Group, model: StoredModel) -> None:
    """Write how far training has come, and the optimizer's state where it has one."""
    state = model.training_state
    progress = state.now()
    group = file.create_group(GROUP)
    group.attrs["format"] = _FORMAT
    group.attrs["seed"] = state.seed
    group.attrs["step"] = state.step
    group.attrs["fits"] = state.fits
    if state.shards is not None:
        group.attrs[_SHARDS] = state.shards
    record = {"epochs": state.epochs, "history": state.history_at(progress)}
    write_tree(group.create_group("record"), record, "the history")
    if progress is not None:
        _write_progress(group.create_group("progress"), progress)
    optimizer, store = model.optimizer, model.store
    if optimizer is not None and store is not None and optimizer.built:
        optimizer_group.write(group.create_group("optimizer"), optimizer, store)
    attached.write(group.create_group(_ATTACHED), model, {} if progress is None else progress.metrics)


def read_training_state(file: h5py.Group) -> TrainingState | None:
    """How far the training had come that wrote the file; None in a file that only Keras has written.

    Raises:
        CheckpointError: the group is of a later format, or damaged.
    """
    group = file.get(GROUP)
    if group is None:
        return None
    if (number := contents.number(group, "format")) != _FORMAT:
        raise CheckpointError(
            f"{file.file.filename}: its training state has format {number}, and this distnet reads {_FORMAT}. Use the "
            "distnet that wrote it, or a newer one."
        )
    seed, step, fits = (contents.number(group, name) for name in ("seed", "step", "fits"))
    shards = contents.number(group, _SHARDS) if _SHARDS in group.attrs else None
    record = read_tree(contents.group(group, "record"))
    held = read_tree(contents.group(group, "progress")) if "progress" in group else None
    try:  # of what the trees hold, and nothing but that
        epochs = [int(epoch) for epoch in record["epochs"]]
        history = {str(key): list(values) for key, values in record["history"].items()}
        progress = None if held is None else _progress(held)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise CheckpointError(f"{file.file.filename}: its training state is damaged: {error!r}.") from None
    if progress is not None and progress.moment.is_within_epoch and _ATTACHED in group:
        progress = replace(progress, metrics=attached.metrics_in(contents.group(group, _ATTACHED)))
    return TrainingState(
        seed=seed, step=step, epochs=epochs, history=history, fits=fits, progress=progress, shards=shards
    )


def _write_progress(group: h5py.Group, progress: Progress) -> None:
    # By names, for messages: a user's callback may have a state that cannot be written.
    callbacks = {f"{i} {record.name}": vars(record) for i, record in enumerate(progress.callbacks)}
    held = {name: value for name, value in vars(progress).items() if name != "metrics"}  # which are among the attached
    write_tree(group, {**held, "callbacks": callbacks}, "the training's progress")


def _progress(held: Mapping[str, Any]) -> Progress:
    epoch, batches, stage = held["moment"]
    train, validation = held["drawn"]
    latest = held.get("latest")
    return Progress(
        moment=Moment(int(epoch), int(batches), Stage(stage)),
        facts=dict(held["facts"]),
        drawn=((int(train[0]), int(train[1])), (int(validation[0]), int(validation[1]))),
        loss_rows=float(held["loss_rows"]),
        rows=int(held["rows"]),
        sums=np.asarray(held["sums"], np.float64),
        latest=None if latest is None else dict(latest),
        logs=dict(held["logs"]),
        is_stopped=bool(held["is_stopped"]),
        is_whole=bool(held["is_whole"]),
        optimizer=dict(held["optimizer"]),
        callbacks=tuple(
            CallbackRecord(str(record["name"]), bool(record["is_pending"]), dict(record["state"]))
            for record in held["callbacks"].values()
        ),
    )


def read_optimizer_state(file: h5py.Group, model: StoredModel, may_train_more: bool = False) -> None:
    """Continue ``model.optimizer`` where the file left it; a file without its state leaves it fresh.

    Args:
        may_train_more: whether the file made the model without saying all that was frozen. Where the state is that of
            fewer weights, the optimizer starts afresh then, with a warning, as in Keras.

    Raises:
        CheckpointError: the state is another optimizer's, or of other weights.
    """
    optimizer, store = model.optimizer, store_to_fill(model)
    if f"{GROUP}/optimizer" not in file or optimizer is None or store is None:
        return
    part = contents.group(file, f"{GROUP}/optimizer")
    if may_train_more and len(part) < len(store.spans):
        warnings.warn(
            f"{file.file.filename}: holds the optimizer's state for {len(part)} trained weights, but the model trains "
            f"{len(store.spans)}: it does not say which layers within {model.name} were frozen. The optimizer starts "
            "afresh. To go on, freeze these layers, compile the model, and load_weights from this file.",
            stacklevel=4,
        )
        return
    optimizer_group.read(part, optimizer, store)


def build_layers(file: h5py.Group, model: StoredModel) -> None:
    """Build the layers within the model that wait for a first step, where the file says how.

    Raises:
        CheckpointError: they cannot be built so.
    """
    if f"{GROUP}/{_ATTACHED}" in file:
        attached.build(contents.group(file, f"{GROUP}/{_ATTACHED}"), model)


def read_attached(file: h5py.Group, model: StoredModel, is_resumed: bool = False) -> None:
    """Give the objects with a state that are attributes of the model what the file holds of theirs.

    Args:
        is_resumed: whether a training goes on: then metrics are among them.

    Raises:
        CheckpointError: what the file holds is another object's.
    """
    if f"{GROUP}/{_ATTACHED}" in file:
        attached.read(contents.group(file, f"{GROUP}/{_ATTACHED}"), model, is_resumed)
