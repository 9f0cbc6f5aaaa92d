"""Spectrograms by convolutions whose kernels are a Fourier transform at first."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np

from distnet import config, ops
from distnet.arguments import check_option, whole_number
from distnet.errors import ArgumentError, ShapeError
from distnet.initializers.fourier_kernels import SCALINGS, STFT
from distnet.layers.engine.base import Layer, register_layer
from distnet.layers.engine.context import BackwardContext, BuildContext, ForwardContext
from distnet.layers.engine.derived import Derived, derived
from distnet.types import Array, Shape
from distnet.variables import Variable

MODES = ("log", "magnitude", "psd", "real", "imag", "angle", "stft")
_SMALLEST = 1e-7


@register_layer()
@dataclass(eq=False)
class STFTSpectrogram(Layer):
    """Short-time Fourier transforms of signals, whose kernels can be trained.

    Shapes:
        (N, T, C) -> (N, frames, C F), or (N, frames, F, C) with ``expand_dims``; F is half of ``fft_length``, and one
        more; with ``mode="stft"`` twice as many. With the channels first (N, C, T) -> (N, C F, frames), or
        (N, C, frames, F).

    Args:
        mode: what is given: ``"log"``, ``"magnitude"``, ``"psd"``, ``"real"``, ``"imag"``, ``"angle"`` or ``"stft"``.
        frame_length: entries of a frame.
        frame_step: how far frames lie apart; None for half of their length.
        fft_length: entries transformed; None for the next power of two.
        window: of the initial kernels: see ``initializers.STFT``, likewise ``periodic`` and ``scaling``.
        padding: ``"valid"``, or ``"same"`` for zeros around the signal.
        expand_dims: whether frequencies and channels have axes of their own.

    Source: ``keras.layers.STFTSpectrogram``.
    """

    mode: str = "log"
    frame_length: int = whole_number(256, 1)
    frame_step: int | None = whole_number(None, 1)
    fft_length: int | None = whole_number(None, 1)
    window: str | Sequence[float] | None = "hann"
    periodic: bool = False
    scaling: str | None = "density"
    padding: str = "valid"
    expand_dims: bool = False
    data_format: str | None = field(default=None)

    def validate(self) -> None:
        self.data_format = config.data_format(self.data_format, self.name)
        check_option(f"{self.name}: mode", self.mode, MODES)
        check_option(f"{self.name}: padding", self.padding, ("valid", "same"))
        check_option(f"{self.name}: scaling", self.scaling, SCALINGS)
        if self.frame_step is not None and self.frame_step > self.frame_length:
            raise ArgumentError(
                f"{self.name}: frame_step must be at most frame_length={self.frame_length}, received {self.frame_step}."
            )
        if self.fft_length is not None and self.fft_length < self.frame_length:
            raise ArgumentError(
                f"{self.name}: fft_length must be at least frame_length={self.frame_length}, received "
                f"{self.fft_length}."
            )
        self._step = self.frame_step or self.frame_length // 2 or 1
        self._entries = self.fft_length or 2 ** math.ceil(math.log2(self.frame_length))
        self._frequencies = self._entries // 2 + 1

    def build(self, shape: Shape, ctx: BuildContext) -> None:
        kernel = (self.frame_length, 1, self._frequencies)
        for side, other in (("real", "imag"), ("imag", "real")):
            if self.mode != other:
                first = STFT(side, self.window, self.scaling, self.periodic)
                setattr(self, f"{side}_kernel", ctx.variable(f"{side}_kernel", kernel, cast(Any, first)))

    def compute_output_shape(self, shape: Shape) -> Shape:
        if len(shape) != 3:
            raise ShapeError(f"{self.name}: expected signals (batch, steps, channels), received {tuple(shape)}.")
        steps, channels = (shape[2], shape[1]) if self._is_first else (shape[1], shape[2])
        frames = None if steps is None else self._frames(steps)
        if frames is not None and frames < 1:
            raise ShapeError(f"{self.name}: expected signals of {self.frame_length} steps at least, received {steps}.")
        frequencies = self._frequencies * (2 if self.mode == "stft" else 1)
        if self.expand_dims:
            return (
                (shape[0], channels, frames, frequencies)
                if self._is_first
                else (shape[0], frames, frequencies, channels)
            )
        both = None if channels is None else channels * frequencies
        return (shape[0], both, frames) if self._is_first else (shape[0], frames, both)

    def forward(self, x: Array, ctx: ForwardContext) -> tuple[Array, Derived]:
        self.compute_output_shape(x.shape)
        made = derived(self.spectra, [x, *(v.value for v in self.kernels)], ctx)
        return made.result.value, made

    def backward(self, dy: Array, saved: Derived, ctx: BackwardContext) -> Array | None:
        dx, *of_kernels = saved.gradients(dy)
        for variable, gradient in zip(self.kernels, of_kernels, strict=True):
            ctx.add(variable, gradient)
        return dx if ctx.needs_input_gradient else None

    @property
    def kernels(self) -> list[Variable]:
        """The kernels there are, the real one first."""
        return [getattr(self, name) for name in ("real_kernel", "imag_kernel") if hasattr(self, name)]

    def spectra(self, x: Any, *kernels: Any) -> Any:
        """The spectrogram of signals by kernels, all tensors."""
        frames = self._framed(x if self._is_first else ops.transpose(x, (0, 2, 1)))
        sides = [ops.matmul(frames, kernel[:, 0, :]) for kernel in kernels]
        return self._in_order(self._of_sides(sides))

    def _of_sides(self, sides: Sequence[Any]) -> Any:
        """(N, C, frames, F) of the real and imaginary sides."""
        if self.mode in ("real", "imag"):
            return sides[0]
        real, imaginary = sides
        if self.mode == "angle":
            return ops.arctan2(imaginary, real)
        if self.mode == "stft":
            return ops.concatenate([real, imaginary], axis=-1)
        power = ops.square(real) + ops.square(imaginary)
        if self.mode == "psd":
            twice = np.ones(self._frequencies, power.dtype)
            twice[1:-1] = 2
            return power * twice
        magnitude = ops.sqrt(ops.maximum(power, _SMALLEST))
        return magnitude if self.mode == "magnitude" else ops.log(ops.maximum(magnitude, _SMALLEST))

    def _framed(self, x: Any) -> Any:
        """(N, C, frames, frame_length) of signals (N, C, T)."""
        if self.padding == "same":
            steps = x.shape[2]
            missing = max((self._frames(steps) - 1) * self._step + self.frame_length - steps, 0)
            x = ops.pad(x, ((0, 0), (0, 0), (missing // 2, missing - missing // 2)))
        return ops.extract_sequences(x, self.frame_length, self._step)

    def _in_order(self, y: Any) -> Any:
        """(N, C, frames, F) in the layer's order."""
        channels, frames, frequencies = y.shape[1:]
        if self._is_first:
            if self.expand_dims:
                return y
            return ops.reshape(ops.transpose(y, (0, 1, 3, 2)), (y.shape[0], channels * frequencies, frames))
        if self.expand_dims:
            return ops.transpose(y, (0, 2, 3, 1))
        return ops.reshape(ops.transpose(y, (0, 2, 1, 3)), (y.shape[0], frames, channels * frequencies))

    def _frames(self, steps: int) -> int:
        return -(-steps // self._step) if self.padding == "same" else (steps - self.frame_length) // self._step + 1

    @property
    def _is_first(self) -> bool:
        return self.data_format == "channels_first"
