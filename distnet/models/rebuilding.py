"""Rebuilds a graph of layers by calling them as its configuration says."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from typing import Any

from distnet.dialects.graph_reading import arguments_of, calls_in, entries_of, first_numbers, parted, placed
from distnet.dialects.operations import Operation, operation_of
from distnet.errors import ArgumentError
from distnet.layers import LAYERS, InputLayer, Layer
from distnet.layers.engine.base import KerasTensor, placeholders
from distnet.models.call_limit import check_calls
from distnet.models.composite import Composite
from distnet.models.graph import calls_of
from distnet.models.sequential import Sequential


def rebuilt(config: Mapping[str, Any]) -> tuple[Any, Any, list[tuple[str | None, Any]]]:
    """The placeholders of inputs and outputs, after calling the layers as the configuration says.

    And those that are added to the loss, or to the metrics by a name: Keras 2 lists them among the layers.

    Raises:
        ArgumentError: calls wait for each other, or for a layer that does not exist.
    """
    model = str(config.get("name"))
    layers: dict[str, Layer | Operation] = {}
    waiting: list[tuple[str, int, Any]] = []
    entries, ends = parted(model, entries_of(model, config), config.get("added_ends"))
    for entry in entries:
        layer: Layer | Operation = operation_of(entry) or LAYERS.get(entry)
        name = str(entry.get("name") or getattr(layer, "name", None))
        if name in layers:
            raise ArgumentError(f"{model}: two layers are called {name!r}.")
        if isinstance(layer, Layer) and layer.is_by_call and entry.get("name"):  # its constructor may take none
            layer.name = name
        layers[name] = layer
        waiting += [(name, i, node) for i, node in enumerate(entry.get("inbound_nodes") or ())]
    is_graph = {
        name: not isinstance(layer, Sequential)
        for name, layer in layers.items()
        if isinstance(layer, Composite) and layer.is_graph
    }
    given = [*calls_in(config["output_layers"]), *calls_in([reference for _, reference in ends])]
    inner, outer = first_numbers(is_graph, waiting, given)
    made: dict[tuple[str, int], list[KerasTensor]] = {
        (name, 0): [layer.output] for name, layer in layers.items() if isinstance(layer, InputLayer)
    }
    _call_in_turn(model, layers, [(name, i + inner.get(name, 0), node) for name, i, node in waiting], made)
    seen = {(name, i - inner.get(name, 0) + outer.get(name, 0)): tensors for (name, i), tensors in made.items()}
    both = [placed(config[key], seen) for key in ("input_layers", "output_layers")]
    # Some Kerases list a single one too; the form is that of one that was not in a list.
    inputs, outputs = (end[0] if isinstance(end, list) and len(end) == 1 else end for end in both)
    return inputs, outputs, [(name, placed(reference, seen)) for name, reference in ends]


def _call_in_turn(
    model: str,
    layers: Mapping[str, Layer | Operation],
    calls: Sequence[tuple[str, int, Any]],
    made: dict[tuple[str, int], list[KerasTensor]],
) -> None:
    """Make the calls in the order given, but each once its inputs are there and the layer's earlier calls are made."""
    called = [layers[name] for name, *_ in calls]
    check_calls(model, sum(calls_of(layer) for layer in called if isinstance(layer, Layer)))
    awaited: list[set[tuple[str, int]]] = []
    followers: dict[tuple[str, int], list[int]] = {}
    last: dict[str, int] = {}
    for i, (name, number, node) in enumerate(calls):
        needed = set(calls_in(node))
        unknown = sorted(key[0] for key in needed if key[0] not in layers)
        if unknown:
            raise ArgumentError(f"{model}: {name} is called on {unknown[0]!r}, which is not among the layers.")
        earlier = {(name, last[name])} if name in last else set()
        awaited.append({key for key in needed | earlier if key not in made})
        last[name] = number
        for key in awaited[i]:
            followers.setdefault(key, []).append(i)
    ready = [i for i, keys in enumerate(awaited) if not keys]
    while ready:
        i = heapq.heappop(ready)
        name, number, node = calls[i]
        args, kwargs = arguments_of(name, node, made)
        result = layers[name](*args, **kwargs)
        made[name, number] = list(placeholders(result)) or [result]  # the shape of a tensor is none
        for follower in followers.pop((name, number), ()):
            awaited[follower].discard((name, number))
            if not awaited[follower]:
                heapq.heappush(ready, follower)
    waiting = sorted({calls[i][0] for i, keys in enumerate(awaited) if keys})
    if waiting:
        raise ArgumentError(f"{model}: the calls of {waiting} wait for each other.")
