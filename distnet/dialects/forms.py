"""The form of a configuration, checked once before anything is read from it.

What is checked here, all that reads configurations relies on: an error further on is an error of the program's, not
of the file's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from distnet.errors import ArgumentError


def check(value: Any) -> None:
    """Check a configuration, and all within it.

    Raises:
        ArgumentError: names what has another form than in any Keras.
    """
    if isinstance(value, list):
        for item in value:
            check(item)
        return
    if not isinstance(value, Mapping):
        return
    kind = value.get("class_name")
    _expect(kind is None or isinstance(kind, str), "class_name", "a text", kind)
    if kind == "__keras_tensor__":
        _check_tensor(value.get("config"))
    if "inbound_nodes" in value:
        _check_calls(value)
    if "input_layers" in value and "output_layers" in value:
        _check_layers(value)
    if kind == "Sequential" and isinstance(value.get("config"), Mapping):
        _check_layers(value["config"])
    for item in value.values():
        check(item)


def _check_layers(model: Mapping[str, Any]) -> None:
    layers = model.get("layers")
    where = f"{model.get('name')!s:.100}: layers"
    _expect(isinstance(layers, list), where, "a list", layers)
    for layer in layers or ():
        is_layer = isinstance(layer, Mapping) and isinstance(layer.get("config"), Mapping)
        _expect(is_layer, where, "each with its configuration", layer)


def _check_calls(layer: Mapping[str, Any]) -> None:
    """``inbound_nodes``: a list of calls, each a list of references or, of Keras 3, ``{args, kwargs}``."""
    calls = layer["inbound_nodes"]
    where = f"{layer.get('name')!s:.100}: inbound_nodes"
    _expect(calls is None or isinstance(calls, list), where, "a list", calls)
    for call in calls or ():
        parts = (call.get("args"), call.get("kwargs")) if isinstance(call, Mapping) else (call, {})
        is_call = isinstance(parts[0], list) and isinstance(parts[1], Mapping)
        _expect(is_call, where, "the layers that it is called on", call)


def _check_tensor(config: Any) -> None:
    history = config.get("keras_history") if isinstance(config, Mapping) else None
    _expect(is_reference(history), "__keras_tensor__", "layer, call and output", history)


def is_reference(value: Any) -> bool:
    """Whether it is ``[layer, call, output]``, or that and arguments by name."""
    if not isinstance(value, list | tuple) or len(value) not in (3, 4) or not isinstance(value[0], str):
        return False
    has_numbers = all(isinstance(number, int) and not isinstance(number, bool) for number in value[1:3])
    return has_numbers and isinstance(value[3] if len(value) == 4 else {}, Mapping)


def _expect(is_so: bool, where: str, expected: str, value: Any) -> None:
    if not is_so:
        raise ArgumentError(f"{where}: expected {expected}, received {value!r:.100}.")
