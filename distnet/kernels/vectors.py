"""Softmax and normalization of vectors in NumPy, in blocks that stay in the L2 cache."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from distnet.types import Array

_BLOCK_BYTES = 1 << 17


def softmax(x: Array, out: Array) -> None:
    """Write ``exp(x) / sum(exp(x))`` of each row; ``out`` may be x."""
    np.subtract(x, x.max(axis=1, keepdims=True), out=out)
    np.exp(out, out=out)
    out /= out.sum(axis=1, keepdims=True)


def softmax_gradient(dy: Array, y: Array, out: Array) -> None:
    """Write ``(dy - sum(dy y)) y`` of each row; ``out`` may be ``dy``."""
    np.subtract(dy, np.vecdot(dy, y)[:, None], out=out)
    out *= y


def normalize(
    x: Array, gamma: Array | None, beta: Array | None, epsilon: float, is_centered: bool, out: Array
) -> tuple[Array, Array]:
    """See ``Kernels.normalize_rows``."""
    mean, inverse = np.empty((2, len(x), 1), x.dtype)
    average = _average(x)
    for part in _blocks(x):
        block = out[part]
        np.matmul(x[part], average, out=mean[part])
        np.subtract(x[part], mean[part], out=block)
        variance = np.matmul(block * block, average)
        variance += x.dtype.type(epsilon)
        np.divide(1, np.sqrt(variance), out=inverse[part])
        np.multiply(block if is_centered else x[part], inverse[part], out=block)
        if gamma is not None:
            block *= gamma
        if beta is not None:
            block += beta
    return mean, inverse


def normalize_gradient(
    dy: Array, x: Array, statistics: tuple[Array, Array], gamma: Array | None, is_centered: bool, out: Array
) -> tuple[Array, Array]:
    """See ``Kernels.normalize_rows_gradient``."""
    mean, inverse = statistics
    average = _average(x)
    of_gamma, of_beta = np.zeros((2, x.shape[1]))
    for part in _blocks(x):
        normal = np.subtract(x[part], mean[part])
        normal *= inverse[part]
        scaled = normal if is_centered else x[part] * inverse[part]
        ones = np.ones(len(normal), x.dtype)
        of_gamma += ones @ (dy[part] * scaled)
        of_beta += ones @ dy[part]
        # With g = gamma dy and n the normalized x: dx = (g - mean(g) - n mean(g n)) / deviation.
        slope = dy[part] if gamma is None else dy[part] * gamma
        normal *= np.matmul(slope * scaled, average)
        if is_centered:
            normal += np.matmul(slope, average)
        np.subtract(slope, normal, out=out[part])
        out[part] *= inverse[part]
    return of_gamma, of_beta


def _average(x: Array) -> Array:
    return np.full((x.shape[1], 1), 1 / max(x.shape[1], 1), x.dtype)


def _blocks(rows: Array) -> Iterator[slice]:
    step = max(_BLOCK_BYTES // max(rows.shape[1] * rows.itemsize, 1), 1)
    for start in range(0, len(rows), step):
        yield slice(start, start + step)
