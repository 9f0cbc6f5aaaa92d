"""The graph of layers that a configuration describes, as Keras 2 or Keras 3 wrote it: see ``functional_config``.

Source: ``functional_from_config`` of Keras 2.12 and Keras 3.15.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from distnet.errors import ArgumentError
from distnet.layers import LAYERS, InputLayer, Layer
from distnet.layers.engine.symbolic import KerasTensor, placeholders
from distnet.models import operation_config
from distnet.models.composite import Composite
from distnet.models.graph import calls_of, check_calls
from distnet.models.mask_operations import without_mask_operations
from distnet.models.operations import Operation, operation_of, present_entry


def rebuilt(config: Mapping[str, Any]) -> tuple[Any, Any]:
    """The placeholders of inputs and outputs, after calling the layers as the configuration says.

    Raises:
        ArgumentError: calls that wait for each other, or for a layer that is not there.
    """
    model, entries = str(config.get("name")), config.get("layers")
    if not isinstance(entries, Sequence) or isinstance(entries, str):
        raise ArgumentError(f"{model}: expected a list of layers, received {entries!r}.")
    present = {**config, "layers": [present_entry(entry) for entry in entries]}
    layers: dict[str, Layer | Operation] = {}
    waiting: list[tuple[str, int, Any]] = []
    for entry in without_mask_operations(model, present, _keys):
        layer: Layer | Operation = operation_of(entry) or LAYERS.get(entry)
        name = str(entry.get("name") or getattr(layer, "name", None))
        if name in layers:
            raise ArgumentError(f"{model}: two layers are called {name!r}.")
        layers[name] = layer
        waiting += [(name, i, node) for i, node in enumerate(entry.get("inbound_nodes") or ())]
    inner, outer = _first_numbers(layers, waiting, config)
    made: dict[tuple[str, int], list[KerasTensor]] = {
        (name, 0): [layer.output] for name, layer in layers.items() if isinstance(layer, InputLayer)
    }
    _call_in_turn(model, layers, [(name, i + inner.get(name, 0), node) for name, i, node in waiting], made)
    seen = {(name, i - inner.get(name, 0) + outer.get(name, 0)): tensors for (name, i), tensors in made.items()}
    ends = [_placed(config[key], seen) for key in ("input_layers", "output_layers")]
    # Keras 2 lists also a single one; the form is that of one that was not in a list.
    inputs, outputs = (end[0] if isinstance(end, list) and len(end) == 1 else end for end in ends)
    return inputs, outputs


def _first_numbers(
    layers: Mapping[str, Layer | Operation], waiting: Sequence[tuple[str, int, Any]], config: Mapping[str, Any]
) -> tuple[dict[str, int], dict[str, int]]:
    """The number of the first call of each model among the layers: in other calls, and in the model's outputs.

    Keras 2 counts the graph of a model as its call 0; Keras 3 does so in the outputs alone, and not for a
    Sequential. Every call is used somewhere: so the numbers tell.
    """
    is_keras_2 = any(isinstance(node, list) for *_, node in waiting)
    called = _numbers((name, number) for name, number, _ in waiting)
    used = _numbers(key for *_, node in waiting for key in _keys(node))
    given = _numbers(_keys(config["output_layers"]))
    sequential = cast(type, LAYERS.find("Sequential"))
    inner, outer = {}, {}
    for name, layer in layers.items():
        if not isinstance(layer, Composite):
            continue
        calls, of_calls, of_outputs = (numbers.get(name, set()) for numbers in (called, used, given))
        guesses = [(0, 0), (1, 1)] if is_keras_2 else [(0, int(not isinstance(layer, sequential))), (0, 0)]
        for first, first_in_outputs in guesses:
            if {n - first for n in of_calls} | {n - first_in_outputs for n in of_outputs} == calls:
                inner[name], outer[name] = first, first_in_outputs
                break
    return inner, outer


def _numbers(keys: Iterable[tuple[str, int]]) -> dict[str, set[int]]:
    """The numbers that go with each name."""
    found: dict[str, set[int]] = {}
    for name, number in keys:
        found.setdefault(name, set()).add(number)
    return found


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
        needed = set(_keys(node))
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
        args, kwargs = _arguments(name, node, made)
        result = layers[name](*args, **kwargs)
        made[name, number] = list(placeholders(result)) or [result]  # the shape of a tensor is none
        for follower in followers.pop((name, number), ()):
            awaited[follower].discard((name, number))
            if not awaited[follower]:
                heapq.heappush(ready, follower)
    waiting = sorted({calls[i][0] for i, keys in enumerate(awaited) if keys})
    if waiting:
        raise ArgumentError(f"{model}: the calls of {waiting} wait for each other.")


def _is_constant(value: Any) -> bool:
    """Whether it is a number in the place of a reference, as in Keras 2's ``1 - x``."""
    return isinstance(value, list | tuple) and len(value) in (3, 4) and value[0] == "_CONSTANT_VALUE"


