"""The configuration of a graph of layers, written as Keras 2 writes it; ``graph_reading`` reads it.

A call is noted at the layer called, under ``inbound_nodes``. Keras 2 lists its inputs as ``[layer,
call, output, arguments]``; Keras 3 keeps the arguments as they were, with a ``__keras_tensor__`` for
each placeholder. The former is what is written, but for calls with placeholders among their other
arguments, such as ``initial_state``, which Keras 3 reads in its own form only; what is for Keras 2 alone is
rewritten: see ``writing``.

The placeholder of a model's one input, or output, is not in a list: else Keras 3 takes the model to be called on
lists, and cannot call it on every step.

Keras 3 counts the calls of a model within a model from 0, but from 1 in the outputs; Keras 2 counts them from 1.
So each of them is listed twice, and the number of its second listing used: for one reader that is the second of
the two equal calls, for the other the first.

Source: ``Functional.get_config`` of Keras 2.12 and Keras 3.15.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Protocol, cast

from distnet.dialects import operation_config
from distnet.layers import Layer
from distnet.layers.engine.base import Call, KerasTensor, placeholders
from distnet.layers.operations import Operation
from distnet.registry import to_json
from distnet.types import Json


class Traced(Protocol):
    """The calls between a model's inputs and outputs."""

    inputs: list[KerasTensor]
    layers: list[Layer]

    def numbered_calls(self) -> list[Call]: ...


def config_of(
    name: str,
    trainable: bool,
    trace: Traced,
    structure: tuple[Any, Any],
    models: Collection[Layer],
    added_ends: Collection[tuple[str | None, KerasTensor]] = (),
) -> dict[str, Json]:
    """The configuration of a model with these calls; calls are numbered within the model.

    Args:
        structure: the placeholders of inputs and outputs, as the model was given them.
        models: those of the layers that are models.
        added_ends: the names of metrics, None for losses, and the placeholders that are added to them.
    """
    numbers: dict[Call, int] = {}
    calls: dict[Layer, list[Call]] = {layer: [] for layer in trace.layers}
    for tensor in trace.inputs:
        numbers[tensor.call] = 0
    for call in trace.numbered_calls():
        calls[call.layer] += [call, call] if call.layer in models else [call]
        numbers[call] = len(calls[call.layer]) - 1
    layers = []
    for layer in trace.layers:
        if isinstance(layer, Operation):
            layers.append(_operation(layer, calls[layer][0], numbers))
            continue
        nodes = [_node(call, numbers) for call in calls[layer]]
        layers.append({**cast(dict[str, Json], to_json(layer)), "name": layer.name, "inbound_nodes": nodes})
    inputs, outputs = structure
    ends = {"added_ends": _with_references(added_ends, numbers)} if added_ends else {}
    return {
        **ends,
        "name": name,
        "trainable": trainable,
        "layers": cast(Json, layers),
        "input_layers": _references(inputs, numbers),
        "output_layers": _references(outputs, numbers),
    }


def _operation(layer: Operation, call: Call, numbers: Mapping[Call, int]) -> Json:
    """An operation's entry: see ``operation_config``."""
    return operation_config.entry_of(
        layer, call, lambda t: [t.name, numbers[t.call], t.index], lambda value: _with_tensors(value, numbers)
    )


def _node(call: Call, numbers: Mapping[Call, int]) -> Json:
    """``[[layer, call, output, arguments], ...]``: the first argument's placeholders, then the other arguments.

    Placeholders among the other arguments are lost on Keras 3 in this form: then the node is in Keras 3's.
    """
    first, named = _arguments(call)
    if any(True for _ in placeholders(named)) or not _is_flat(first):
        kwargs = {key: _with_tensors(value, numbers) for key, value in named.items()}
        return {"args": [_with_tensors(first, numbers)], "kwargs": kwargs}
    options = to_json(named)
    return [[t.name, numbers[t.call], t.index, options] for t in placeholders(first)]


def _with_tensors(value: Any, numbers: Mapping[Call, int]) -> Json:
    """``value`` with Keras 3's ``__keras_tensor__`` instead of placeholders."""
    if isinstance(value, KerasTensor):
        history: Json = [value.name, numbers[value.call], value.index]
        config: Json = {"shape": list(value.shape), "dtype": value.dtype, "keras_history": history}
        return {"class_name": "__keras_tensor__", "config": config}
    if isinstance(value, list | tuple):
        return [_with_tensors(item, numbers) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _with_tensors(item, numbers) for key, item in value.items()}
    return to_json(operation_config.written(value))


def _is_flat(first: Any) -> bool:
    """Whether it is a placeholder, or one list of them, so that the order of the placeholders tells its form."""
    if isinstance(first, KerasTensor):
        return True
    return isinstance(first, list | tuple) and all(isinstance(item, KerasTensor) for item in first)


def _arguments(call: Call) -> tuple[Any, dict[str, Any]]:
    """The first argument of a call, and all others by name; a list of inputs and states, as Keras 2 has it, apart."""
    first, names = call.args[0], call.layer.call_arguments[1:]
    named = {**dict(zip(names, call.args[1:], strict=False)), **call.kwargs}
    if "initial_state" in names and isinstance(first, list | tuple):
        first, *states = first
        named["initial_state"] = states or named.get("initial_state")
    return first, {key: value for key, value in named.items() if value is not None}


def _with_references(value: Any, numbers: Mapping[Call, int]) -> Json:
    if isinstance(value, KerasTensor):
        return [value.name, numbers[value.call], value.index]
    if isinstance(value, list | tuple):
        return [_with_references(item, numbers) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _with_references(item, numbers) for key, item in value.items()}
    return to_json(value)


def _references(structure: Any, numbers: Mapping[Call, int]) -> Json:
    """``[layer, call, output]`` of each placeholder; several in the structure they came in."""
    is_single = isinstance(structure, list | tuple) and len(structure) == 1
    return _with_references(structure[0] if is_single else structure, numbers)
