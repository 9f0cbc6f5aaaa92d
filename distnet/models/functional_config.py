"""The configuration of a graph of layers: written as Keras 2 writes it, read as Keras 2 or Keras 3 did.

A call is noted at the layer called, under ``inbound_nodes``. Keras 2 lists its inputs as ``[layer,
call, output, arguments]``; Keras 3 keeps the arguments as they were, with a ``__keras_tensor__`` for
each placeholder. The former is what is written, but for calls with placeholders among their other
arguments, such as ``initial_state``, which Keras 3 reads in its own form only.

Source: ``Functional.get_config`` of Keras 2.12 and Keras 3.15.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from distnet.errors import ArgumentError
from distnet.layers import LAYERS, InputLayer, Layer
from distnet.layers.symbolic import Call, KerasTensor, placeholders
from distnet.models.tracing import Trace
from distnet.registry import to_json
from distnet.types import Json


def config_of(name: str, trainable: bool, trace: Trace, structure: tuple[Any, Any]) -> dict[str, Json]:
    """The configuration of a model with these calls; calls are numbered within the model."""
    numbers: dict[Call, int] = {}
    calls: dict[Layer, list[Call]] = {layer: [] for layer in trace.layers}
    for tensor in trace.inputs:
        numbers[tensor.call] = 0
    for call in sorted(trace.calls, key=lambda call: call.number):
        numbers[call] = len(calls[call.layer])
        calls[call.layer].append(call)
    layers = []
    for layer in trace.layers:
        nodes = [_node(call, numbers) for call in calls[layer]]
        layers.append({**cast(dict[str, Json], to_json(layer)), "name": layer.name, "inbound_nodes": nodes})
    inputs, outputs = structure
    return {
        "name": name,
        "trainable": trainable,
        "layers": cast(Json, layers),
        "input_layers": _references(inputs, numbers),
        "output_layers": _references(outputs, numbers),
    }


def rebuilt(config: Mapping[str, Any]) -> tuple[Any, Any]:
    """The placeholders of inputs and outputs, after calling the layers as the configuration says.

    Raises:
        ArgumentError: calls that wait for each other, or for a layer that is not there.
    """
    entries = config.get("layers")
    if not isinstance(entries, Sequence) or isinstance(entries, str):
        raise ArgumentError(f"{config.get('name')}: expected a list of layers, received {entries!r}.")
    layers: dict[str, Layer] = {}
    waiting: list[tuple[str, int, Any]] = []
    for entry in entries:
        layer = LAYERS.get(entry)
        name = entry.get("name") or layer.name
        if name in layers:
            raise ArgumentError(f"{config.get('name')}: two layers are called {name!r}.")
        layers[name] = layer
        waiting += [(name, i, node) for i, node in enumerate(entry.get("inbound_nodes") or ())]
    made: dict[tuple[str, int], list[KerasTensor]] = {
        (name, 0): [layer.output] for name, layer in layers.items() if isinstance(layer, InputLayer)
    }
    _call_in_turn(str(config.get("name")), layers, waiting, made)
    return (
        _resolved(config["input_layers"], made, layers),
        _resolved(config["output_layers"], made, layers),
    )


def _call_in_turn(
    model: str,
    layers: Mapping[str, Layer],
    waiting: list[tuple[str, int, Any]],
    made: dict[tuple[str, int], list[KerasTensor]],
) -> None:
    """Make the calls, each once its inputs are there."""
    while waiting:
        later = []
        for name, number, node in waiting:
            needed = set(_keys(node))
            unknown = sorted(key[0] for key in needed if key[0] not in layers)
            if unknown:
                raise ArgumentError(f"{model}: {name} is called on {unknown[0]!r}, which is not among the layers.")
            is_next = number == 0 or (name, number - 1) in made
            if not is_next or any(key not in made for key in needed):
                later.append((name, number, node))
                continue
            args, kwargs = _arguments(node, made)
            result = layers[name](*args, **kwargs)
            made[name, number] = list(result) if isinstance(result, list) else [result]
        if len(later) == len(waiting):
            raise ArgumentError(f"{model}: the calls of {sorted({name for name, *_ in later})} wait for each other.")
        waiting = later


def _node(call: Call, numbers: Mapping[Call, int]) -> Json:
    """``[[layer, call, output, arguments], ...]``: the first argument's placeholders, then the other arguments.

    Placeholders among the other arguments are lost on Keras 3 in this form: then the node is in Keras 3's.
    """
    named = _named(call)
    if any(True for _ in placeholders(named)):
        kwargs = {key: _with_tensors(value, numbers) for key, value in named.items()}
        return {"args": [_with_tensors(call.args[0], numbers)], "kwargs": kwargs}
    options = to_json(named)
    return [[t.name, numbers[t.call], t.index, options] for t in placeholders(call.args[0])]


def _with_tensors(value: Any, numbers: Mapping[Call, int]) -> Json:
    """``value`` with Keras 3's ``__keras_tensor__`` in the place of placeholders."""
    if isinstance(value, KerasTensor):
        history: Json = [value.name, numbers[value.call], value.index]
        config: Json = {"shape": list(value.shape), "dtype": value.dtype, "keras_history": history}
        return {"class_name": "__keras_tensor__", "config": config}
    if isinstance(value, list | tuple):
        return [_with_tensors(item, numbers) for item in value]
    return to_json(value)


