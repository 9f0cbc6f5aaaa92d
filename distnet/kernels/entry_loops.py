"""Loops over entries and a bias of each column: biases, ReLU and dropout, each in one pass over memory."""

from __future__ import annotations

import numpy as np

from distnet.addresses import BITS_PER_BLOCK
from distnet.kernels import philox
from distnet.kernels.compiling import compiled, if_apart
from distnet.types import Array


@compiled
def bias(z: Array, bias: Array, out: Array) -> None:
    """``out = z + bias``."""
    for n in range(z.shape[0]):
        for o in range(z.shape[1]):
            out[n, o] = z[n, o] + bias[o]


@compiled
def bias_relu(z: Array, bias: Array, out: Array) -> None:
    """``out = relu(z + bias)``."""
    for n in range(z.shape[0]):
        for o in range(z.shape[1]):
            value = z[n, o] + bias[o]
            out[n, o] = 0 if value < 0 else value  # NaN stays NaN


@compiled
def relu(z: Array, out: Array) -> None:
    """``out = relu(z)``."""
    for i in range(z.size):
        out[i] = 0 if z[i] < 0 else z[i]


@compiled
def relu_gradient(dy: Array, y: Array, out: Array | None) -> None:
    """``out = dy`` where ``y > 0``, else 0; None to overwrite dy."""
    dx = if_apart(out, out, dy)
    for i in range(y.size):
        dx[i] = dy[i] if y[i] > 0 else 0


@compiled
def dropout(x: Array, bits: Array, threshold: int, scale: float, out: Array | None) -> None:
    """``out = x * scale`` where ``bits < threshold``, else 0; None to overwrite x."""
    y = if_apart(out, out, x)
    for n in range(x.shape[0]):
        for f in range(x.shape[1]):
            y[n, f] = x[n, f] * scale if bits[n, f] < threshold else 0


def _relu_dropout(z: Array, first_block: int, shift: Array, keys: Array, step: int, limit: int, scale: float) -> None:
    """``z = relu(z + shift) * scale`` where the bits drawn for an entry are at most ``limit``, else 0.

    Args:
        first_block: of the bits of the first row.
        shift: as long as a row, or a part of it, which is repeated.
    """
    blocks, zero = -(-z.shape[1] // BITS_PER_BLOCK), z.dtype.type(0)
    words = np.empty(4 * blocks, np.uint64)
    bits = words.view(np.uint32)
    for n in range(z.shape[0]):
        philox.random_words(keys, first_block + n * blocks, step, words)
        for start in range(0, z.shape[1], shift.size):
            row, drawn = z[n, start : start + shift.size], bits[start : start + shift.size]
            for c in range(shift.size):
                value = row[c] + shift[c]
                value = zero if value < 0 else value  # NaN stays NaN
                row[c] = value * scale if drawn[c] <= limit else zero


relu_dropout = compiled(_relu_dropout, philox.__file__)
