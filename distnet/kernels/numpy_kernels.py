"""The reference kernels: NumPy alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from distnet.errors import ArgumentError
from distnet.kernels.base import FUSED_ACTIVATIONS, Formula
from distnet.types import Array

_CHUNK_BYTES = 1 << 18
"""A formula's temporaries stay in the L2 cache, and are just large enough for NumPy to reuse them in place."""


class NumpyKernels:
    """Kernels in NumPy: several passes, over pieces that fit the cache."""

    name = "numpy"

    def update(
        self, formula: Formula, w: Array, g: Array, slots: Sequence[Array], scalars: Sequence[float] = ()
    ) -> None:
        numbers = [w.dtype.type(scalar) for scalar in scalars]
        chunk = _CHUNK_BYTES // w.itemsize
        # Weights that diverge become inf or nan silently, as in every kernel set: callbacks look at the loss.
        with np.errstate(all="ignore"):
            for start in range(0, w.size, chunk):
                part = slice(start, start + chunk)
                results = formula(w[part], g[part], *(slot[part] for slot in slots), *numbers)
                for target, result in zip((w, *slots), results, strict=True):
                    target[part] = result

    def bias_activation(self, z: Array, bias: Array | None, activation: str) -> Array:
        check_activation(activation)
        if bias is not None:
            z += bias
        if activation == "relu":
            np.maximum(z, 0, out=z)
        return z

    def activation_gradient(self, dy: Array, y: Array, activation: str, out: Array) -> Array:
        check_activation(activation)
        if out is not dy:
            np.copyto(out, dy)
        if activation == "relu":
            _zero_unless(y > 0, out)
        return out

    def dropout(self, x: Array, bits: Array, threshold: int, scale: float, out: Array) -> Array:
        np.multiply(x, x.dtype.type(scale), out=out)
        _zero_unless(bits < threshold, out)
        return out


def _zero_unless(keep: Array, out: Array) -> None:
    """Zero entries in place by multiplying their bits, seen as integers: exact, and faster than a masked copy."""
    bits = out.view(f"i{out.itemsize}")
    np.multiply(bits, keep, out=bits)


def check_activation(activation: str) -> None:
    """Refuse an activation that the kernels do not fuse.

    Raises:
        ArgumentError: it is not one of ``FUSED_ACTIVATIONS``.
    """
    if activation not in FUSED_ACTIVATIONS:
        raise ArgumentError(
            f"kernels: expected an activation out of {FUSED_ACTIVATIONS}, received {activation!r}. "
            "Compute it with distnet.activations."
        )
