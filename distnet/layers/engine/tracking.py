"""What a layer that defines ``call`` owns: its variables, and the layers that are its attributes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from distnet import addresses
from distnet.assignments import PLAIN
from distnet.errors import ArgumentError
from distnet.layers.engine.abstract_layer import AbstractLayer
from distnet.layers.engine.context import BuildContext
from distnet.naming import path_within, snake_case, unique_name
from distnet.variables import Variable, trainable_first

NOT_WALKED = frozenset({"calls", "initial_weights", "_variables", "activity_penalties", "constructed", "built_shapes"})
"""Attributes that hold none of the layer's own."""

Kind = Callable[[Any], bool]
"""Tells whether an object is of a kind."""


def _is_variable_or_layer(value: Any) -> bool:
    return isinstance(value, Variable | AbstractLayer)


def attributes(layer: Any, is_wanted: Kind = _is_variable_or_layer) -> Iterator[tuple[str, Any]]:
    """Objects of a kind that are attributes, or in lists and dicts that are, each with its path.

    A list's entries are called by their classes, as in Keras: ``blocks/dense``, ``blocks/dense_1``; lists and dicts
    within are ``blocks/container``.

    Args:
        is_wanted: tells the kind, by default variables and layers.

    Source: ``keras.src.saving.saving_lib._save_container_state``.
    """
    for name, value in list(vars(layer).items()):
        if type(value) not in PLAIN and name not in NOT_WALKED:
            yield from _within(name, value, is_wanted)


def kept_by(owner: Any, is_wanted: Kind) -> list[tuple[str, Any]]:
    """Objects of a kind that a layer and the layers within it have as attributes, each once, with its path in Keras.

    Source: ``keras.src.saving.saving_lib._walk_saveable``.
    """
    kept: dict[int, tuple[str, Any]] = {}
    _keep(owner, "", is_wanted, kept, set())
    return list(kept.values())


def _keep(owner: Any, where: str, is_wanted: Kind, kept: dict[int, tuple[str, Any]], seen: set[int]) -> None:
    if id(owner) in seen:
        return
    seen.add(id(owner))
    is_graph = getattr(owner, "is_graph", False)

    def order(entry: tuple[str, Any]) -> tuple[bool, str]:
        is_of_graph = is_graph and not is_wanted(entry[1])  # the layers of a graph come first
        return not is_of_graph, keras_order(entry[0])

    for path, value in sorted([*owner.inner_layers(), *attributes(owner, is_wanted)], key=order):
        if is_wanted(value):
            kept.setdefault(id(value), (where + path, value))
        else:
            _keep(value, f"{where}{path}/", is_wanted, kept, seen)


def layers_by_path(owner: Any, where: str = "") -> Iterator[tuple[str, Any]]:
    """The layers within, outer ones first, but for those of a graph, which are built with it."""
    if not getattr(owner, "is_graph", False):
        for path, layer in owner.inner_layers():
            yield where + path, layer
            yield from layers_by_path(layer, f"{where}{path}/")


def keras_order(path: str) -> str:
    """By what Keras sorts attributes: private ones come last.

    Source: ``keras.src.saving.saving_lib._name_key``.
    """
    name = path.partition("/")[0]
    return f"~{name}" if name.startswith("_") else name


def own_variables(layer: Any) -> list[Variable]:
    """The layer's variables without those of layers within: first those to train, each kind in the order made."""
    known = {id(v): v for v in vars(layer).get("_variables", ())}
    known.update((id(v), v) for _, v in attributes(layer) if isinstance(v, Variable))
    return trainable_first([*known.values()])


def sublayers(layer: Any) -> list[tuple[str, AbstractLayer]]:
    """The layers that are attributes, in the order in which they became such, each once."""
    paths: dict[int, list[str]] = {}
    layers: dict[int, AbstractLayer] = {}
    for path, value in attributes(layer):
        if isinstance(value, AbstractLayer) and value is not layer:
            layers.setdefault(id(value), value)
            paths.setdefault(id(value), []).append(path)
    return [(min(paths[key], key=lambda path: path.split("/")), inner) for key, inner in layers.items()]


def states_of_metrics(layer: Any) -> list[tuple[Any, Any]]:
    """The metrics that the layer and those within have as attributes, with copies of their states."""
    return [(metric, metric.get_state()) for _, metric in kept_by(layer, is_metric)]


def is_metric(value: Any) -> bool:
    """Whether it is a metric, whose room layers do not know."""
    return hasattr(value, "update_state") and hasattr(value, "get_state")


def new_variable(
    layer: Any, name: str | None, shape: Any, initializer: Any, dtype: Any, trainable: bool, regularizer: Any,
    constraint: Any,
) -> Variable:  # fmt: skip
    """A variable of the layer's.

    Raises:
        ArgumentError: the shape is not known.
    """
    extents = () if shape is None else (shape,) if isinstance(shape, int | np.integer) else tuple(shape)
    if any(n is None for n in extents):
        raise ArgumentError(
            f"{layer.name}: add_weight: expected a shape whose extents are all known, received {extents}. Give the "
            "model's Input a shape without None there."
        )
    is_float = dtype is None or np.dtype(dtype).kind == "f"
    stored_as = None if is_float else np.dtype(dtype).name
    if initializer is None:
        initializer = "glorot_uniform" if is_float else "zeros"
    path = vars(layer).get("_path") or path_within(layer.name)
    owned: list[Variable] = layer._variables
    made = BuildContext(path, np.dtype(layer.dtype), _address(layer), list(owned)).variable(
        name or unique_name("Variable"), tuple(map(int, extents)), initializer, regularizer, constraint, trainable,
        stored_as,
    )  # fmt: skip
    owned.append(made)
    return made


def _address(layer: Any) -> tuple[int | str, ...]:
    """Where the layer's initial weights have their random numbers."""
    address: tuple[int | str, ...] | None = vars(layer).get("_address")
    if address is None:
        address = layer._address = (addresses.job_seed(), "layer", addresses.next_build_index())
    return address


def _within(path: str, value: Any, is_wanted: Kind) -> Iterator[tuple[str, Any]]:
    if is_wanted(value):
        yield path, value
    elif isinstance(value, Mapping | list | tuple | set):
        before: Counter[str] = Counter()
        for item in value.values() if isinstance(value, Mapping) else value:
            is_container = isinstance(item, Mapping | list | tuple | set)
            name = "container" if is_container else snake_case(type(item).__name__)
            number, before[name] = before[name], before[name] + 1
            yield from _within(f"{path}/{name}_{number}" if number else f"{path}/{name}", item, is_wanted)
