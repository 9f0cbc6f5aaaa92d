"""The graph of layers in a configuration, as Keras 2 or Keras 3 wrote it: see ``graph_writing``.

Source: ``functional_from_config`` of Keras 2.12 and Keras 3.15.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from distnet.dialects import operation_config
from distnet.dialects.forms import is_reference
from distnet.dialects.mask_operations import without_mask_operations
from distnet.dialects.operations import present_entry
from distnet.errors import ArgumentError
from distnet.layers.engine.base import KerasTensor

_OPTIONS_OF_ENDS = {"AddLoss": "unconditional", "AddMetric": "metric_name"}
"""Layers of Keras 2 that mark a graph's ends, with an option that each writes: a user's class may have the name."""


def entries_of(model: str, config: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The entries of layers and operations in a configuration, without those that only compute masks.

    Raises:
        ArgumentError: it lists no layers.
    """
    lacking = [key for key in ("layers", "input_layers", "output_layers") if key not in config]
    if lacking:
        raise ArgumentError(f"{model}: the configuration lacks {lacking}, received {sorted(config)}.")
    entries = config["layers"]
    if not isinstance(entries, Sequence) or isinstance(entries, str):
        raise ArgumentError(f"{model}: expected a list of layers, received {entries!r}.")
    present = {**config, "layers": [present_entry(entry) for entry in entries]}
    return without_mask_operations(model, present, calls_in)


def parted(
    model: str, entries: Iterable[Mapping[str, Any]], added_ends: Any
) -> tuple[list[Mapping[str, Any]], list[tuple[str | None, Any]]]:
    """The entries of layers, and the references to what is added to the loss, or, by a name, to the metrics.

    Keras 2 lists the latter among the layers.

    Args:
        added_ends: those that distnet wrote.

    Raises:
        ArgumentError: they have another form.

    Source: ``AddLoss`` and ``AddMetric`` of ``keras.src.engine.base_layer`` of Keras 2.12.
    """
    layers, ends = [], list(added_ends or ()) if isinstance(added_ends, list | None) else [added_ends]
    for entry in entries:
        config = entry.get("config")
        option = _OPTIONS_OF_ENDS.get(str(entry.get("class_name")))
        if option and isinstance(config, Mapping) and option in config:  # else it is a layer of the user's own
            nodes = entry.get("inbound_nodes") or ()
            ends += [(config.get("metric_name"), reference) for node in nodes for reference in node]
        else:
            layers.append(entry)
    for end in ends:
        is_pair = isinstance(end, list | tuple) and len(end) == 2 and isinstance(end[0], str | None)
        if not is_pair or not (is_reference(end[1]) or _is_keras_tensor(end[1])):
            raise ArgumentError(f"{model}: expected a tensor that is added to the loss, received {end!r:.100}.")
    return layers, ends


def first_numbers(
    is_graph: Mapping[str, bool], calls: Sequence[tuple[str, int, Any]], outputs: Sequence[tuple[str, int]]
) -> tuple[dict[str, int], dict[str, int]]:
    """The number of the first call of each model among the layers: in other calls, and in the model's outputs.

    Keras 2 counts the graph of a model as its call 0; Keras 3 does so in the outputs alone, and not for a
    Sequential. Every call is used somewhere: so the numbers tell.

    Args:
        is_graph: the names of the models; whether it is a graph, not a Sequential.
        calls: name and number of what is called, and what it is called on.
        outputs: the calls that make the outputs.
    """
    is_keras_2 = any(isinstance(node, list) for *_, node in calls)
    called = _numbers((name, number) for name, number, _ in calls)
    used = _numbers(key for *_, node in calls for key in calls_in(node))
    given = _numbers(outputs)
    inner, outer = {}, {}
    for name, has_own_call in is_graph.items():
        made, of_calls, of_outputs = (numbers.get(name, set()) for numbers in (called, used, given))
        guesses = [(0, 0), (1, 1)] if is_keras_2 else [(0, int(has_own_call)), (0, 0)]
        for first, first_in_outputs in guesses:
            if {n - first for n in of_calls} | {n - first_in_outputs for n in of_outputs} == made:
                inner[name], outer[name] = first, first_in_outputs
                break
    return inner, outer


