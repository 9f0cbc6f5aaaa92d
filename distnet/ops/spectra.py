"""Fourier transforms, of pairs of real and imaginary parts; and signals cut into sequences that overlap."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from distnet.errors import ArgumentError, ShapeError
from distnet.ops.compositions import composition
from distnet.ops.dtypes import converted
from distnet.ops.joining import matched
from distnet.ops.operators import PRIMITIVES
from distnet.ops.primitive import Primitive, primitive
from distnet.ops.spread import rowwise
from distnet.types import Array, ArrayLike


def _each_signal(axes: int) -> Callable[..., Any]:
    """Each row by itself, where the first axis is none of a signal's."""

    def spread(function: Primitive, operands: Sequence[Any], options: Mapping[str, Any]) -> Any:
        return matched(function, operands, options) if np.ndim(operands[0][0]) > axes else None

    return spread


def _transformed(transform: Callable[[Array], Array], x: Any) -> tuple[Array, Array]:
    if not isinstance(x, list | tuple) or len(x) != 2 or np.shape(x[0]) != np.shape(x[1]):
        raise ArgumentError("expected the pair of the real and the imaginary parts, of one shape.")
    real, imaginary = converted(x[0]), converted(x[1])
    y = transform(real + 1j * imaginary)
    return np.asarray(y.real, real.dtype), np.asarray(y.imag, real.dtype)


def _conjugated(kind: str) -> Callable[..., Any]:
    """The gradient of a symmetric linear map: the conjugate of the map of the conjugate."""

    def pull(dy: Any, y: Any, x: Any) -> Any:
        real, imaginary = PRIMITIVES[kind]((dy[0], -dy[1]))
        return [real, -imaginary]

    return pull


@primitive(module="math", kind="FFT", returns_many=True, spread=_each_signal(1))
def fft(x: Any) -> tuple[Array, Array]:
    """The Fourier transform along the last axis.

    Args:
        x: the real and the imaginary parts, as is the result.

    Source: ``keras.ops.fft``.
    """
    return _transformed(np.fft.fft, x)


@primitive(module="math", kind="FFT2", returns_many=True, spread=_each_signal(2))
def fft2(x: Any) -> tuple[Array, Array]:
    """The Fourier transform along the last two axes.

    Args:
        x: the real and the imaginary parts, as is the result.

    Source: ``keras.ops.fft2``.
    """
    return _transformed(np.fft.fft2, x)


@primitive(module="math", kind="IFFT2", returns_many=True, spread=_each_signal(2))
def ifft2(x: Any) -> tuple[Array, Array]:
    """The inverse of ``fft2``.

    Source: ``keras.ops.ifft2``.
    """
    return _transformed(np.fft.ifft2, x)


for _transform in (fft, fft2, ifft2):
    _transform.has_gradients(_conjugated(_transform.kind))


def _of_length(x: Any, length: int) -> Any:
    """The last axis cut, or filled with zeros."""
    extent = np.shape(x)[-1]
    if length <= extent:
        return x if length == extent else PRIMITIVES["GetItem"](x, (Ellipsis, slice(0, length)))
    return PRIMITIVES["Pad"](x, [(0, 0)] * (np.ndim(x) - 1) + [(0, length - extent)])


