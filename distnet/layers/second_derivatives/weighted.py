"""Definitions of layers with a kernel, and of the embedding."""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_letters
from typing import Any

import numpy as np

from distnet import ops
from distnet.layers.convolutional.convolution import Convolution
from distnet.layers.convolutional.depthwise_convolution import DepthwiseConvolution
from distnet.layers.convolutional.locally_connected import LocallyConnected
from distnet.layers.convolutional.separable_convolution import SeparableConvolution
from distnet.layers.convolutional.transposed_convolution import TransposedConvolution
from distnet.layers.core.dense import Dense
from distnet.layers.core.einsum_dense import EinsumDense
from distnet.layers.core.embedding import Embedding
from distnet.layers.engine.context import ForwardContext
from distnet.layers.second_derivatives.base import activated, defines, with_bias


@defines(Dense)
def _dense(layer: Dense, inputs: Sequence[Any], ctx: ForwardContext, saved: Any) -> Any:
    return activated(layer, with_bias(layer, ops.matmul(inputs[0], layer.kernel)))


@defines(Convolution)
def _convolution(layer: Any, inputs: Sequence[Any], ctx: ForwardContext, saved: Any) -> Any:
    x, padding = inputs[0], layer.padding
    if padding == "causal":
        before = (layer.sliding.taps[0] - 1) * layer.sliding.dilation[0]
        axes = [(0, 0), (0, 0), (before, 0)] if layer.is_channels_first else [(0, 0), (before, 0), (0, 0)]
        x, padding = ops.pad(x, axes), "valid"
    z = ops.conv(x, layer.kernel, layer.strides, padding, layer.data_format, layer.dilation_rate)
    return activated(layer, with_bias(layer, z))


@defines(DepthwiseConvolution)
def _depthwise(layer: Any, inputs: Sequence[Any], ctx: ForwardContext, saved: Any) -> Any:
    z = ops.depthwise_conv(
        inputs[0], layer.kernel, layer.strides, layer.padding, layer.data_format, layer.dilation_rate
    )
    return activated(layer, with_bias(layer, z))


@defines(SeparableConvolution)
def _separable(layer: Any, inputs: Sequence[Any], ctx: ForwardContext, saved: Any) -> Any:
    z = ops.separable_conv(
        inputs[0], layer.depthwise_kernel, layer.pointwise_kernel, layer.strides, layer.padding, layer.data_format,
        layer.dilation_rate,
    )  # fmt: skip
    return activated(layer, with_bias(layer, z))


@defines(TransposedConvolution)
def _transposed(layer: Any, inputs: Sequence[Any], ctx: ForwardContext, saved: Any) -> Any:
    z = ops.conv_transpose(
        inputs[0], layer.kernel, layer.strides, layer.padding, layer.output_padding, layer.data_format,
        layer.dilation_rate,
    )  # fmt: skip
    return activated(layer, with_bias(layer, z))


@defines(EinsumDense)
def _einsum(layer: EinsumDense, inputs: Sequence[Any], ctx: ForwardContext, saved: Any) -> Any:
    (x,), axes = inputs, layer.axes(inputs[0].shape)
    known = [letter for letter in axes.y if letter in axes.x or letter in axes.kernel]
    named = dict(zip(dict.fromkeys(axes.x + axes.kernel), ascii_letters, strict=False))
    of_x, of_kernel, of_z = ("".join(named[letter] for letter in part) for part in (axes.x, axes.kernel, known))
    z = ops.einsum(f"{of_x},{of_kernel}->{of_z}", x, layer.kernel)
    extents = dict(zip(known, z.shape, strict=True))
    z = ops.reshape(z, [extents.get(letter, 1) for letter in axes.y])
    return activated(layer, z if layer.bias is None else z + layer.bias)


@defines(LocallyConnected)
def _locally_connected(layer: LocallyConnected, inputs: Sequence[Any], ctx: ForwardContext, saved: Any) -> Any:
    (x,), windows = inputs, saved[2]
    sources, inner = layer.sources(tuple(saved[0].shape[1:]), windows), windows.shape[1 : 1 + layer.rank]
    flat = ops.reshape(x, (x.shape[0], int(np.prod(x.shape[1:]))))
    padded = ops.pad(flat, ((0, 0), (1, 0)))  # what lies outside of the input is entry 0
    patches = ops.take(padded, sources + 1, axis=1)
    index = layer.stored_places
    stored = ops.reshape(layer.kernel, (-1,))
    weights = ops.where(index >= 0, ops.take(stored, np.maximum(index, 0)), 0.0)
    z = ops.einsum("nlk,lkf->nlf", patches, weights)
    shape = (*inner, layer.filters)
    if not layer.is_channels_first:
        return activated(layer, with_bias(layer, ops.reshape(z, (x.shape[0], *shape))))
    z = ops.reshape(ops.swapaxes(z, 1, 2), (x.shape[0], layer.filters, *inner))
    if layer.bias is not None:
        z = z + ops.reshape(layer.bias, (layer.filters, *inner))
    return activated(layer, z)


@defines(Embedding)
def _embedding(layer: Any, inputs: Sequence[Any], ctx: ForwardContext, saved: Any) -> Any:
    return ops.take(layer.embeddings, ops.cast(inputs[0], "int32"), axis=0)
