"""Placeholders of models that define ``call``: of what their first call got, and of what it gave."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import numpy as np

from distnet.data.given_arrays import holds_strings, strings_in
from distnet.errors import DataError
from distnet.layers import InputLayer
from distnet.layers.engine.base import KerasTensor
from distnet.layers.engine.structures import holds_tensors
from distnet.types import STRING, Shape


def entry(shape: Shape, dtype: str, name: str | None = None) -> KerasTensor:
    """A placeholder."""
    options = {} if name is None else {"name": name}
    layer = InputLayer(batch_input_shape=tuple(shape), dtype=dtype, **options)  # type: ignore[arg-type]
    return cast(KerasTensor, layer.output)


def entries_of(shape: Any, dtype: str) -> Any:
    """Placeholders for one shape, or for lists, tuples and dicts of shapes."""
    if isinstance(shape, Mapping):
        return {key: entries_of(value, dtype) for key, value in shape.items()}
    if isinstance(shape, list | tuple) and shape and all(isinstance(part, list | tuple) for part in shape):
        return type(shape)(entries_of(part, dtype) for part in shape)
    return entry((None, *tuple(shape)[1:]), dtype)


def dtype_of(leaf: Any, dtype: str) -> str:
    """The model's dtype for floating point, else that of the array."""
    kind = np.dtype(leaf.dtype)
    if kind.kind == "O":
        return STRING
    return dtype if kind.kind == "f" else kind.name


def opened(own: Shape, given: Shape) -> Shape:
    """The shape that arrays of both shapes have."""
    if len(own) != len(given):
        return (None, *given[1:])
    return (None, *(a if a == b else None for a, b in zip(own[1:], given[1:], strict=True)))


def mapped_arrays(inputs: Any) -> Any:
    """The inputs, with arrays in the place of what can be made one."""
    if isinstance(inputs, Mapping):
        return {key: mapped_arrays(value) for key, value in inputs.items()}
    if holds_tensors(inputs):
        return type(inputs)(mapped_arrays(value) for value in inputs)
    if holds_strings(inputs):
        return strings_in(inputs, "x")
    array = np.asarray(inputs)
    if array.dtype.kind not in "biuf" or not array.ndim:
        raise DataError(f"x: expected an array of numbers, received {array.dtype} of shape {array.shape}.")
    return array