@composition(module="math", kind="RFFT", returns_many=True)
def rfft(x: Any, fft_length: int | None = None) -> Any:
    """The first half of the Fourier transform of real signals, which tells the other, along the last axis.

    Args:
        fft_length: to which the signals are cut, or filled with zeros.

    Returns:
        The real and the imaginary parts, (..., fft_length // 2 + 1).

    Source: ``keras.ops.rfft``.
    """
    length = np.shape(x)[-1] if fft_length is None else fft_length
    given = _of_length(PRIMITIVES["ConvertToTensor"](x), length)
    parts = fft((given, PRIMITIVES["ZerosLike"](given)))
    return tuple(_of_length(part, length // 2 + 1) for part in parts)


@composition(module="math", kind="IRFFT")
def irfft(x: Any, fft_length: int | None = None) -> Any:
    """The real signals of which ``rfft`` gave ``x``.

    Args:
        fft_length: of the signals; by default the even one.

    Source: ``keras.ops.irfft``.
    """
    length = 2 * (np.shape(x[0])[-1] - 1) if fft_length is None else fft_length
    half = length // 2 + 1
    real, imaginary = (_of_length(PRIMITIVES["ConvertToTensor"](part), half) for part in x)
    mirrored = slice(1, length - half + 1)
    others = [PRIMITIVES["Flip"](part[..., mirrored], -1) for part in (real, imaginary)]
    whole = (
        PRIMITIVES["Concatenate"]([real, others[0]], axis=-1),
        PRIMITIVES["Concatenate"]([-imaginary, others[1]], axis=-1),
    )
    return fft(whole)[0] / float(length)


def _more_axes(function: Primitive, operands: Sequence[Any], options: Mapping[str, Any]) -> Any:
    least = 2 if function.kind == "OverlapAdd" else 1
    return rowwise(function, operands, options) if np.ndim(operands[0]) > least else None


@primitive(module="math", spread=_more_axes)
def extract_sequences(x: ArrayLike, sequence_length: int, sequence_stride: int) -> Array:
    """Sequences along the last axis, which may overlap.

    Shapes:
        (..., T) -> (..., 1 + (T - sequence_length) // sequence_stride, sequence_length).

    Source: ``keras.ops.extract_sequences``.
    """
    given = converted(x)
    if given.shape[-1] < sequence_length:
        raise ShapeError(
            f"ops.extract_sequences: expected {sequence_length} entries at least, received {given.shape[-1]}."
        )
    windows = np.lib.stride_tricks.sliding_window_view(given, sequence_length, axis=-1)
    return np.array(windows[..., ::sequence_stride, :])


@primitive(module="math", spread=_more_axes)
def overlap_add(x: Array, stride: int, length: int) -> Array:
    """The sum of sequences, each ``stride`` after the one before, in a signal of ``length``."""
    count, extent = x.shape[-2:]
    y = np.zeros((*x.shape[:-2], length), x.dtype)
    for i in range(count):
        y[..., i * stride : i * stride + extent] += x[..., i, :]
    return y


extract_sequences.has_gradients(
    lambda dy, y, x, sequence_length, sequence_stride: overlap_add(dy, sequence_stride, x.shape[-1])
)
overlap_add.has_gradients(lambda dy, y, x, stride, length: extract_sequences(dy, x.shape[-1], stride))


def _window(window: Any, sequence_length: int, fft_length: int) -> Array:
    """The weights of a sequence's entries, in the middle of as many as are transformed."""
    if fft_length < sequence_length:
        raise ArgumentError(
            f"expected a fft_length of sequence_length={sequence_length} at least, received {fft_length}."
        )
    if window is None:
        return np.ones(fft_length)
    if isinstance(window, str):
        if window not in ("hann", "hamming"):
            raise ArgumentError(f"expected a window 'hann', 'hamming', None or an array, received {window!r}.")
        share = 0.5 if window == "hann" else 0.54
        weights = share - (1 - share) * np.cos(2 * np.pi * np.arange(sequence_length) / sequence_length)
    else:
        weights = np.asarray(getattr(window, "value", window))
    if weights.shape != (sequence_length,):
        raise ShapeError(f"expected a window of shape ({sequence_length},), received {weights.shape}.")
    before = (fft_length - sequence_length) // 2
    return np.pad(weights, (before, fft_length - sequence_length - before))


@composition(module="math", kind="STFT", returns_many=True)
def stft(
    x: Any, sequence_length: int, sequence_stride: int, fft_length: int, window: Any = "hann", center: bool = True
) -> Any:
    """Fourier transforms of weighted sequences along the last axis.

    Args:
        window: ``"hann"``, ``"hamming"``, weights of a sequence's entries, or None.
        center: mirror the signal at its ends, so that sequences lie around its first and last entries, too.

    Returns:
        The real and the imaginary parts, (..., sequences, fft_length // 2 + 1).

    Source: ``keras.ops.stft``.
    """
    weights = _window(window, sequence_length, fft_length)
    given = PRIMITIVES["ConvertToTensor"](x)
    if center:
        widths = [(0, 0)] * (given.ndim - 1) + [(fft_length // 2, fft_length // 2)]
        given = PRIMITIVES["Pad"](given, widths, "reflect")
    return rfft(extract_sequences(given, fft_length, sequence_stride) * weights.astype(given.dtype))


@composition(module="math", kind="ISTFT")
def istft(
    x: Any, sequence_length: int, sequence_stride: int, fft_length: int, length: int | None = None,
    window: Any = "hann", center: bool = True,
) -> Any:  # fmt: skip
    """The signals of which ``stft`` gave ``x``.

    Args:
        length: of the signals; by default as many entries as the sequences tell.

    Source: ``keras.ops.istft``.
    """
    weights = _window(window, sequence_length, fft_length)
    sequences = irfft(x, fft_length)
    count = sequences.shape[-2]
    whole = fft_length + sequence_stride * (count - 1)
    share = np.asarray(overlap_add.value(np.tile(weights**2, (count, 1)), sequence_stride, whole))
    share = np.where(share > 1e-10, share, 1.0) * (1 if window is not None else sequence_stride / weights.sum())
    signal = overlap_add(sequences * weights.astype(sequences.dtype), sequence_stride, whole)
    signal = signal / share.astype(sequences.dtype)
    start = fft_length // 2 if center else 0
    end = start + length if length is not None else whole - start
    return signal[..., start:end]
