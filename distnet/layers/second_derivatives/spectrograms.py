"""Definitions of layers of spectrograms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from distnet.layers.engine.context import ForwardContext
from distnet.layers.preprocessing.mel_spectrogram import MelSpectrogram
from distnet.layers.preprocessing.stft_spectrogram import STFTSpectrogram
from distnet.layers.second_derivatives.base import defines
from distnet.ops.primitive import local, of_rows


@defines(STFTSpectrogram)
def _transformed(layer: STFTSpectrogram, inputs: Sequence[Any], ctx: ForwardContext, saved: Any) -> Any:
    return layer.spectra(inputs[0], *layer.kernels)


@defines(MelSpectrogram)
def _on_the_mel_scale(layer: MelSpectrogram, inputs: Sequence[Any], ctx: ForwardContext, saved: Any) -> Any:
    x = inputs[0]
    y = layer.spectra(local(x), ctx)
    return y if x.rows is None else of_rows(y, x.rows)
