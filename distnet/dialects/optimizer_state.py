"""An optimizer's state as Keras lists it: written, and read, by the tables of ``optimizer_schemes``."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, cast

import numpy as np

from distnet import optimizers
from distnet.dialects.optimizer_schemes import (
    COUNTER,
    ITERATION,
    KERAS_3,
    LEARNING_RATE,
    LEGACY,
    PRODUCT,
    SCALE,
    STANDALONE,
    TF_KERAS,
    Entry,
    Scheme,
    of_class,
    scheme_of,
    tail_of,
)
from distnet.errors import CheckpointError
from distnet.optimizers import Optimizer
from distnet.types import Array, Json
from distnet.variables import Span, Variable, Variables


def for_keras_2(optimizer: Optimizer) -> tuple[Scheme, dict[str, Json]]:
    """How Keras 2 is told of an optimizer that it is to continue: the scheme of its state, and its configuration.

    Without ``is_legacy_optimizer`` tf.keras makes the class that it had up to 2.10, and Keras 3 reads the
    configuration too. Where that class computes otherwise or lacks an option, it has to make the one after.

    Raises:
        CheckpointError: it is one that lets others make the steps, which Keras 2 has not, or lists otherwise.

    Source: ``keras.optimizers.deserialize`` of tf_keras 2.21.
    """
    if isinstance(optimizer, optimizers.LossScaleOptimizer | optimizers.MultiOptimizer):
        raise CheckpointError(
            f"{optimizer.name}: its state is not written for Keras 2. Save without keras_optimizer=True, for Keras 3."
        )
    spec = cast(dict[str, Any], optimizer.as_json())
    config = spec["config"]
    newer = config.keys() & {"weight_decay", "use_ema", "ema_momentum", "ema_overwrite_frequency"}
    if _is_computed_by_legacy(optimizer) and not newer:
        decay = {"decay": optimizer.schedule_decay} if isinstance(optimizer, optimizers.Nadam) else {}
        return LEGACY, {**spec, "config": {**config, **decay}}
    return TF_KERAS, {**spec, "config": {**config, "is_legacy_optimizer": False}}


def _is_computed_by_legacy(optimizer: Optimizer) -> bool:
    """Whether the class of this name in tf.keras up to 2.10 makes the same steps."""
    if isinstance(optimizer, optimizers.RMSprop):
        return optimizer.epsilon_outside != bool(optimizer.momentum)
    if isinstance(optimizer, optimizers.Adagrad):
        return optimizer.epsilon_outside
    if isinstance(optimizer, optimizers.Nadam):
        return optimizer.schedule_decay != 1
    return type(optimizer).__name__ in ("SGD", "Adam", "Adadelta", "Adamax", "Ftrl")


def lists(path: str, optimizer: Optimizer, store: Variables) -> Iterator[tuple[str, str, list[Array]]]:
    """What Keras 3 lists of an optimizer and of each within it: where, under what name, the arrays."""
    yield path, optimizer.name, [value for _, value in arrays(KERAS_3, optimizer, store)]
    for where, inner, group in optimizer.children(store):
        yield from lists(f"{path}/{where}", inner, group)


def arrays(scheme: Scheme, optimizer: Optimizer, store: Variables) -> list[tuple[Entry, Array]]:
    """What a file of that generation lists, with the values that it has now."""
    if not optimizer.built and store.spans:
        optimizer.build(store)
    return [
        (entry, value)
        for inner, group in optimizer.within(store)
        for entry, value in _arrays_of_one(scheme, inner, group)
        if _is_tracked(entry, optimizer)
    ]


def _is_tracked(entry: Entry, outermost: Optimizer) -> bool:
    """Whether Keras lists it; within a LossScaleOptimizer it forgets Nadam's product."""
    return entry.what != PRODUCT or not isinstance(outermost, optimizers.LossScaleOptimizer)


