"""Keras 2's backend functions of shapes, axes and places, where their arguments differ from those of ``ops``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from distnet import config, ops
from distnet.results import as_result
from distnet.types import Array


def concatenate(tensors: Sequence[Any], axis: int = -1) -> Any:
    """Tensors joined along an axis, by default the last one."""
    return ops.concatenate(list(tensors), axis=axis)


def stack(x: Sequence[Any], axis: int = 0) -> Any:
    """Tensors joined along a new axis."""
    return ops.stack(list(x), axis=axis)


def reshape(x: Any, shape: Sequence[int]) -> Any:
    """The entries in another shape."""
    return ops.reshape(x, tuple(shape))


def flatten(x: Any) -> Any:
    """All entries along one axis."""
    return ops.reshape(x, (-1,))


def batch_flatten(x: Any) -> Any:
    """(N, ...) -> (N, entries of a row)."""
    return ops.reshape(x, (-1, int(np.prod(np.shape(x)[1:] if not hasattr(x, "shape") else x.shape[1:]))))


def permute_dimensions(x: Any, pattern: Sequence[int]) -> Any:
    """The tensor with its axes in another order."""
    return ops.transpose(x, axes=tuple(pattern))


def expand_dims(x: Any, axis: int = -1) -> Any:
    """A new axis of extent 1."""
    return ops.expand_dims(x, axis)


def squeeze(x: Any, axis: int) -> Any:
    """Without an axis of extent 1."""
    return ops.squeeze(x, axis)


def repeat(x: Any, n: int) -> Any:
    """(N, C) -> (N, n, C)."""
    return ops.repeat(ops.expand_dims(x, 1), n, axis=1)


def repeat_elements(x: Any, rep: int, axis: int) -> Any:
    """Each entry ``rep`` times along an axis."""
    return ops.repeat(x, rep, axis=axis)


def tile(x: Any, n: int | Sequence[int]) -> Any:
    """The tensor ``n`` times side by side, along each axis."""
    return ops.tile(x, (n,) if isinstance(n, int) else tuple(n))


def reverse(x: Any, axes: int | Sequence[int]) -> Any:
    """The entries in reverse order along these axes."""
    return ops.flip(x, axis=(axes,) if isinstance(axes, int) else tuple(axes))


def slice(x: Any, start: Sequence[int], size: Sequence[int]) -> Any:
    """The part of this size that begins at ``start``; -1 takes all that is left."""
    ends = (None if n == -1 else first + n for first, n in zip(start, size, strict=True))
    return ops.get_item(x, tuple(range_of(first, end) for first, end in zip(start, ends, strict=True)))


range_of = type(np.s_[:])
"""Python's ``slice``, whose name the function has here."""


def gather(reference: Any, indices: Any) -> Any:
    """The rows with these indices."""
    return ops.take(reference, indices, axis=0)


def one_hot(indices: Any, num_classes: int) -> Any:
    """Class numbers as vectors."""
    return ops.one_hot(indices, num_classes)


def identity(x: Any, name: str | None = None) -> Any:
    """``x``."""
    return x


def zeros(shape: Sequence[int], dtype: str | None = None, name: str | None = None) -> Any:
    """Zeros; the name is ignored."""
    return ops.zeros(tuple(shape), dtype or config.floatx())


def ones(shape: Sequence[int], dtype: str | None = None, name: str | None = None) -> Any:
    """Ones; the name is ignored."""
    return ops.ones(tuple(shape), dtype or config.floatx())


def eye(size: int | Sequence[int], dtype: str | None = None, name: str | None = None) -> Any:
    """An identity matrix; the name is ignored."""
    n, m = (size, size) if isinstance(size, int) else size
    return ops.eye(n, m, dtype=dtype or config.floatx())


def zeros_like(x: Any, dtype: str | None = None, name: str | None = None) -> Any:
    """Zeros of the shape of ``x``; the name is ignored."""
    return ops.zeros_like(x, dtype=dtype)


def ones_like(x: Any, dtype: str | None = None, name: str | None = None) -> Any:
    """Ones of the shape of ``x``; the name is ignored."""
    return ops.ones_like(x, dtype=dtype)


def arange(start: int, stop: int | None = None, step: int = 1, dtype: str = "int32") -> Array:
    """Numbers from ``start`` to before ``stop``."""
    numbers = np.arange(start, None, step) if stop is None else np.arange(start, stop, step)
    result: Array = as_result(numbers.astype(dtype))
    return result


def to_dense(tensor: Any) -> Any:
    """``tensor``: none is sparse."""
    return tensor


def get_variable_shape(x: Any) -> tuple[int, ...]:
    """The shape of a variable."""
    return tuple(x.shape)
