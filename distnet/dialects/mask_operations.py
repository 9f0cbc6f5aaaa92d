"""The computation of masks that Keras 3 writes into a model's graph.

A call's mask is there an argument, made by operations such as ``NotEqual`` beside the layers. Here masks
come with the inputs, by themselves: so the operations are left out where it is sure that they make
the masks of the model's own ``Embedding`` and ``Masking``.

Source: ``compute_mask`` of the layers of Keras 3.15.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

Keys = Callable[[Any], list[tuple[str, int]]]
"""The calls that a part of a configuration refers to."""

_OPERATIONS = (
    "Any", "Cast", "Concatenate", "ConvertToTensor", "ExpandDims", "LogicalAnd", "LogicalOr", "NotEqual", "OnesLike",
    "ZerosLike",
)  # fmt: skip


def without_mask_operations(model: str, config: Mapping[str, Any], keys: Keys) -> list[Mapping[str, Any]]:
    """The layers of a configuration, without what only masks are made of, and without these masks.

    Where a mask is none that a layer of the model makes, all stay as they are.
    """
    entries: Sequence[Mapping[str, Any]] = config["layers"]
    by_name = {_name(entry): entry for entry in entries}
    used: set[str] = set()
    pending = [name for name, _ in (*keys(config["output_layers"]), *keys(config["input_layers"]))]
    while pending:
        name = pending.pop()
        if name not in used:
            used.add(name)
            pending += [other for node in _nodes(by_name.get(name, {})) for other, _ in keys(_without_mask(node))]
    masks = {_name(entry) for entry in entries} - used
    makers = [entry for entry in entries if _name(entry) in masks]
    wanted = {name for entry in entries for node in _nodes(entry) for name, _ in keys(_mask(node))} & masks
    if not wanted:
        return list(entries)
    if not all(_is_known(entry, entries) for entry in makers):
        return list(entries)
    return [_unmasked(entry, masks, keys) for entry in entries if _name(entry) not in masks]


def _is_known(entry: Mapping[str, Any], entries: Sequence[Mapping[str, Any]]) -> bool:
    """Whether an operation is part of a mask that a layer of the model makes too."""
    kind = entry.get("class_name")
    if kind != "NotEqual":
        return kind in _OPERATIONS
    return all(
        len(args) == 2 and any(_masks(layer, args[1]) and args[:1] in map(_first, _nodes(layer)) for layer in entries)
        for args in map(_args, _nodes(entry))
    )


def _args(node: Any) -> Sequence[Any]:
    """What a call in Keras 3's form is made on."""
    return node["args"] if isinstance(node, Mapping) else ()


def _first(node: Any) -> Sequence[Any]:
    return _args(node)[:1]


def _masks(layer: Mapping[str, Any], value: Any) -> bool:
    """Whether a layer masks what has this value."""
    kind, config = layer.get("class_name"), layer.get("config", {})
    return (kind == "Embedding" and bool(config.get("mask_zero")) and value == 0) or (
        kind == "Masking" and config.get("mask_value", 0.0) == value
    )


def _unmasked(entry: Mapping[str, Any], masks: set[str], keys: Keys) -> Mapping[str, Any]:
    nodes = [_without_mask(node) if {name for name, _ in keys(_mask(node))} & masks else node for node in _nodes(entry)]
    return {**entry, "inbound_nodes": nodes}


def _nodes(entry: Mapping[str, Any]) -> Iterator[Any]:
    yield from entry.get("inbound_nodes") or ()


def _mask(node: Any) -> Any:
    return node.get("kwargs", {}).get("mask") if isinstance(node, Mapping) else None


def _without_mask(node: Any) -> Any:
    if _mask(node) is None:
        return node
    return {**node, "kwargs": {key: value for key, value in node["kwargs"].items() if key != "mask"}}


def _name(entry: Mapping[str, Any]) -> str:
    return str(entry.get("name") or entry.get("config", {}).get("name"))