def _arrays_of_one(scheme: Scheme, optimizer: Optimizer, store: Variables) -> list[tuple[Entry, Array]]:
    spans = {id(span.variable): span for span in store.trainable()}
    own_dtypes = {own.what: own.variable.dtype for own in optimizer.own_numbers()}
    pairs: list[tuple[Entry, Array]] = []
    for entry in scheme.entries(optimizer, store):
        if entry.variable is None:
            dtype = scheme.dtypes.get(entry.what) or own_dtypes.get(entry.what, store.dtype)
            pairs.append((entry, np.asarray(optimizer.scalars[entry.what], dtype)))
        elif entry.what not in optimizer.slots:
            pairs.append((entry, np.zeros(entry.shape, store.dtype)))
        else:
            start = spans[id(entry.variable)].start
            stop = start + math.prod(entry.shape)
            pairs.append((entry, optimizer.slots[entry.what][start:stop].reshape(entry.shape)))
    return pairs


def fill(
    optimizer: Optimizer,
    store: Variables,
    values: Sequence[Array],
    names: Sequence[str] | None = None,
    scheme: Scheme | None = None,
) -> None:
    """Give an optimizer the state that Keras listed.

    Args:
        values: the arrays, in Keras's order.
        names: their paths, which tell the generation and the slots; without them the order does.
        scheme: whose order it is, where there are no names; None for that of Keras 3 or tf_keras, whichever fits.

    Raises:
        CheckpointError: it is the state of another optimizer or of other variables; nothing is changed then.
    """
    if not optimizer.built:
        optimizer.build(store)
    parts = list(optimizer.within(store))
    if len(parts) == 1:
        _fill_one(optimizer, store, values, names, scheme)
        return
    counts = [sum(_is_tracked(e, optimizer) for e in KERAS_3.entries(inner, group)) for inner, group in parts]
    if sum(counts) != len(values):
        raise CheckpointError(
            f"{optimizer.name}: expected a state of {sum(counts)} arrays, found {len(values)}. It is another "
            "optimizer's, of a model with other weights, or not of Keras 3."
        )
    ends = np.cumsum([0, *counts]).tolist()
    for (inner, group), start, stop in zip(parts, ends[:-1], ends[1:], strict=True):
        _fill_one(inner, group, values[start:stop], None, KERAS_3)


def _fill_one(
    optimizer: Optimizer,
    store: Variables,
    values: Sequence[Array],
    names: Sequence[str] | None,
    scheme: Scheme | None,
) -> None:
    scheme = scheme_of(names) if names is not None else scheme or _fitting_scheme(optimizer, store, values)
    state = _sorted(optimizer, store, values, names, scheme)
    spans = {what: _spans_with(optimizer, what, store) for what in optimizer.slots}
    steps = int(state[ITERATION][0]) if ITERATION in state else 0
    if not (steps == 0 and all(what not in state for what in optimizer.slots)):
        for what in optimizer.slots:
            _check(optimizer, what, [span.variable for span in spans[what]], state.get(what, []))
    for what, slot in optimizer.slots.items():
        for span, value in zip(spans[what], state.get(what, ()), strict=False):
            slot[span.start : span.start + value.size] = value.reshape(-1)
    optimizer.scalars[ITERATION] = steps
    if LEARNING_RATE in state and optimizer.schedule is None:
        optimizer.scalars[LEARNING_RATE] = float(state[LEARNING_RATE][0])
    for what in {COUNTER, SCALE, *(own.what for own in optimizer.own_numbers())} & state.keys():
        optimizer.scalars[what] = state[what][0].item()
    if isinstance(optimizer, optimizers.Nadam):
        saved = state.get(PRODUCT)
        # tf_keras does not save the product, into which its graph takes mu once for every variable.
        power = len(list(store.trainable())) if scheme is TF_KERAS else 1
        optimizer.scalars[PRODUCT] = float(saved[0]) if saved else optimizer.momentum_product(steps) ** power


def _fitting_scheme(optimizer: Optimizer, store: Variables, values: Sequence[Array]) -> Scheme:
    """Who listed these arrays without names: tf_keras if they are what it would list, else Keras 3."""
    expected = [entry.shape for entry in TF_KERAS.entries(optimizer, store)]
    return TF_KERAS if [np.shape(value) for value in values] == expected else KERAS_3


