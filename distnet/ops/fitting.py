"""Gradients in the shape, the dtype and the memory of what they are gradients by."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from distnet import kernels
from distnet.kernels.long_sums import summed
from distnet.ops.operators import PRIMITIVES
from distnet.ops.tensor import Tensor
from distnet.types import Array


def fitting(gradient: Any, operand: Any) -> Any:
    """The gradient of an operand that may have been broadcast, and whose dtype may differ."""
    if gradient is None or type(operand) is not Tensor or operand.node is None:
        return None
    value = operand.value
    if gradient.shape != value.shape:
        gradient = (
            PRIMITIVES["SumTo"](gradient, value.shape) if type(gradient) is Tensor else summed_to(gradient, value.shape)
        )
    if gradient.dtype != value.dtype:
        gradient = (
            PRIMITIVES["Cast"](gradient, value.dtype.name) if type(gradient) is Tensor else gradient.astype(value.dtype)
        )
    return gradient


def written(
    writer: Callable[..., Any],
    operand: Tensor,
    dy: Array,
    y: Array,
    operands: Sequence[Any],
    options: Mapping[str, Any],
) -> Array | None:
    """The gradient of a weight in the memory that waits for it; None if there is none, or it is not suitable."""
    source = operand.node
    if source is not None and source.sums_ranks and source.parents[0] is not None:
        source = source.parents[0].node
    if source is None or source.memory is None or source.memory.shape != operand.value.shape:
        return None
    made: Array | None = writer(dy, y, *operands, out=source.memory, **options)
    if made is not None:
        source.memory = None
    return made


def summed_to(gradient: Array, shape: tuple[int, ...]) -> Array:
    """The gradient of an array of ``shape`` that was broadcast to the gradient's shape."""
    if gradient.ndim > 1 and shape == gradient.shape[-1:] and _is_for_kernels(gradient):
        totals = kernels.current().column_sums(gradient.reshape(1, -1, shape[0]))
        return totals.reshape(shape).astype(gradient.dtype)
    extra = gradient.ndim - len(shape)
    repeated = [i + extra for i, n in enumerate(shape) if n == 1 != gradient.shape[i + extra]]
    total = summed(gradient, (*range(extra), *repeated), keepdims=True) if extra or repeated else gradient
    return np.asarray(total).reshape(shape)


def _is_for_kernels(a: Array) -> bool:
    return a.flags.c_contiguous and a.dtype.char in "fd" and a.size > 0