def _numbers(keys: Iterable[tuple[str, int]]) -> dict[str, set[int]]:
    """The numbers that go with each name."""
    numbers: dict[str, set[int]] = {}
    for name, number in keys:
        numbers.setdefault(name, set()).add(number)
    return numbers


def _is_constant(value: Any) -> bool:
    """Whether it is a number in the place of a reference, as in Keras 2's ``1 - x``, with or without arguments."""
    is_one = isinstance(value, list | tuple) and len(value) in (3, 4) and value[0] == "_CONSTANT_VALUE"
    return is_one and isinstance(value[3] if len(value) == 4 else {}, Mapping)


def _is_keras_tensor(value: Any) -> bool:
    return isinstance(value, Mapping) and value.get("class_name") == "__keras_tensor__"


def _reference(value: Any) -> tuple[str, int, int]:
    name, number, index = (value["config"]["keras_history"] if isinstance(value, Mapping) else value)[:3]
    return name, number, index


def calls_in(value: Any) -> list[tuple[str, int]]:
    """The calls whose outputs a node, or a part of one, refers to."""
    if _is_keras_tensor(value):
        return [_reference(value)[:2]]
    if _is_constant(value):
        return calls_in(value[3] if len(value) == 4 else ())
    if is_reference(value):
        return [_reference(value)[:2], *calls_in(value[3] if len(value) == 4 else ())]
    if isinstance(value, Mapping):
        return [key for item in value.values() for key in calls_in(item)]
    return [key for item in value for key in calls_in(item)] if isinstance(value, list | tuple) else []


def arguments_of(
    name: str, node: Any, made: Mapping[tuple[str, int], list[KerasTensor]]
) -> tuple[list[Any], dict[str, Any]]:
    """A call's arguments, without empty ones such as a mask of None.

    Raises:
        ArgumentError: a node of another form.
    """
    if isinstance(node, Mapping) and "args" in node and "kwargs" in node:
        args, kwargs = [placed(a, made) for a in node["args"]], node["kwargs"]
    elif isinstance(node, list | tuple) and node:
        references = [node] if is_reference(node) or _is_constant(node) else list(node)
        if not all(is_reference(reference) or _is_constant(reference) for reference in references):
            raise ArgumentError(f"{name}: expected the layers that it is called on, received {node!r:.100}.")
        inputs = [placed(reference[:3], made) for reference in references]
        args = [inputs[0] if len(inputs) == 1 else inputs]
        kwargs = references[0][3] if len(references[0]) == 4 else {}
    else:
        raise ArgumentError(f"{name}: expected the layers that it is called on, received {node!r}.")
    return args, {k: placed(v, made) for k, v in kwargs.items() if not _is_nothing(v)}


def _is_nothing(value: Any) -> bool:
    return value is None or (isinstance(value, list | tuple) and all(_is_nothing(item) for item in value))


def placed(value: Any, made: Mapping[tuple[str, int], list[KerasTensor]]) -> Any:
    """``value`` with placeholders instead of references.

    Raises:
        ArgumentError: a reference to an output that no call makes.
    """
    if _is_constant(value):
        return value[2]
    if _is_keras_tensor(value) or is_reference(value):
        name, number, index = _reference(value)
        if not 0 <= index < len(made.get((name, number), ())):
            raise ArgumentError(f"no call of a layer {name!r} makes output {index} of call {number}.")
        return made[name, number][index]
    if isinstance(value, list | tuple):
        return [placed(item, made) for item in value]
    value = operation_config.read(value)
    return {k: placed(v, made) for k, v in value.items()} if isinstance(value, Mapping) else value
