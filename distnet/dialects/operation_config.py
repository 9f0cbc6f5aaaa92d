"""Operations on tensors in a model's configuration: as Keras 3 writes them, or as layers that Keras 2 reads too.

``a + b`` is an operation ``Add`` in Keras 3. Where no mask is at hand, which an operation drops and a layer keeps, a
sum, a difference, a product and what numbers do to a tensor are written as ``Add``, ``Subtract``, ``Multiply`` and
``Rescaling``, with the operation beside them, which distnet reads.

Source: ``serialize_node`` and ``KerasTensor`` of Keras 3.15.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from numbers import Real
from typing import Any, cast

import numpy as np

from distnet.dialects.keras_2_operations import OPERATION
from distnet.layers.engine.base import Call, KerasTensor
from distnet.layers.operations import Operation
from distnet.registry import said_beside
from distnet.types import Json

_behind_masks: ContextVar[bool] = ContextVar("behind_masks", default=False)


@contextmanager
def called_as(calls: Sequence[Call]) -> Iterator[None]:
    """While the model that these are the calls of is written: whether masks come with its inputs."""
    is_masked = any("mask" in call.options or any(t.may_be_masked for t in call.inputs) for call in calls)
    token = _behind_masks.set(_behind_masks.get() or is_masked)
    try:
        yield
    finally:
        _behind_masks.reset(token)


Write = Callable[[Any], Json]
"""Writes a placeholder."""


def entry_of(layer: Operation, call: Call, reference: Callable[[KerasTensor], list[Json]], write: Write) -> Json:
    """An operation's entry among a model's layers.

    Args:
        layer: the operation.
        call: its one call.
        reference: ``[layer, call, output]`` of a placeholder.
        write: a placeholder, or what holds some, in Keras 3's form.
    """
    operands = (*call.args, *call.kwargs.values())
    if layer.kind == "GetItem":
        operands = (operands[0], _without_ellipsis(operands[1], operands[0].ndim))
    node: Json = {"args": [write(operand) for operand in operands], "kwargs": {}}
    entry: dict[str, Json] = {**cast("dict[str, Json]", layer.as_json()), "name": layer.name, "inbound_nodes": [node]}
    same = _as_layer(layer.kind, operands)
    if same is None or _behind_masks.get() or any(t.may_be_masked for t in call.inputs):
        return entry
    kind, config, tensors = same
    config = {"name": layer.name, "trainable": True, "dtype": layer.dtype, **config}
    nodes = [[[*reference(tensor), {}] for tensor in tensors]]
    written = {"class_name": kind, "config": config, "name": layer.name, "inbound_nodes": nodes}
    return said_beside(cast("Mapping[str, Any]", written), **{OPERATION: entry})


def _without_ellipsis(key: Any, ndim: int) -> tuple[Any, ...]:
    """The key with slices for the ellipsis, which Keras 3 does not read from HDF5."""
    parts = tuple(key) if isinstance(key, list | tuple) else (key,)
    at = next((i for i, part in enumerate(parts) if part is Ellipsis), None)
    if at is None:
        return parts
    taken = sum(part is not None for part in parts) - 1
    return (*parts[:at], *[slice(None)] * (ndim - taken), *parts[at + 1 :])


def _as_layer(kind: str, operands: Sequence[Any]) -> tuple[str, dict[str, Json], list[KerasTensor]] | None:
    """The layer, its arguments and what it is called on, that computes the same of tensors without masks."""
    tensors = [operand for operand in operands if isinstance(operand, KerasTensor)]
    if any(np.dtype(t.dtype).kind != "f" for t in tensors) or len({t.ndim for t in tensors}) != 1:
        return None
    if len(operands) == len(tensors) == 2:
        return (kind, {}, tensors) if kind in ("Add", "Subtract", "Multiply") else None
    if kind == "Negative":
        return "Rescaling", {"scale": -1.0, "offset": 0.0}, tensors
    if len(operands) != 2 or not all(isinstance(operand, Real | KerasTensor) for operand in operands):
        return None
    is_behind = isinstance(operands[1], Real)
    number = float(operands[1] if is_behind else operands[0])
    if kind == "Power" and is_behind and number == 2:
        return "Multiply", {}, [*tensors, *tensors]
    scaled = {
        "Add": (1.0, number),
        "Subtract": (1.0, -number) if is_behind else (-1.0, number),
        "Multiply": (number, 0.0),
        "TrueDivide": (1 / number, 0.0) if is_behind and number else None,
    }.get(kind)
    return None if scaled is None else ("Rescaling", {"scale": scaled[0], "offset": scaled[1]}, tensors)


def written(value: Any) -> Any:
    """A constant as Keras 3 writes it: slices, the ellipsis, arrays."""
    if isinstance(value, slice):
        config = {key: written(getattr(value, key)) for key in ("start", "stop", "step")}
        return {"class_name": "__slice__", "config": config}
    if value is Ellipsis:
        return {"class_name": "__ellipsis__", "config": {}}
    if isinstance(value, np.ndarray):
        return {"class_name": "__numpy__", "config": {"value": value.tolist(), "dtype": value.dtype.name}}
    return value.item() if isinstance(value, np.generic) else value


def read(value: Any) -> Any:
    """The constant that ``written``, here or in Keras 3, described; anything else as it is."""
    if not isinstance(value, Mapping):
        return value
    kind, config = value.get("class_name"), value.get("config") or {}
    if kind == "__slice__":
        return slice(*(config.get(key) for key in ("start", "stop", "step")))
    if kind == "__ellipsis__":
        return Ellipsis
    if kind in ("__numpy__", "__tensor__"):
        return np.asarray(config.get("value"), config.get("dtype"))
    return value
