"""Convolutions with a different kernel at each place."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from distnet import kernels
from distnet.errors import ArgumentError, ShapeError
from distnet.kernels.matrix_products import by_blas, product_of
from distnet.kernels.windows import Axis, Windows, as_volumes
from distnet.layers.activation import bias_activation
from distnet.layers.activation.bias_activation import Kept
from distnet.layers.convolutional.base import Filtered, Filters, Formatted
from distnet.layers.engine.base import register_layer
from distnet.layers.engine.context import BackwardContext, BuildContext, ForwardContext
from distnet.layers.engine.field_blocks import KernelAndBias
from distnet.types import Array, Shape
from distnet.variables import Variable

Saved = tuple[Array, Kept, Windows]


@dataclass(eq=False)
class LocallyConnected(KernelAndBias, Formatted, Filters, Filtered):
    """Each patch times a matrix of its own: ``y[l] = f(patches(x)[l] W[l] + b[l])``.

    Args:
        padding: ``"valid"``; ``"same"`` with an implementation other than 1.
        implementation: how the weights are stored: 1, (L, K C, filters); 2, those of a dense layer, of which only
            the connected ones count; 3, the connected ones of these in a row.

    Source: ``LocallyConnected1D`` and ``LocallyConnected2D`` of Keras 2; Keras 3 has none.
    """

    implementation: int = 1

    def validate(self) -> None:
        super().validate()
        if self.implementation not in (1, 2, 3):
            raise ArgumentError(f"{self.name}: implementation: expected 1, 2 or 3, received {self.implementation!r}.")
        if self.padding != "valid" and self.implementation == 1:
            raise ArgumentError(f"{self.name}: expected padding 'valid' with implementation 1, received 'same'.")

    def build_last(self, shape: Shape, ctx: BuildContext) -> None:
        if None in shape[1:]:
            raise ShapeError(
                f"{self.name}: has weights for each place: expected inputs of a known shape, received {shape}."
            )
        rows = tuple(int(n or 0) for n in shape[1:])
        windows = self._windows((1, *rows))
        self.stored_places, stored = self._places(rows, windows)
        self._is_plain = self.implementation == 1 and not self.is_channels_first
        self.kernel = ctx.weight(self, "kernel", stored)
        self.bias: Variable | None = (
            ctx.weight(self, "bias", (*self._inner(windows), self.filters)) if self.use_bias else None
        )

    def forward_last(self, x: Array, ctx: ForwardContext) -> tuple[Array, Saved]:
        windows = self._windows(x.shape)
        of_places = self._patches(x, windows, ctx).swapaxes(0, 1)
        z = ctx.workspace("z", (len(x), len(self.stored_places), self.filters), x.dtype)
        by_blas(of_places, self._weights(), out=z.swapaxes(0, 1))
        if self.bias is not None:
            z += self._as_places(self.bias.value)
        z = z.reshape(len(x), *self._inner(windows), self.filters)
        y, kept = bias_activation.forward(z, None, self.activation, ctx, self.is_channels_first)
        return y, (x, kept, windows)

    def backward_last(self, dy: Array, saved: Saved, ctx: BackwardContext) -> Array | None:
        x, kept, windows = saved
        dz = bias_activation.backward(dy, kept, None, self.activation, ctx, self.is_channels_first)
        dz = dz.reshape(len(x), len(self.stored_places), self.filters)
        if self.bias is not None and self.bias.is_trained:
            gradient = np.empty_like(self.bias.value)
            self._as_places(gradient)[...] = dz.sum(axis=0)
            ctx.add(self.bias, gradient)
        patches = self._patches(x, windows, ctx)
        if self.kernel.is_trained:
            ctx.add(self.kernel, self._as_stored(product_of(patches.transpose(1, 2, 0), dz.swapaxes(0, 1))))
        if not ctx.needs_input_gradient:
            return None
        by_blas(dz.swapaxes(0, 1), self._weights().swapaxes(1, 2), out=patches.swapaxes(0, 1))
        dx = ctx.workspace("dx", as_volumes(x).shape, x.dtype)
        dx.fill(0)
        kernels.current().col2im(patches.reshape(self._block(len(x), windows)), windows, 0, 0, dx)
        return dx.reshape(x.shape)

    def _patches(self, x: Array, windows: Windows, ctx: ForwardContext | BackwardContext) -> Array:
        """(N, L, K C)."""
        patches = ctx.workspace("patches", self._block(len(x), windows, x.shape[-1]), x.dtype)
        kernels.current().im2col(as_volumes(x), windows, 0, 0, patches)
        return patches.reshape(len(x), *self.stored_places.shape[:2])

    def _block(self, rows: int, windows: Windows, channels: int | None = None) -> tuple[int, ...]:
        """Shape of the patches as ``im2col`` writes them."""
        depth, height, width = windows.shape
        wide = self.stored_places.shape[1] // windows.taps if channels is None else channels
        return (rows * depth * height, width, *(axis.taps for axis in windows), wide)

    def _weights(self) -> Array:
        """(L, K C, filters), 0 for what lies outside of the input."""
        if self._is_plain:
            return self.kernel.value
        weights: Array = self.kernel.value.reshape(-1)[self.stored_places]
        weights[self.stored_places < 0] = 0
        return weights

    def _as_stored(self, weights: Array) -> Array:
        """Weights (L, K C, filters) as the kernel has them, 0 for those that do not count."""
        if self._is_plain:
            return weights
        stored, is_stored = np.zeros_like(self.kernel.value), self.stored_places >= 0
        stored.reshape(-1)[self.stored_places[is_stored]] = weights[is_stored]
        return stored

    def _as_places(self, bias: Array) -> Array:
        """(L, filters) view of the bias; with the channels first Keras reads its memory as (filters, ...)."""
        if not self.is_channels_first:
            return bias.reshape(-1, self.filters)
        return bias.reshape(self.filters, -1).T

    def _windows(self, shape: tuple[int, ...]) -> Windows:
        """The windows; with padding ``"same"`` centred as in Keras, unlike a convolution's.

        Source: ``conv_connected_inputs`` of tf_keras 2.21.
        """
        if self.padding == "valid":
            return self.sliding.windows(shape)
        axes = zip(shape[1:-1], self.sliding.taps, self.sliding.strides, strict=True)
        return Windows.over(*(Axis(n, -(-n // stride), taps, stride, 1, taps // 2) for n, taps, stride in axes))

    def _inner(self, windows: Windows) -> tuple[int, ...]:
        return windows.shape[1 : 1 + self.rank]

    def _places(self, rows: tuple[int, ...], windows: Windows) -> tuple[Array, tuple[int, ...]]:
        """(L, K C, filters) where each weight is stored, -1 for none; and the shape of the stored kernel."""
        inner, sources = self._inner(windows), self.sources(rows, windows)
        of_outputs = self._numbered((*inner, self.filters)).reshape(-1, self.filters)
        shape = (*sources.shape, self.filters)
        if self.implementation == 1:
            order = self._numbered((windows.taps, rows[-1])).reshape(-1)
            index = np.arange(math.prod(shape)).reshape(shape)[:, order]
            return index, shape
        size, entries = of_outputs.size, math.prod(rows)
        is_inside = np.broadcast_to(sources[:, :, np.newaxis] >= 0, shape)
        if self.implementation == 2:
            index = sources[:, :, np.newaxis] * size + of_outputs[:, np.newaxis]
            around = ((rows[-1], *rows[:-1]), (self.filters, *inner))
            stored = (*rows, *inner, self.filters) if not self.is_channels_first else (*around[0], *around[1])
            return np.where(is_inside, index, -1), stored
        keys = of_outputs[:, np.newaxis] * entries + sources[:, :, np.newaxis]
        known = np.sort(keys[is_inside])
        return np.where(is_inside, np.searchsorted(known, keys), -1), (len(known),)

    def sources(self, rows: tuple[int, ...], windows: Windows) -> Array:
        """(L, K C) the number of the entry of a row that each weight is for, -1 for what lies outside."""
        block = np.empty((windows.shape[1], windows.shape[2], *(axis.taps for axis in windows), rows[-1]))
        kernels.current().im2col(as_volumes(self._numbered(rows)[np.newaxis] + 1.0), windows, 0, 0, block)
        return block.reshape(math.prod(self._inner(windows)), -1).astype(np.intp) - 1

    def _numbered(self, shape: tuple[int, ...]) -> Array:
        """Numbers of the entries of an array (..., C) in the order of the data format."""
        if not self.is_channels_first:
            return np.arange(math.prod(shape)).reshape(shape)
        return np.moveaxis(np.arange(math.prod(shape)).reshape(shape[-1], *shape[:-1]), 0, -1)


@register_layer()
@dataclass(eq=False)
class LocallyConnected1D(LocallyConnected):
    """Convolution along the time axis, with a kernel of its own at each step.

    Shapes:
        (N, T, C) -> (N, T', filters); kernel (T', K C, filters).

    Source: ``keras.layers.LocallyConnected1D`` of Keras 2.
    """

    rank: ClassVar[int] = 1


@register_layer()
@dataclass(eq=False)
class LocallyConnected2D(LocallyConnected):
    """Convolution of images, with a kernel of its own at each place.

    Shapes:
        (N, H, W, C) -> (N, H', W', filters); kernel (H' W', KH KW C, filters).

    Source: ``keras.layers.LocallyConnected2D`` of Keras 2.
    """

    rank: ClassVar[int] = 2
