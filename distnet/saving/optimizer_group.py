"""The state of one optimizer as a group of an HDF5 file, in distnet's own words.

::

    <group>           @class_name @scalars; @within, class and scalars of optimizers within it
    <group>/<n>       @weight; one dataset a slot, of the shape of the n-th trained weight;
                      @whose, the number of its optimizer where several are within one
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np

from distnet.errors import CheckpointError
from distnet.optimizers import Optimizer
from distnet.saving import contents
from distnet.saving.json_text import parsed
from distnet.saving.late_h5py import h5py
from distnet.types import Array
from distnet.variables import Variables

_COUNTER_BITS = 63
_WITHIN, _WHOSE = "within", "whose"


def write(part: h5py.Group, optimizer: Optimizer, store: Variables) -> None:
    """Write the state of an optimizer that is built for these variables into an empty group."""
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


def _numbers(store: Variables) -> dict[int, int]:
    return {id(span.variable): i for i, span in enumerate(store.trainable())}


def read(part: h5py.Group, optimizer: Optimizer, store: Variables, whose: str = "is compiled with") -> None:
    """Continue an optimizer of these variables where the group says.

    The weights are matched by position, as ``read_weights`` does: automatic names change from model to model.

    Args:
        whose: what the optimizer is to the model, for messages.

    Raises:
        CheckpointError: the state is another optimizer's, or of other weights.
    """
    if (written := contents.text(part, "class_name")) != type(optimizer).__name__:
        raise CheckpointError(
            f"{part.file.filename}: holds the state of {written}, but the model {whose} "
            f"{type(optimizer).__name__}. Compile it with the optimizer it was trained with."
        )
    if not optimizer.built:
        optimizer.build(store)
    if len(part) != len(store.spans):
        raise CheckpointError(
            f"{part.file.filename}: holds the optimizer's state for {len(part)} trained weights, but the model trains "
            f"{len(store.spans)}. Freeze the layers that were frozen when it was written."
        )
    where = f"{part.file.filename}: the attribute scalars of {part.name}"
    optimizer.scalars.update(_checked(where, parsed(contents.text(part, "scalars"), where), optimizer))
    numbers, parts = _numbers(store), list(optimizer.within(store))
    for number, (inner, group) in enumerate(parts):
        weights = [numbers[id(span.variable)] for span in group.trainable()]
        if len(parts) > 1:
            inner.scalars.update(_scalars_within(part, inner, number, weights))
        for i, span in zip(weights, group.trainable(), strict=True):
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
