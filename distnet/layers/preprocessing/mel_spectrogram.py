"""Spectrograms on the mel scale."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from distnet import ops
from distnet.arguments import ANY, POSITIVE, number, whole_number
from distnet.errors import ArgumentError, ShapeError
from distnet.layers.engine.base import Layer, register_layer
from distnet.layers.engine.context import BackwardContext, ForwardContext
from distnet.layers.engine.derived import Derived, derived, gathered
from distnet.types import Array, Shape


@register_layer()
@dataclass(eq=False)
class MelSpectrogram(Layer):
    """Power of signals in bands of the mel scale, in decibels.

    Shapes:
        (N, T) -> (N, num_mel_bins, frames); one signal (T,) -> (num_mel_bins, frames).

    Args:
        fft_length: entries transformed.
        sequence_stride: how far frames lie apart.
        sequence_length: entries of a frame; None for ``fft_length``.
        window: ``"hann"``, ``"hamming"``, the weights, or None.
        sampling_rate: of the signals, in Hz.
        num_mel_bins: number of bands.
        min_freq: begin of the first band, in Hz.
        max_freq: end of the last band, in Hz; None for half of the sampling rate.
        power_to_db: whether decibels are given.
        top_db: how far below the largest value of the global batch decibels may lie.
        mag_exp: exponent of the magnitude: 2 for power.
        min_power: smaller powers count as this.
        ref_power: the power of 0 dB.

    Source: ``keras.layers.MelSpectrogram``.
    """

    couples_rows: ClassVar[bool] = True
    row_rank: ClassVar[int] = 1

    fft_length: int = whole_number(2048, 1)
    sequence_stride: int = whole_number(512, 1)
    sequence_length: int | None = whole_number(None, 1)
    window: str | Sequence[float] | None = "hann"
    sampling_rate: float = number(16000, POSITIVE)
    num_mel_bins: int = whole_number(128, 1)
    min_freq: float = number(20.0, ANY)
    max_freq: float | None = None
    power_to_db: bool = True
    top_db: float = number(80.0, ANY)
    mag_exp: float = number(2.0, ANY)
    min_power: float = number(1e-10, POSITIVE)
    ref_power: float = number(1.0, ANY)

    def validate(self) -> None:
        self.sequence_length = self.sequence_length or self.fft_length
        self.max_freq = self.max_freq or int(self.sampling_rate / 2)
        if self.fft_length < self.sequence_length:
            raise ArgumentError(
                f"{self.name}: fft_length must be at least sequence_length={self.sequence_length}, received "
                f"{self.fft_length}."
            )
        self._bands = mel_bands(
            self.num_mel_bins, self.fft_length // 2 + 1, self.sampling_rate, self.min_freq, float(self.max_freq)
        )

    def compute_output_shape(self, shape: Shape) -> Shape:
        if len(shape) == self.row_rank and shape[0] is not None:
            return self.compute_output_shape((None, *shape))[1:]
        if len(shape) != 2:
            raise ShapeError(f"{self.name}: expected signals (batch, steps), received {tuple(shape)}.")
        missing = self.fft_length - 2 * (self.fft_length // 2)
        frames = None if shape[1] is None else (shape[1] - missing) // self.sequence_stride + 1
        return (shape[0], self.num_mel_bins, frames)

    def forward(self, x: Array, ctx: ForwardContext) -> tuple[Array, Derived]:
        self.compute_output_shape(x.shape)
        made = derived(lambda source: self.spectra(source, ctx), [x], ctx)
        return made.result.value, made

    def backward(self, dy: Array, saved: Derived, ctx: BackwardContext) -> Array | None:
        return saved.gradients(dy)[0] if ctx.needs_input_gradient else None

    def spectra(self, x: Any, ctx: ForwardContext) -> Any:
        """The spectrogram of signals, a tensor."""
        length = self.sequence_length or self.fft_length
        real, imaginary = ops.stft(x, length, self.sequence_stride, self.fft_length, self.window, True)
        power = ops.square(real) + ops.square(imaginary)
        magnitude = power if self.mag_exp == 2 else ops.power(power, self.mag_exp / 2)
        bands = ops.matmul(magnitude, self._bands.astype(x.dtype))
        return ops.transpose(self._in_decibels(bands, ctx) if self.power_to_db else bands, (0, 2, 1))

    def _in_decibels(self, bands: Any, ctx: ForwardContext) -> Any:
        reference = 10.0 * math.log10(max(abs(self.ref_power), self.min_power))
        decibels = 10.0 * ops.log10(ops.maximum(bands, self.min_power)) - reference
        if not ctx.global_rows:
            return decibels
        most = ops.max(gathered(ops.max(decibels, axis=(1, 2)), ctx))
        return ops.maximum(decibels, most - self.top_db)


def mel_bands(count: int, frequencies: int, rate: float, low: float, high: float) -> Array:
    """(frequencies, count) how much each frequency counts in each band: triangles on the mel scale.

    Source: ``keras.layers.MelSpectrogram.linear_to_mel_weight_matrix``.
    """
    at = _mel(np.linspace(0.0, rate / 2.0, frequencies)[1:])[:, None]
    edges = np.linspace(_mel(np.asarray(low)), _mel(np.asarray(high)), count + 2)
    begin, middle, end = edges[:-2], edges[1:-1], edges[2:]
    rising, falling = (at - begin) / (middle - begin), (end - at) / (end - middle)
    return np.pad(np.maximum(0.0, np.minimum(rising, falling)), ((1, 0), (0, 0)))


def _mel(hertz: Array) -> Array:
    return np.asarray(1127.0 * np.log(1.0 + hertz / 700.0))
