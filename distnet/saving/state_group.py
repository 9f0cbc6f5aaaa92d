"""The file's group ``distnet``: what exact resumption needs besides the weights.

::

    /distnet                                @format @seed @step @fits
    /distnet/record                         a tree (see ``tree``): epochs, history
    /distnet/progress                       a tree: where ``fit`` stood, with the state of its callbacks
    /distnet/optimizer                      @class_name @scalars; @within, class and scalars of optimizers within it
    /distnet/optimizer/<n>                  @weight; one dataset a slot, of the shape of the n-th trained weight;
                                            @whose, the number of its optimizer where several are within one

Nothing here depends on the number of ranks.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import h5py
import numpy as np

from distnet.errors import CheckpointError
from distnet.optimizers import Optimizer
from distnet.saving import contents
from distnet.saving.array_tree import read_tree, write_tree
from distnet.saving.json_text import parsed
from distnet.saving.stored_model import StoredModel, store_to_fill
from distnet.training_state import CallbackRecord, Moment, Progress, Stage, TrainingState
from distnet.types import Array
from distnet.variables import VariableStore

GROUP = "distnet"
_FORMAT = 2
_COUNTER_BITS = 63
_WITHIN, _WHOSE = "within", "whose"


def write_training_state(file: h5py.Group, model: StoredModel) -> None:
    """Write how far training has come, and the optimizer's state where it has one."""
    state = model.training_state
    progress = state.now()
    group = file.create_group(GROUP)
    group.attrs["format"] = _FORMAT
    group.attrs["seed"] = state.seed
    group.attrs["step"] = state.step
    group.attrs["fits"] = state.fits
    record = {"epochs": state.epochs, "history": state.history_at(progress)}
    write_tree(group.create_group("record"), record, "the history")
    if progress is not None:
        _write_progress(group.create_group("progress"), progress)
    _write_optimizer_state(group, model)


def _write_optimizer_state(group: h5py.Group, model: StoredModel) -> None:
    optimizer, store = model.optimizer, model.store
    if optimizer is None or store is None or not optimizer.built:
        return
    part = group.create_group("optimizer")
    part.attrs["class_name"] = type(optimizer).__name__
    part.attrs["scalars"] = json.dumps(dict(optimizer.scalars))
    parts, numbers = list(optimizer.within(store)), _numbers(store)
    if len(parts) > 1:
        listed = enumerate(inner for inner, _ in parts)
        records = {str(i): {"class_name": type(o).__name__, "scalars": dict(o.scalars)} for i, o in listed}
        part.attrs[_WITHIN] = json.dumps(records)
    for number, (inner, group) in enumerate(parts):
        for span in group.trainable():
            slots = part.create_group(str(numbers[id(span.variable)]))
            slots.attrs["weight"] = span.variable.local_path
            if len(parts) > 1:
                slots.attrs[_WHOSE] = number
            for name, slot in inner.slots.items():
                shape = span.variable.shape
                slots[name] = slot[span.start : span.start + span.variable.size].reshape(shape)


def _numbers(store: VariableStore) -> dict[int, int]:
    return {id(span.variable): i for i, span in enumerate(store.trainable())}


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
    record = read_tree(contents.group(group, "record"))
    held = read_tree(contents.group(group, "progress")) if "progress" in group else None
    try:  # of what the trees hold, and nothing but that
        epochs = [int(epoch) for epoch in record["epochs"]]
        history = {str(key): list(values) for key, values in record["history"].items()}
        progress = None if held is None else _progress(held)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise CheckpointError(f"{file.file.filename}: its training state is damaged: {error!r}.") from None
    return TrainingState(seed=seed, step=step, epochs=epochs, history=history, fits=fits, progress=progress)


def _write_progress(group: h5py.Group, progress: Progress) -> None:
    # By names, for messages: a user's callback may have a state that cannot be written.
    callbacks = {f"{i} {record.name}": vars(record) for i, record in enumerate(progress.callbacks)}
    write_tree(group, {**vars(progress), "callbacks": callbacks}, "the training's progress")


