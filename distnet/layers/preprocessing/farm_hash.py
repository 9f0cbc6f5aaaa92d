"""FarmHash's fingerprint of 64 bits, by which TensorFlow and Keras put strings into bins.

Source: G. Pike, FarmHash, the function ``Fingerprint64``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from distnet.layers.preprocessing.equal_lengths import MASK, by_length, word32, word64
from distnet.types import Array

_K0, _K1, _K2 = 0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F
_SEED = 81
_CAT = 0xC6A4A7935BD1E995


def fingerprints(strings: Sequence[bytes]) -> Array:
    """The fingerprint of each string, as ``uint64``."""
    return by_length(strings, _of_length)


def joint_fingerprints(first: Array, second: Array) -> Array:
    """One fingerprint of two, entry by entry.

    Source: ``FingerprintCat64`` of TensorFlow.
    """
    mixed = first ^ np.uint64(_CAT)
    mixed ^= _shifted(second * np.uint64(_CAT)) * np.uint64(_CAT)
    return _shifted(_shifted(mixed * np.uint64(_CAT)) * np.uint64(_CAT))


def _of_length(rows: Array) -> Array:
    length = rows.shape[1]
    if length > 64:
        return _of_many(rows)
    if length > 32:
        return _of_33_to_64(rows)
    if length > 16:
        return _of_17_to_32(rows)
    if length >= 8:
        return _of_8_to_16(rows)
    if length >= 4:
        whole = word32(rows, 0) * np.uint64(8) + np.uint64(length)
        return _mixed(whole, word32(rows, length - 4), _factor(length))
    if not length:
        return np.full(len(rows), _K2, np.uint64)
    first, middle, last = (rows[:, at].astype(np.uint64) for at in (0, length >> 1, length - 1))
    y, z = first + middle * np.uint64(256), last * np.uint64(4) + np.uint64(length)
    return _shifted(y * np.uint64(_K2) ^ z * np.uint64(_K0)) * np.uint64(_K2)


def _of_8_to_16(rows: Array) -> Array:
    mul = _factor(rows.shape[1])
    a, b = word64(rows, 0) + np.uint64(_K2), word64(rows, rows.shape[1] - 8)
    return _mixed(_turned(b, 37) * mul + a, (_turned(a, 25) + b) * mul, mul)


def _of_17_to_32(rows: Array) -> Array:
    mul = _factor(rows.shape[1])
    a, b, c, d = _ends(rows, np.uint64(_K1), mul)
    return _mixed(_turned(a + b, 43) + _turned(c, 30) + d, a + _turned(b + np.uint64(_K2), 18) + c, mul)


def _of_33_to_64(rows: Array) -> Array:
    length, mul = rows.shape[1], _factor(rows.shape[1])
    a, b, c, d = _ends(rows, np.uint64(_K2), mul)
    y = _turned(a + b, 43) + _turned(c, 30) + d
    z = _mixed(y, a + _turned(b + np.uint64(_K2), 18) + c, mul)
    e, f = word64(rows, 16) * mul, word64(rows, 24)
    g, h = (y + word64(rows, length - 32)) * mul, (z + word64(rows, length - 24)) * mul
    return _mixed(_turned(e + f, 43) + _turned(g, 30) + h, e + _turned(f + a, 18) + g, mul)


def _of_many(rows: Array) -> Array:
    length, k1 = rows.shape[1], np.uint64(_K1)
    y_first = (_SEED * _K1 + 113) & MASK
    z_first = (y_first * _K2 + 113) & MASK
    x = word64(rows, 0) + np.uint64(_SEED * _K2 & MASK)
    y = np.full(len(rows), y_first, np.uint64)
    z = _shifted(np.full(len(rows), z_first, np.uint64)) * np.uint64(_K2)
    v, w = (np.zeros_like(x), np.zeros_like(x)), (np.zeros_like(x), np.zeros_like(x))
    for start in range(0, (length - 1) // 64 * 64, 64):
        x, y, z, v, w = _round(rows, start, x, y, z, v, w, k1, np.uint64(1))
    mul = k1 + ((z & np.uint64(0xFF)) << np.uint64(1))
    w0 = w[0] + np.uint64((length - 1) & 63)
    v0 = v[0] + w0
    x, y, z, v, w = _round(rows, length - 64, x, y, z, (v0, v[1]), (w0 + v0, w[1]), mul, np.uint64(9))
    return _mixed(
        _mixed(v[0], w[0], mul) + _shifted(y) * np.uint64(_K0) + z, _mixed(v[1], w[1], mul) + x, mul
    )  # fmt: skip


def _round(
    rows: Array, start: int, x: Array, y: Array, z: Array, v: tuple[Array, Array], w: tuple[Array, Array],
    mul: Array | np.uint64,
    weight: np.uint64,
) -> tuple[Array, Array, Array, tuple[Array, Array], tuple[Array, Array]]:  # fmt: skip
    """What 64 bytes from ``start`` on make of the state ``x, y, z, v, w``."""
    x = _turned(x + y + v[0] + word64(rows, start + 8), 37) * mul
    y = _turned(y + v[1] + word64(rows, start + 48), 42) * mul
    x = x ^ (w[1] * weight)
    y = y + v[0] * weight + word64(rows, start + 40)
    z = _turned(z + w[0], 33) * mul
    v_after = _weak(rows, start, v[1] * mul, x + w[0])
    w_after = _weak(rows, start + 32, z + w[1], y + word64(rows, start + 16))
    return z, y, x, v_after, w_after


def _weak(rows: Array, start: int, a: Array, b: Array) -> tuple[Array, Array]:
    w, x, y, z = (word64(rows, start + at) for at in (0, 8, 16, 24))
    a = a + w
    b = _turned(b + a + z, 21)
    c = a + x + y
    return c + z, b + _turned(c, 44) + a


def _ends(rows: Array, first: np.uint64, mul: np.uint64) -> tuple[Array, Array, Array, Array]:
    length = rows.shape[1]
    a, b = word64(rows, 0) * first, word64(rows, 8)
    return a, b, word64(rows, length - 8) * mul, word64(rows, length - 16) * np.uint64(_K2)


def _factor(length: int) -> np.uint64:
    return np.uint64((_K2 + 2 * length) & MASK)


def _turned(x: Array, bits: int) -> Array:
    """The bits moved to lower places, the lowest to the highest."""
    return x >> np.uint64(bits) | x << np.uint64(64 - bits)


def _shifted(x: Array) -> Array:
    shifted: Array = x ^ x >> np.uint64(47)
    return shifted


def _mixed(u: Array, v: Array, mul: Array | np.uint64) -> Array:
    a = _shifted((u ^ v) * mul)
    return _shifted((v ^ a) * mul) * mul
