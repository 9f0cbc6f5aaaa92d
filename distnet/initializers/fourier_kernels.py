"""Kernels of convolutions that are Fourier transforms of sequences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from distnet.arguments import check_option
from distnet.errors import ShapeError
from distnet.initializers.audio_windows import window as window_named
from distnet.initializers.base import INITIALIZERS, Initializer
from distnet.types import Array, DType

SIDES, SCALINGS = ("real", "imag"), ("density", "spectrum", None)


@INITIALIZERS.register("STFTInitializer")
@dataclass(eq=False)
class STFT(Initializer):
    """The cosines, or minus the sines, of a Fourier transform, times the weights of a window.

    For kernels of shape (entries of a sequence, 1, frequencies), of which there are half as many as entries
    transformed, and one more.

    Args:
        side: ``"real"`` or ``"imag"``.
        window: a name of SciPy's, the weights, or None.
        scaling: ``"density"`` divides the window by its Euclidean norm, ``"spectrum"`` by its sum; None by nothing.
        periodic: whether a window that is named is periodic.

    Source: ``keras.initializers.STFT``.
    """

    side: str = "real"
    window: str | Sequence[float] | None = "hann"
    scaling: str | None = "density"
    periodic: bool = False

    def __post_init__(self) -> None:
        check_option("STFT: side", self.side, SIDES)
        check_option("STFT: scaling", self.scaling, SCALINGS)
        if isinstance(self.window, str):
            window_named(self.window, 1, self.periodic)

    def draw(self, shape: tuple[int, ...], dtype: DType, rng: np.random.Generator) -> Array:
        if len(shape) != 3:
            raise ShapeError(f"STFT: expected a shape (entries of a sequence, 1, frequencies), received {shape}.")
        length, _, frequencies = shape
        angles = -2 * np.pi * np.outer(np.arange(length), np.arange(frequencies)) / max(2 * (frequencies - 1), 1)
        kernel = np.cos(angles) if self.side == "real" else np.sin(angles)
        if self.window is not None:
            kernel = kernel * self._weights(length)[:, None]
        return np.broadcast_to(kernel[:, None, :], shape).astype(dtype)

    def _weights(self, length: int) -> Array:
        named = isinstance(self.window, str)
        weights = window_named(str(self.window), length, self.periodic) if named else np.asarray(self.window, float)
        if weights.shape != (length,):
            raise ShapeError(f"STFT: expected a window of shape ({length},), received {weights.shape}.")
        scale = {"density": np.sqrt((weights**2).sum()), "spectrum": np.abs(weights).sum(), None: 1.0}[self.scaling]
        return np.asarray(weights / scale)


stft = STFTInitializer = STFT