def _progress(held: Mapping[str, Any]) -> Progress:
    epoch, batches, stage = held["moment"]
    train, validation = held["drawn"]
    return Progress(
        moment=Moment(int(epoch), int(batches), Stage(stage)),
        facts=dict(held["facts"]),
        drawn=((int(train[0]), int(train[1])), (int(validation[0]), int(validation[1]))),
        loss_rows=float(held["loss_rows"]),
        rows=int(held["rows"]),
        sums=np.asarray(held["sums"], np.float64),
        logs=dict(held["logs"]),
        is_stopped=bool(held["is_stopped"]),
        is_whole=bool(held["is_whole"]),
        optimizer=dict(held["optimizer"]),
        callbacks=tuple(
            CallbackRecord(str(record["name"]), bool(record["is_pending"]), dict(record["state"]))
            for record in held["callbacks"].values()
        ),
    )


def read_optimizer_state(file: h5py.Group, model: StoredModel) -> None:
    """Continue the optimizer where the file left it; a file without its state leaves it fresh.

    The weights are matched by position, as ``read_weights`` does: automatic names change from model to model.

    Raises:
        CheckpointError: the state is another optimizer's, or of other weights.
    """
    optimizer, store = model.optimizer, store_to_fill(model)
    if f"{GROUP}/optimizer" not in file or optimizer is None or store is None:
        return
    part = contents.group(file, f"{GROUP}/optimizer")
    if (written := contents.text(part, "class_name")) != type(optimizer).__name__:
        raise CheckpointError(
            f"{file.file.filename}: holds the state of {written}, but the model is compiled with "
            f"{type(optimizer).__name__}. Compile it with the optimizer it was trained with."
        )
    if not optimizer.built:
        optimizer.build(store)
    if len(part) != len(store.spans):
        raise CheckpointError(
            f"{file.file.filename}: holds the optimizer's state for {len(part)} trained weights, but the model trains "
            f"{len(store.spans)}. Freeze the layers that were frozen when it was written."
        )
    where = f"{part.file.filename}: the attribute scalars of {part.name}"
    optimizer.scalars.update(_checked(where, parsed(contents.text(part, "scalars"), where), optimizer))
    numbers, parts = _numbers(store), list(optimizer.within(store))
    for number, (inner, group) in enumerate(parts):
        whose = [numbers[id(span.variable)] for span in group.trainable()]
        if len(parts) > 1:
            inner.scalars.update(_scalars_within(part, inner, number, whose))
        for i, span in zip(whose, group.trainable(), strict=True):
            for name, slot in inner.slots.items():
                slot[span.start : span.stop] = _slot(part, f"{i}/{name}", span.variable.shape).reshape(-1)


def _scalars_within(part: h5py.Group, inner: Optimizer, number: int, weights: Sequence[int]) -> dict[str, float]:
    """The scalars of an optimizer within another one: those of the optimizer that updated its weights.

    Args:
        number: where it stands, which tells where it updates none.
        weights: the numbers of its weights.
    """
    where = f"{part.file.filename}: the attribute {_WITHIN} of {part.name}"
    records = parsed(contents.text(part, _WITHIN) or "{}", where)
    whose = {str(part[str(i)].attrs.get(_WHOSE)) for i in weights if str(i) in part} or {str(number)}
    record = records.get(min(whose))
    if len(whose) > 1 or not isinstance(record, dict) or record.get("class_name") != type(inner).__name__:
        if not weights:
            return {}
        raise CheckpointError(
            f"{where}: expected the state of one {type(inner).__name__} for the weights "
            f"{', '.join(str(i) for i in weights)}, found {record!r:.100}. Compile the model with the optimizer it "
            "was trained with."
        )
    return _checked(where, record.get("scalars"), inner)


def _checked(where: str, scalars: object, optimizer: Optimizer) -> dict[str, float]:
    known = {*optimizer.scalars, "learning_rate"}
    if not isinstance(scalars, dict):
        raise CheckpointError(f"{where}: expected numbers by name, found {scalars!r:.100}.")
    for name, value in scalars.items():
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if name not in known or not is_number or (isinstance(value, int) and value.bit_length() > _COUNTER_BITS):
            raise CheckpointError(
                f"{where}: expected numbers that the optimizer knows, found {name!r}: {value!r:.100}."
            )
    return scalars


def _slot(part: h5py.Group, where: str, shape: tuple[int, ...]) -> Array:
    slot = contents.dataset(part, where)
    if slot.shape != shape:
        raise CheckpointError(
            f"{part.file.filename}: {part.name}/{where} should hold an array {shape}, found {slot.shape}."
        )
    return np.asarray(slot[()])
