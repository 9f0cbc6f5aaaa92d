"""Pooling into a wanted number of windows, whatever the extent of the input."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import numpy as np

from distnet.kernels.long_sums import summed
from distnet.layers.engine.base import register_layer
from distnet.layers.engine.channels import Channelled
from distnet.layers.engine.context import BackwardContext, ForwardContext
from distnet.layers.engine.sliding import Extents, extents
from distnet.types import Array, Shape

Saved = tuple[tuple[int, ...], list[Any]]
Spans = list[slice]


class AxisPool(Protocol):
    """How the entries of an axis are pooled, the axis being the second."""

    def forward(self, x: Array, spans: Spans) -> tuple[Array, Any]:
        """(N, E, ...) -> (N, len(spans), ...), and what ``backward`` needs."""

    def backward(self, dy: Array, spans: Spans, saved: Any, dx: Array) -> None:
        """Add to ``dx`` (N, E, ...), which is 0."""


class AxisMaximum:
    """The largest entry of each span; ties go to the first."""

    def forward(self, x: Array, spans: Spans) -> tuple[Array, list[Array]]:
        winners = [np.argmax(x[:, span], axis=1, keepdims=True) for span in spans]
        parts = [np.take_along_axis(x[:, span], won, axis=1) for span, won in zip(spans, winners, strict=True)]
        return np.concatenate(parts, axis=1), winners

    def backward(self, dy: Array, spans: Spans, saved: list[Array], dx: Array) -> None:
        for i, (span, won) in enumerate(zip(spans, saved, strict=True)):
            share = np.zeros_like(dx[:, span])
            np.put_along_axis(share, won, dy[:, i : i + 1], axis=1)
            dx[:, span] += share


class AxisMean:
    """The mean of each span."""

    def forward(self, x: Array, spans: Spans) -> tuple[Array, None]:
        means = [summed(x[:, span], 1, keepdims=True) / (span.stop - span.start) for span in spans]
        return np.concatenate(means, axis=1), None

    def backward(self, dy: Array, spans: Spans, saved: None, dx: Array) -> None:
        for i, span in enumerate(spans):
            dx[:, span] += dy[:, i : i + 1] / (span.stop - span.start)


@dataclass(eq=False)
class AdaptivePooling(Channelled):
    """One number for each window of each channel, one axis after the other.

    Of O windows over n entries, window o goes from entry ``floor(o n / O)`` to before ``ceil((o + 1) n / O)``.

    Args:
        output_size: windows, one number or one for each axis.
        data_format: ``"channels_last"`` or ``"channels_first"``; by default ``keras.config.image_data_format()``.
    """

    rank: ClassVar[int]
    pool: ClassVar[AxisPool]

    output_size: Extents = field()
    data_format: str | None = None

    def validate(self) -> None:
        super().validate()
        self.windows = extents(self.output_size, self.rank, f"{self.name}: output_size")
        self.output_size = self.windows

    def shape_last(self, shape: Shape) -> Shape:
        return (shape[0], *self.windows, shape[-1])

    def forward_last(self, x: Array, ctx: ForwardContext) -> tuple[Array, Saved]:
        y, saved = x, []
        for axis, windows in enumerate(self.windows, start=1):
            pooled, kept = self.pool.forward(y.swapaxes(1, axis), spans_of(x.shape[axis], windows))
            y = pooled.swapaxes(1, axis)
            saved.append(kept)
        return np.ascontiguousarray(y), (x.shape, saved)

    def backward_last(self, dy: Array, saved: Saved, ctx: BackwardContext) -> Array:
        shape, kept = saved
        for axis in range(self.rank, 0, -1):
            dx = np.zeros((*dy.shape[:axis], shape[axis], *dy.shape[axis + 1 :]), dy.dtype)
            spans = spans_of(shape[axis], self.windows[axis - 1])
            self.pool.backward(dy.swapaxes(1, axis), spans, kept[axis - 1], dx.swapaxes(1, axis))
            dy = dx
        return dy


def spans_of(extent: int, windows: int) -> Spans:
    """The entries of each window along an axis."""
    return [slice(o * extent // windows, -(-(o + 1) * extent // windows)) for o in range(windows)]


@register_layer()
@dataclass(eq=False)
class AdaptiveAveragePooling1D(AdaptivePooling):
    """The mean of each window of a sequence.

    Shapes:
        (N, T, C) -> (N, O, C).

    Source: ``keras.layers.AdaptiveAveragePooling1D``.
    """

    rank: ClassVar[int] = 1
    pool: ClassVar[AxisPool] = AxisMean()


@register_layer()
@dataclass(eq=False)
class AdaptiveAveragePooling2D(AdaptivePooling):
    """The mean of each window of an image.

    Shapes:
        (N, H, W, C) -> (N, OH, OW, C).

    Source: ``keras.layers.AdaptiveAveragePooling2D``.
    """

    rank: ClassVar[int] = 2
    pool: ClassVar[AxisPool] = AxisMean()


@register_layer()
@dataclass(eq=False)
class AdaptiveAveragePooling3D(AdaptivePooling):
    """The mean of each window of a volume.

    Shapes:
        (N, D, H, W, C) -> (N, OD, OH, OW, C).

    Source: ``keras.layers.AdaptiveAveragePooling3D``.
    """

    rank: ClassVar[int] = 3
    pool: ClassVar[AxisPool] = AxisMean()


@register_layer()
@dataclass(eq=False)
class AdaptiveMaxPooling1D(AdaptivePooling):
    """The largest entry of each window of a sequence.

    Shapes:
        (N, T, C) -> (N, O, C).

    Source: ``keras.layers.AdaptiveMaxPooling1D``.
    """

    rank: ClassVar[int] = 1
    pool: ClassVar[AxisPool] = AxisMaximum()


@register_layer()
@dataclass(eq=False)
class AdaptiveMaxPooling2D(AdaptivePooling):
    """The largest entry of each window of an image.

    Shapes:
        (N, H, W, C) -> (N, OH, OW, C).

    Source: ``keras.layers.AdaptiveMaxPooling2D``.
    """

    rank: ClassVar[int] = 2
    pool: ClassVar[AxisPool] = AxisMaximum()


@register_layer()
@dataclass(eq=False)
class AdaptiveMaxPooling3D(AdaptivePooling):
    """The largest entry of each window of a volume.

    Shapes:
        (N, D, H, W, C) -> (N, OD, OH, OW, C).

    Source: ``keras.layers.AdaptiveMaxPooling3D``.
    """

    rank: ClassVar[int] = 3
    pool: ClassVar[AxisPool] = AxisMaximum()
