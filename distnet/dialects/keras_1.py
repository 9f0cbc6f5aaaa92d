"""Keras 1's configurations of models, translated to Keras 2's.

Arguments of layers have the names of ``distnet.old_names``. Besides:

- Regularizers and constraints are ``{"name": ..., **arguments}``.
- ``Merge`` is every layer that merges, by its mode. A Sequential that begins with one is a graph of several inputs.

Source: ``get_config`` of ``keras.models.Sequential``, ``keras.engine.topology.Merge`` and the layers of Keras 1.2.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from distnet.errors import ArgumentError
from distnet.old_names import ARGUMENTS, CLASSES, present_arguments

_PARTS = {"L1L2Regularizer": "L1L2", "WeightRegularizer": "L1L2", "ActivityRegularizer": "L1L2"}
"""The regularizers that were renamed."""

_MERGES = {
    "sum": "Add",
    "mul": "Multiply",
    "ave": "Average",
    "max": "Maximum",
    "concat": "Concatenate",
    "dot": "Dot",
}
"""The mode of a ``Merge`` -> the layer."""


def in_words_of_keras_2(config: Any, version: tuple[int, ...] = (1, 2)) -> Any:
    """A configuration with Keras 2's classes and arguments instead of Keras 1's.

    Where channels come first in every layer that says where they come, they do in those that do not say it.

    Args:
        config: of a model or of its training.
        version: the numbers of the Keras that wrote it.

    Raises:
        ArgumentError: an option was dropped after Keras 1.
    """
    config = _as_penalized(config) if version >= (1, 2) else config
    return _translated(_with_channels_first(config) if set(_orderings(config)) == {"th"} else config)


def _as_penalized(value: Any) -> Any:
    """The same with the penalties that Keras 1.2 adds to the loss, where a configuration gives others.

    LSTM and GRU whose gates are apart penalize the recurrent kernels as the kernels; ConvLSTM2D penalizes nothing.

    Source: ``build`` in ``keras.layers.recurrent`` and ``keras.layers.convolutional_recurrent`` of Keras 1.2.
    """
    if isinstance(value, list):
        return [_as_penalized(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    penalized = {key: _as_penalized(item) for key, item in value.items()}
    name, config = value.get("class_name"), penalized.get("config")
    if name in ("LSTM", "GRU") and isinstance(config, dict) and config.get("consume_less") != "gpu":
        config["U_regularizer"] = config.get("W_regularizer")
    if name == "ConvLSTM2D" and isinstance(config, dict):
        config.update(dict.fromkeys(("W_regularizer", "U_regularizer", "b_regularizer")))
    return penalized


def _orderings(value: Any) -> Iterator[str]:
    """What the layers in a configuration say of where channels come."""
    for key, item in value.items() if isinstance(value, Mapping) else enumerate(value):
        if key == "dim_ordering" and item in ("th", "tf"):
            yield item
        elif isinstance(item, Mapping | list):
            yield from _orderings(item)


def _with_channels_first(value: Any) -> Any:
    """The same where every layer of images says it: padding, upsampling and dropout of Keras 1 do not."""
    if isinstance(value, list):
        return [_with_channels_first(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    completed = {key: _with_channels_first(item) for key, item in value.items()}
    name, config = str(value.get("class_name")), completed.get("config")
    if name.endswith(("2D", "3D")) and "dim_ordering" in ARGUMENTS.get(name, ()) and isinstance(config, dict):
        config.setdefault("dim_ordering", "th")
    return completed


def _translated(value: Any) -> Any:
    if isinstance(value, list):
        return [_translated(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    name, config = value.get("class_name"), value.get("config")
    if name == "Sequential" and isinstance(config, Mapping) and _begins_with_merge(config):
        return _translated(_as_graph(config))
    translated = {key: _translated(item) for key, item in value.items()}
    if isinstance(value.get("inbound_nodes"), list):
        translated["inbound_nodes"] = [_call(node) for node in value["inbound_nodes"]]
        if name == "Sequential" and isinstance(config, Mapping):
            translated["config"] = {"name": value.get("name"), **translated["config"]}
    if not isinstance(name, str) or not isinstance(config, Mapping):
        return translated
    if name == "Merge":
        return {**translated, **_merge(config)}
    arguments = {key: _part(key, item) for key, item in present_arguments(name, translated["config"]).items()}
    arguments.pop("input_dtype", None)
    return {**translated, "class_name": CLASSES.get(name, name), "config": arguments}


def _call(node: Any) -> Any:
    """A call, each of whose tensors is followed by the arguments, of which Keras 1 has none."""
    if not isinstance(node, list):
        return node
    return [[*tensor, {}] if isinstance(tensor, list) and len(tensor) == 3 else tensor for tensor in node]


def _part(key: str, value: Any) -> Any:
    """A regularizer or constraint as a class with its configuration."""
    if not key.endswith(("_regularizer", "_constraint")) or not isinstance(value, Mapping) or "name" not in value:
        return value
    config = dict(value)
    name = str(config.pop("name"))
    name = _PARTS.get(name, name)
    return {"class_name": name, "config": present_arguments(name, config) if name in ARGUMENTS else config}


def _merge(config: Mapping[str, Any]) -> dict[str, Any]:
    mode, kept = config.get("mode"), {"name": config.get("name"), "trainable": True}
    if config.get("mode_type", "raw") != "raw" or mode not in _MERGES:
        raise ArgumentError(
            f"Merge: expected a mode of {sorted(_MERGES)}, received {mode!r:.100}. Write a layer of your own for it."
        )
    if mode == "concat":
        kept["axis"] = config.get("concat_axis", -1)
    if mode == "dot":
        axes = config.get("dot_axes", -1)
        kept["axes"] = (
            [axis[0] if isinstance(axis, list) else axis for axis in axes] if isinstance(axes, list) else axes
        )
    return {"class_name": _MERGES[str(mode)], "config": kept}


def _begins_with_merge(config: Mapping[str, Any]) -> bool:
    layers = config.get("layers")
    first = layers[0] if isinstance(layers, list) and layers else None
    return isinstance(first, Mapping) and first.get("class_name") == "Merge"


def _as_graph(config: Mapping[str, Any]) -> dict[str, Any]:
    """A Sequential that merges branches, as the graph of its and their layers."""
    entries: list[dict[str, Any]] = []
    inputs: list[str] = []
    output = _chain(config["layers"], entries, inputs)
    graph = {"layers": entries, "input_layers": [[name, 0, 0] for name in inputs], "output_layers": [[output, 0, 0]]}
    return {"class_name": "Model", "config": {"name": config.get("name"), **graph}}


def _chain(layers: Any, entries: list[dict[str, Any]], inputs: list[str]) -> str:
    """Add layers that follow each other, and their input, to the entries of a graph; the name of the last."""
    last = ""
    for layer in layers:
        config = dict(layer["config"])
        if layer["class_name"] == "Merge":
            before = [_chain(_layers_of(branch), entries, inputs) for branch in config.pop("layers", ())]
        elif last:
            before = [last]
        else:
            before = [f"{config.get('name')}_input"]
            shape = {"batch_input_shape": _input_shape(layer), "name": before[0]}
            entries.append({"class_name": "InputLayer", "name": before[0], "config": shape, "inbound_nodes": []})
            inputs.append(before[0])
        last = str(config.get("name"))
        nodes = [[[name, 0, 0, {}] for name in before]]
        entries.append({"class_name": layer["class_name"], "name": last, "config": config, "inbound_nodes": nodes})
    return last


def _layers_of(branch: Mapping[str, Any]) -> Any:
    if branch["class_name"] == "Sequential":
        config = branch["config"]
        return config["layers"] if isinstance(config, Mapping) else config
    if branch["class_name"] == "Model":
        raise ArgumentError("Merge: a Model as a branch of a Sequential is not read. Save it as one Model.")
    return [branch]


def _input_shape(layer: Mapping[str, Any]) -> Any:
    shape = layer["config"].get("batch_input_shape")
    if shape is None:
        raise ArgumentError(f"{layer['class_name']}: begins a branch, but does not say the shape of its input.")
    return shape
