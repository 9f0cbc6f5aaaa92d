"""Indices of categories as vectors: one-hot, multi-hot and counts."""

from __future__ import annotations

import math

import numpy as np

from distnet.types import Array, DType, Shape

MODES = ("one_hot", "multi_hot", "count")
"""How vectors say which categories occur."""


def vectors(indices: Array, mode: str, depth: int, dtype: DType, weights: Array | None = None) -> Array:
    """A vector of ``depth`` entries for each index (``one_hot``) or for each sample, as Keras makes them.

    A sample is what lies along axis 1, or all of a vector. Indices outside of [0, depth) are passed over.

    Args:
        indices: integers.
        mode: see ``MODES``.
        weights: what each index counts, in the shape of ``indices``.

    Source: ``keras.src.utils.numerical_utils.encode_categorical_inputs``.
    """
    if indices.ndim == 0:
        indices = indices.reshape(1)
    if mode == "one_hot":
        if indices.ndim > 1 and indices.shape[-1] == 1:
            indices = indices[..., 0]
        return _marked(indices.reshape(-1, 1), depth, dtype).reshape(*indices.shape, depth)
    samples = np.moveaxis(indices, 1, -1) if indices.ndim > 1 else indices
    flat = samples.reshape(math.prod(samples.shape[:-1]), samples.shape[-1])
    if mode == "multi_hot":
        made = _marked(flat, depth, dtype)
    else:
        of_each = None if weights is None else np.moveaxis(weights, min(1, weights.ndim - 1), -1).reshape(-1)
        lengths = np.full(len(flat), flat.shape[1])
        made = counted(flat.reshape(-1), lengths, depth, dtype, of_each)
    return made.reshape(*samples.shape[:-1], depth)


def counted(indices: Array, lengths: Array, depth: int, dtype: DType, weights: Array | None = None) -> Array:
    """How often each category occurs in each row; the rows, one after the other, have these lengths."""
    rows = np.repeat(np.arange(len(lengths)), lengths)
    inside = (indices >= 0) & (indices < depth)
    if not inside.all():
        rows, indices = rows[inside], indices[inside]
        weights = None if weights is None else weights[inside]
    counts = np.bincount(rows * depth + indices, weights, len(lengths) * depth)
    return counts.astype(dtype, copy=False).reshape(len(lengths), depth)


def marked(indices: Array, lengths: Array, depth: int, dtype: DType) -> Array:
    """1 where a category occurs in a row, else 0; the rows, one after the other, have these lengths."""
    rows = np.repeat(np.arange(len(lengths)), lengths)
    inside = (indices >= 0) & (indices < depth)
    made = np.zeros((len(lengths), depth), dtype)
    made[rows[inside], indices[inside]] = 1
    return made


def vectors_shape(shape: Shape, mode: str, depth: int | None) -> Shape:
    """The shape of ``vectors`` of indices of this shape."""
    if mode == "one_hot":
        whole = shape or (1,)
        return (*(whole[:-1] if len(whole) > 1 and whole[-1] == 1 else whole), depth)
    return (*shape[:1], *shape[2:], depth) if len(shape) > 1 else (depth,)


def _marked(samples: Array, depth: int, dtype: DType) -> Array:
    lengths = np.full(len(samples), samples.shape[1])
    return marked(samples.reshape(-1), lengths, depth, dtype)