def _named(call: Call) -> dict[str, Any]:
    """All arguments of a call but the first, by name."""
    names = call.layer.call_arguments
    positional = dict(zip(names[1:], call.args[1:], strict=False))
    return {key: value for key, value in {**positional, **call.kwargs}.items() if value is not None}


def _with_references(value: Any, numbers: Mapping[Call, int]) -> Json:
    if isinstance(value, KerasTensor):
        return [value.name, numbers[value.call], value.index]
    if isinstance(value, list | tuple):
        return [_with_references(item, numbers) for item in value]
    return to_json(value)


def _references(structure: Any, numbers: Mapping[Call, int]) -> Json:
    """``[layer, call, output]`` of each placeholder; several in the structure they came in."""
    if isinstance(structure, Mapping):
        return {key: _with_references(value, numbers) for key, value in structure.items()}
    return [_with_references(tensor, numbers) for tensor in placeholders(structure)]


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
    if _is_reference(value):
        return [_reference(value)[:2], *_keys(value[3] if len(value) == 4 else ())]
    if isinstance(value, Mapping):
        return [key for item in value.values() for key in _keys(item)]
    return [key for item in value for key in _keys(item)] if isinstance(value, list | tuple) else []


def _arguments(node: Any, made: Mapping[tuple[str, int], list[KerasTensor]]) -> tuple[list[Any], dict[str, Any]]:
    if isinstance(node, Mapping):
        return [_placed(a, made) for a in node["args"]], {k: _placed(v, made) for k, v in node["kwargs"].items()}
    references = [node] if _is_reference(node) else list(node)
    inputs = [_placed(reference[:3], made) for reference in references]
    kwargs = references[0][3] if len(references[0]) == 4 else {}
    return [inputs[0] if len(inputs) == 1 else inputs], {k: _placed(v, made) for k, v in kwargs.items()}


def _placed(value: Any, made: Mapping[tuple[str, int], list[KerasTensor]]) -> Any:
    """``value`` with placeholders in the place of references."""
    if _is_keras_tensor(value) or _is_reference(value):
        name, number, index = _reference(value)
        return made[name, number][index]
    if isinstance(value, list | tuple):
        return [_placed(item, made) for item in value]
    return {k: _placed(v, made) for k, v in value.items()} if isinstance(value, Mapping) else value


def _resolved(references: Any, made: Mapping[tuple[str, int], list[KerasTensor]], layers: Mapping[str, Layer]) -> Any:
    """The placeholders of ``input_layers`` or ``output_layers``: one, a list or a dict.

    Raises:
        ArgumentError: a reference to an output that no call makes.
    """
    if isinstance(references, Mapping):
        return {key: _resolved(value, made, layers) for key, value in references.items()}
    if not _is_reference(references):
        return [_resolved(reference, made, layers) for reference in references]
    name, number, index = _reference(references)
    if (name, number) not in made or index >= len(made[name, number]):
        raise ArgumentError(f"no call of a layer {name!r} makes output {index} of call {number}.")
    return made[name, number][index]
