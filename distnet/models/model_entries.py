"""Placeholders of models that define ``call``: of what their first call got, and of what it gave."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import numpy as np

from distnet.layers import InputLayer
from distnet.layers.engine.base import KerasTensor
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
