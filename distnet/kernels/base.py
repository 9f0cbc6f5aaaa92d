"""What distnet asks of compiled code: the one seam between mathematics and loops."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias

from distnet.types import Array

Formula: TypeAlias = Callable[..., tuple[Array, ...]]
"""An elementwise rule ``(w, g, *slots, *scalars) -> (w, *slots)``; see ``distnet.kernels.updates``."""

FUSED_ACTIVATIONS = ("linear", "relu")
"""The activations that a kernel set computes together with what comes before them."""

MAX_SLOTS = 3
"""The most slots that a formula may have."""


class Kernels(Protocol):
    """What NumPy cannot do in one pass over memory. All sets agree to rounding; none allocates its results."""

    name: str
    """``"numpy"`` or ``"numba"``."""

    def update(
        self, formula: Formula, w: Array, g: Array, slots: Sequence[Array], scalars: Sequence[float] = ()
    ) -> None:
        """Overwrite ``w`` and ``slots`` with ``formula(w, g, *slots, *scalars)``.

        Shapes:
            w, g, slots: (P,), contiguous, of one dtype; the scalars are cast to it.

        Args:
            formula: elementwise; see ``distnet.kernels.updates`` for what it may contain.
        """

    def bias_activation(self, z: Array, bias: Array | None, activation: str) -> Array:
        """``z = activation(z + bias)`` in place; gives back ``z``.

        Shapes:
            z: (..., O), contiguous; bias: (O,).

        Args:
            activation: one of ``FUSED_ACTIVATIONS``.
        """

    def activation_gradient(self, dy: Array, y: Array, activation: str, out: Array) -> Array:
        """``out = dy * activation'(z)``, the derivative taken from ``y = activation(z)``; gives back ``out``.

        Shapes:
            dy, y, out: all equal and contiguous; ``out`` may be ``dy``.

        Args:
            activation: one of ``FUSED_ACTIVATIONS``.
        """

    def dropout(self, x: Array, bits: Array, threshold: int, scale: float, out: Array) -> Array:
        """``out = x * scale`` where ``bits < threshold``, else 0; gives back ``out``.

        Shapes:
            x, bits, out: (N, F); ``out`` may be ``x``.

        Args:
            bits: uint32, uniform.
            threshold: 0 to 2**32: the probability to keep an entry, times 2**32.
            scale: factor of the entries kept.
        """