def _is_reference(value: Any) -> bool:
    return isinstance(value, list | tuple) and len(value) in (3, 4) and isinstance(value[0], str)


def _is_keras_tensor(value: Any) -> bool:
    return isinstance(value, Mapping) and value.get("class_name") == "__keras_tensor__"


def _reference(value: Any) -> tuple[str, int, int]:
    name, number, index = (value["config"]["keras_history"] if isinstance(value, Mapping) else value)[:3]
    return str(name), int(number), int(index)


def _keys(value: Any) -> list[tuple[str, int]]:
    """The calls whose outputs a node, or a part of one, refers to."""
    if _is_keras_tensor(value):
        return [_reference(value)[:2]]
    if _is_constant(value):
        return _keys(value[3] if len(value) == 4 else ())
    if _is_reference(value):
        return [_reference(value)[:2], *_keys(value[3] if len(value) == 4 else ())]
    if isinstance(value, Mapping):
        return [key for item in value.values() for key in _keys(item)]
    return [key for item in value for key in _keys(item)] if isinstance(value, list | tuple) else []


def _arguments(
    name: str, node: Any, made: Mapping[tuple[str, int], list[KerasTensor]]
) -> tuple[list[Any], dict[str, Any]]:
    """What a layer is called with; arguments that hold nothing, such as a mask of None, are left out.

    Raises:
        ArgumentError: a node of another form.
    """
    if isinstance(node, Mapping) and "args" in node and "kwargs" in node:
        args, kwargs = [_placed(a, made) for a in node["args"]], node["kwargs"]
    elif isinstance(node, list | tuple) and node:
        references = [node] if _is_reference(node) else list(node)
        inputs = [_placed(reference[:3], made) for reference in references]
        args = [inputs[0] if len(inputs) == 1 else inputs]
        kwargs = references[0][3] if len(references[0]) == 4 else {}
    else:
        raise ArgumentError(f"{name}: expected the layers that it is called on, received {node!r}.")
    return args, {k: _placed(v, made) for k, v in kwargs.items() if not _is_nothing(v)}


def _is_nothing(value: Any) -> bool:
    return value is None or (isinstance(value, list | tuple) and all(_is_nothing(item) for item in value))


def _placed(value: Any, made: Mapping[tuple[str, int], list[KerasTensor]]) -> Any:
    """``value`` with placeholders in the place of references.

    Raises:
        ArgumentError: a reference to an output that no call makes.
    """
    if _is_constant(value):
        return value[2]
    if _is_keras_tensor(value) or _is_reference(value):
        name, number, index = _reference(value)
        if not 0 <= index < len(made.get((name, number), ())):
            raise ArgumentError(f"no call of a layer {name!r} makes output {index} of call {number}.")
        return made[name, number][index]
    if isinstance(value, list | tuple):
        return [_placed(item, made) for item in value]
    value = operation_config.read(value)
    return {k: _placed(v, made) for k, v in value.items()} if isinstance(value, Mapping) else value