def _sorted(
    optimizer: Optimizer, store: Variables, values: Sequence[Array], names: Sequence[str] | None, scheme: Scheme
) -> dict[str, list[Array]]:
    """The arrays by what they are, those of a slot in the order of the variables."""
    if names is None or scheme is STANDALONE or optimizer.own_variables:
        whats = _by_position(scheme.entries(optimizer, store), optimizer, values)
    else:
        whats = [_by_name(scheme, optimizer, name) for name in names]
    by_name: dict[str, list[Array]] = {}
    for what, value in zip(whats, values, strict=True):
        by_name.setdefault(what, []).append(np.asarray(value))
    return by_name


def _by_position(entries: Sequence[Entry], optimizer: Optimizer, values: Sequence[Array]) -> list[str]:
    """What each array is, by its place.

    A list without slots is that of an optimizer that has made no step. Keras 2.2 leaves out the count of
    some optimizers, and Nadam's product; Keras up to 2.1.2 also what the rule does not need.
    """
    every = [entry.what if _is_kept(entry, optimizer) else "" for entry in entries]
    scalars = [entry.what for entry in entries if entry.variable is None]
    slots = [what for what, entry in zip(every, entries, strict=True) if entry.variable is not None]
    own = [what for what in slots if what]
    leading = next((i for i, value in enumerate(values) if np.shape(value)), len(values))
    begin = scalars[:leading]
    for whats in (every, [*begin, *slots], [*begin, *own], begin):
        if len(values) == len(whats):
            return whats
    raise CheckpointError(
        f"{optimizer.name}: expected a state of {len(entries)} arrays, found {len(values)}. "
        "It is another optimizer's, or of a model with other weights."
    )


def _is_kept(entry: Entry, optimizer: Optimizer) -> bool:
    """Whether the optimizer has what the list has."""
    variable = entry.variable
    has_slot = entry.what in optimizer.all_slots()
    return variable is None or (has_slot and optimizer.slot_shape(entry.what, variable) is not None)


def _by_name(scheme: Scheme, optimizer: Optimizer, path: str) -> str:
    """What an array is, by its path; the path itself where that does not tell."""
    tail = tail_of(path)
    scalars = {name: what for what, name in scheme.scalars.items()}
    if tail in scalars and not (scheme is TF_KERAS and "/" in path):
        return scalars[tail]
    names = {scheme.slot_name(optimizer, what): what for what in _listed(optimizer, scheme)}
    if scheme is KERAS_3:
        if tail.startswith(f"{scheme.scalars[PRODUCT]}_") and tail.rpartition("_")[2].isdigit():
            return PRODUCT
        ends = [name for name in names if tail.endswith(f"_{name}")]
        return names[max(ends, key=len)] if ends else path
    parts = path.split("/")
    where = parts[1] if scheme is TF_KERAS and len(parts) > 1 else tail
    return names.get(where, path)


def _check(optimizer: Optimizer, what: str, variables: Sequence[Variable], values: Sequence[Array]) -> None:
    if len(values) != len(variables):
        raise CheckpointError(
            f"{optimizer.name}: expected {what} for {len(variables)} trained weights, found it for {len(values)}."
        )
    for variable, value in zip(variables, values, strict=True):
        shape = optimizer.slot_shape(what, variable)
        if shape != value.shape:
            raise CheckpointError(
                f"{optimizer.name}: expected {what} of {variable.local_path} to be of shape {shape}, found "
                f"{value.shape}."
            )


def _spans_with(optimizer: Optimizer, what: str, store: Variables) -> list[Span]:
    """The trained variables that have the slot."""
    return [span for span in store.trainable() if optimizer.slot_shape(what, span.variable) is not None]


def _listed(optimizer: Optimizer, scheme: Scheme) -> list[str]:
    return list(dict.fromkeys((*optimizer.all_slots(), *of_class(optimizer, scheme.always, {}))))
