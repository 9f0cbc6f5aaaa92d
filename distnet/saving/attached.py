"""Objects with a state that are attributes of a model, or of layers within: other optimizers, seed generators, metrics.

::

    <group>/objects                        a tree: how layers were built, states of generators and of metrics, by path
    <group>/optimizers/<n>                 @path; see ``optimizer_group``
    <group>/optimizers/<n>/variables       the numbers of its variables among the model's, in the order of its slots
    <group>/optimizers/<n>/state           see ``optimizer_group``

A path is that of Keras 3: see ``tracking.kept_by``. Keras writes of these objects the optimizers alone, to which its
own layout (``keras_weights``) gives a place.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from distnet.comm.scope import communicator
from distnet.errors import CheckpointError, DistnetError
from distnet.layers.engine.tracking import is_metric, kept_by, layers_by_path
from distnet.optimizers import Optimizer
from distnet.optimizers.given_gradients import GivenVariables
from distnet.random import SeedGenerator
from distnet.saving import contents, optimizer_group
from distnet.saving.array_tree import read_tree, write_tree
from distnet.saving.late_h5py import h5py
from distnet.saving.stored_model import StoredModel
from distnet.variables import Variable

_OBJECTS, _OPTIMIZERS = "objects", "optimizers"
_BUILT, _GENERATORS, _METRICS = "built", "generators", "metrics"


def optimizers(model: StoredModel) -> list[tuple[str, Optimizer]]:
    """All optimizers of a model, each with its path; that of ``compile`` among them."""
    return kept_by(model, lambda value: isinstance(value, Optimizer))


def _generators(model: StoredModel) -> dict[str, SeedGenerator]:
    return dict(kept_by(model, lambda value: isinstance(value, SeedGenerator)))


def write(group: h5py.Group, model: StoredModel, of_epoch: Mapping[str, Any]) -> None:
    """Write their states into an empty group.

    Args:
        of_epoch: states of metrics that the epoch goes on from, where they count something else now.
    """
    metrics = {path: metric.get_state() for path, metric in kept_by(model, is_metric)}
    states = {
        _BUILT: {path: layer.get_build_config() for path, layer in layers_by_path(model) if layer.built},
        _GENERATORS: {path: generator.state.value for path, generator in _generators(model).items()},
        _METRICS: {path: of_epoch.get(path, state) for path, state in metrics.items()},
    }
    write_tree(group.create_group(_OBJECTS), states, f"{model.name}: its attributes")
    numbers = {id(variable): i for i, variable in enumerate(model.variables)}
    parts, lacking = group.create_group(_OPTIMIZERS), []
    for path, optimizer in optimizers(model):
        store = optimizer.built_for
        if optimizer is model.optimizer or store is None or not store.spans:
            continue
        if any(id(span.variable) not in numbers for span in store.spans):
            lacking.append(path)
            continue
        part = parts.create_group(str(len(parts)))
        part.attrs["path"] = path
        part["variables"] = np.array([numbers[id(span.variable)] for span in store.spans], np.int64)
        optimizer_group.write(part.create_group("state"), optimizer, store)
    if lacking and communicator().rank == 0:
        warnings.warn(
            f"{model.name}: the file holds no state of its optimizers {lacking}, which begin anew where training is "
            "resumed from it: they update variables that are none of the model's. Make these, or their layers, "
            "attributes of the model.",
            stacklevel=3,
        )


def read(group: h5py.Group, model: StoredModel, is_resumed: bool) -> None:
    """Give them the states that the group holds; warn of those that are no longer there.

    Args:
        is_resumed: whether metrics are given theirs, too.

    Raises:
        CheckpointError: a state is another object's.
    """
    states = _states(group)
    generators, metrics = _generators(model), dict(kept_by(model, is_metric)) if is_resumed else {}
    for path, state in states.get(_GENERATORS, {}).items():
        if path in generators:
            _set(group, path, generators[path].state.assign, state)
    for path, state in states.get(_METRICS, {}).items():
        if path in metrics:
            _set(group, path, metrics[path].set_state, state)
    known, parts = dict(optimizers(model)), contents.group(group, _OPTIMIZERS)
    lacking = []
    for name in parts:
        part = contents.group(parts, name)
        path = contents.text(part, "path") or ""
        if path not in known:
            lacking.append(path)
        elif known[path] is not model.optimizer:
            _read_optimizer(part, path, known[path], model.variables)
    if lacking and communicator().rank == 0:
        warnings.warn(
            f"{group.file.filename}: holds the state of the optimizers {lacking}, which are no attributes of "
            f"{model.name} yet: it is left out. Where compile() makes them, call that first; fit(resume=...) then goes "
            "on with it.",
            stacklevel=4,
        )


def build(group: h5py.Group, model: StoredModel) -> None:
    """Build the layers within that wait for a first step, as those were built that the group was written of.

    Raises:
        CheckpointError: they cannot be built so.
    """
    built = _states(group).get(_BUILT, {})
    for path, layer in layers_by_path(model):
        if not layer.built and built.get(path):
            _set(group, path, layer.build_from_config, built[path])


def metrics_in(group: h5py.Group) -> dict[str, Any]:
    """The states of metrics that the group holds, by path."""
    return dict(_states(group).get(_METRICS, {}))


def _states(group: h5py.Group) -> Mapping[str, Any]:
    states = read_tree(contents.group(group, _OBJECTS))
    if not isinstance(states, Mapping) or not all(isinstance(part, Mapping) for part in states.values()):
        raise CheckpointError(f"{group.file.filename}: {group.name} is damaged: found {states!r:.100}.")
    return states


def _set(group: h5py.Group, path: str, take: Any, state: Any) -> None:
    try:
        take(state)
    except (AttributeError, DistnetError, LookupError, TypeError, ValueError) as error:
        raise CheckpointError(f"{group.file.filename}: the state of {path} is another object's: {error}") from None


def _read_optimizer(part: h5py.Group, path: str, optimizer: Optimizer, variables: list[Variable]) -> None:
    numbers = contents.array(part, "variables")
    if (
        numbers.ndim != 1
        or not numbers.size
        or numbers.dtype.kind not in "iu"
        or len(set(numbers.tolist())) < len(numbers)
    ):
        raise CheckpointError(f"{part.file.filename}: {part.name}/variables should hold numbers, each once.")
    if not all(0 <= number < len(variables) for number in numbers.tolist()):
        raise CheckpointError(
            f"{part.file.filename}: {part.name} is of an optimizer of more variables than the model's {len(variables)}."
        )
    own = [variables[number] for number in numbers.tolist()]
    store = optimizer.built_for
    if store is None or [id(span.variable) for span in store.spans] != [id(variable) for variable in own]:
        store = GivenVariables(own)
        if optimizer.built:
            optimizer.follow(store, store)
        else:
            optimizer.build(store)
    optimizer_group.read(contents.group(part, "state"), optimizer, store, f"has as {path}")
