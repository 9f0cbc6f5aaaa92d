"""Gradients of the gradients of built-in layers, as a penalty of a gradient needs them.

A layer whose gradient is followed is computed once more by its definition here, written with functions of ``ops``. An
affine layer without weights needs none: the gradient of its gradient is the layer again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from distnet import ops
from distnet.activations import Activation as Function
from distnet.errors import ArgumentError
from distnet.layers.activation.activation import Activation
from distnet.layers.activation.advanced_activations import ELU, LeakyReLU, PReLU, ReLU, Softmax
from distnet.layers.convolutional.convolution import Convolution
from distnet.layers.convolutional.depthwise_convolution import DepthwiseConvolution
from distnet.layers.convolutional.separable_convolution import SeparableConvolution
from distnet.layers.convolutional.transposed_convolution import TransposedConvolution
from distnet.layers.core.dense import Dense
from distnet.layers.core.embedding import Embedding
from distnet.layers.core.identity import Identity
from distnet.layers.engine.context import ForwardContext
from distnet.layers.engine.followed_node import AFFINE, DEFINITIONS
from distnet.layers.image.resizing import CenterCrop, Resizing
from distnet.layers.merge.arithmetic import Add, Average, Multiply, Subtract
from distnet.layers.merge.concatenation import Concatenate
from distnet.layers.merge.extremes import Maximum, Minimum
from distnet.layers.normalization.axes import positive_axes
from distnet.layers.normalization.batch_normalization import BatchNormalization
from distnet.layers.normalization.layer_normalization import LayerNormalization
from distnet.layers.normalization.rms_normalization import RMSNormalization
from distnet.layers.pooling.global_pooling import (
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalAveragePooling3D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    GlobalMaxPooling3D,
)
from distnet.layers.pooling.window_pooling import (
    AveragePooling1D,
    AveragePooling2D,
    AveragePooling3D,
    MaxPooling1D,
    MaxPooling2D,
    MaxPooling3D,
)
from distnet.layers.preprocessing.feature_normalization import Normalization
from distnet.layers.preprocessing.rescaling import Rescaling
from distnet.layers.regularization.dropout import Dropping
from distnet.layers.regularization.noise import ActivityRegularization, AlphaDropout, GaussianDropout, GaussianNoise
from distnet.layers.reshaping.cropping import Cropping
from distnet.layers.reshaping.padding import ZeroPadding
from distnet.layers.reshaping.shapes import Flatten, Permute, RepeatVector, Reshape
from distnet.layers.reshaping.upsampling import UpSampling

AFFINE.update(
    {
        *(ActivityRegularization, Add, AlphaDropout, Average, AveragePooling1D, AveragePooling2D, AveragePooling3D),
        *(CenterCrop, Concatenate, Cropping, Dropping, Flatten, GaussianDropout, GaussianNoise),
        *(GlobalAveragePooling1D, GlobalAveragePooling2D, GlobalAveragePooling3D, Identity, Normalization, Permute),
        *(RepeatVector, Rescaling, Reshape, Resizing, Subtract, UpSampling, ZeroPadding),
    }
)


def defines(*classes: type) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorate the definition of layers: ``definition(layer, inputs, ctx) -> output``, of tensors."""

    def decorate(definition: Callable[..., Any]) -> Callable[..., Any]:
        DEFINITIONS.update(dict.fromkeys(classes, definition))
        return definition

    return decorate


def _activated(layer: Any, z: Any) -> Any:
    activation: Function = getattr(layer, "elementary", None) or layer.activation
    if activation.is_layer:
        raise ArgumentError(f"{layer.name}: its activation {activation} has no second derivatives. Use a function.")
    return activation(z)


def _with_bias(layer: Any, z: Any) -> Any:
    if not layer.use_bias:
        return z
    if getattr(layer, "is_channels_first", False):
        return z + ops.reshape(layer.bias, (-1, *[1] * (z.ndim - 2)))
    return z + layer.bias


@defines(Dense)
def _dense(layer: Dense, inputs: Sequence[Any], ctx: ForwardContext) -> Any:
    return _activated(layer, _with_bias(layer, ops.matmul(inputs[0], layer.kernel)))


@defines(Convolution)
def _convolution(layer: Any, inputs: Sequence[Any], ctx: ForwardContext) -> Any:
    x, padding = inputs[0], layer.padding
    if padding == "causal":
        before = (layer.sliding.taps[0] - 1) * layer.sliding.dilation[0]
        axes = [(0, 0), (0, 0), (before, 0)] if layer.is_channels_first else [(0, 0), (before, 0), (0, 0)]
        x, padding = ops.pad(x, axes), "valid"
    z = ops.conv(x, layer.kernel, layer.strides, padding, layer.data_format, layer.dilation_rate)
    return _activated(layer, _with_bias(layer, z))


@defines(DepthwiseConvolution)
def _depthwise(layer: Any, inputs: Sequence[Any], ctx: ForwardContext) -> Any:
    z = ops.depthwise_conv(
        inputs[0], layer.kernel, layer.strides, layer.padding, layer.data_format, layer.dilation_rate
    )
    return _activated(layer, _with_bias(layer, z))


@defines(SeparableConvolution)
def _separable(layer: Any, inputs: Sequence[Any], ctx: ForwardContext) -> Any:
    z = ops.separable_conv(
        inputs[0], layer.depthwise_kernel, layer.pointwise_kernel, layer.strides, layer.padding, layer.data_format,
        layer.dilation_rate,
    )  # fmt: skip
    return _activated(layer, _with_bias(layer, z))


@defines(TransposedConvolution)
def _transposed(layer: Any, inputs: Sequence[Any], ctx: ForwardContext) -> Any:
    z = ops.conv_transpose(
        inputs[0], layer.kernel, layer.strides, layer.padding, layer.output_padding, layer.data_format,
        layer.dilation_rate,
    )  # fmt: skip
    return _activated(layer, _with_bias(layer, z))


@defines(Activation)
def _activation(layer: Activation, inputs: Sequence[Any], ctx: ForwardContext) -> Any:
    return _activated(layer, inputs[0])


@defines(ReLU, LeakyReLU, ELU)
def _rectified(layer: Any, inputs: Sequence[Any], ctx: ForwardContext) -> Any:
    function: Function = layer.elementary
    return function(inputs[0])


@defines(PReLU)
def _parametric(layer: Any, inputs: Sequence[Any], ctx: ForwardContext) -> Any:
    x = inputs[0]
    return ops.where(x > 0, x, x * layer.alpha)


@defines(Softmax)
def _softmax(layer: Any, inputs: Sequence[Any], ctx: ForwardContext) -> Any:
    if ctx.mask is not None or isinstance(layer.axis, list):
        raise ArgumentError(f"{layer.name}: a Softmax over several axes, or with a mask, has no second derivatives.")
    return ops.softmax(inputs[0], axis=layer.axis)


@defines(Embedding)
def _embedding(layer: Any, inputs: Sequence[Any], ctx: ForwardContext) -> Any:
    return ops.take(layer.embeddings, ops.cast(inputs[0], "int32"), axis=0)


@defines(Multiply)
def _product(layer: Any, inputs: Sequence[Any], ctx: ForwardContext) -> Any:
    y = inputs[0]
    for x in inputs[1:]:
        y = y * x
    return y


@defines(Maximum, Minimum)
def _extreme(layer: Any, inputs: Sequence[Any], ctx: ForwardContext) -> Any:
    y = inputs[0]
    for x in inputs[1:]:
        y = ops.where(y >= x if isinstance(layer, Maximum) else y <= x, y, x)
    return y


@defines(BatchNormalization)
def _normalized_batch(layer: Any, inputs: Sequence[Any], ctx: ForwardContext) -> Any:
    x = inputs[0]
    if ctx.mask is not None or not isinstance(layer.axis, int):
        raise ArgumentError(f"{layer.name}: with a mask or several axes it has no second derivatives.")
    axis = layer.axis % x.ndim
    if ctx.training and layer.trainable:
        axes = [i for i in range(x.ndim) if i != axis]
        mean = ops.mean(x, axis=axes)
        shape = [-1 if i == axis else 1 for i in range(x.ndim)]
        variance = ops.mean(ops.square(x - ops.reshape(mean, shape)), axis=axes)
    else:
        mean, variance = layer.moving_mean, layer.moving_variance
    return ops.batch_normalization(x, mean, variance, axis, layer.beta, layer.gamma, layer.epsilon)


@defines(LayerNormalization)
def _normalized_layer(layer: Any, inputs: Sequence[Any], ctx: ForwardContext) -> Any:
    x = inputs[0]
    axes = positive_axes(layer.axis, x.shape, layer.name)
    if layer.rms_scaling or axes != list(range(min(axes), x.ndim)):
        raise ArgumentError(
            f"{layer.name}: with rms_scaling, or axes that are not the last, it has no second derivatives."
        )
    return ops.layer_normalization(x, layer.gamma, layer.beta, axes, layer.epsilon)


@defines(RMSNormalization)
def _normalized_size(layer: Any, inputs: Sequence[Any], ctx: ForwardContext) -> Any:
    return ops.rms_normalization(inputs[0], layer.scale, layer.axis, layer.epsilon)


@defines(MaxPooling1D, MaxPooling2D, MaxPooling3D)
def _largest(layer: Any, inputs: Sequence[Any], ctx: ForwardContext) -> Any:
    return ops.max_pool(inputs[0], layer.pool_size, layer.strides, layer.padding, layer.data_format)


@defines(GlobalMaxPooling1D, GlobalMaxPooling2D, GlobalMaxPooling3D)
def _largest_of_all(layer: Any, inputs: Sequence[Any], ctx: ForwardContext) -> Any:
    x = inputs[0]
    axes = range(2, x.ndim) if layer.is_channels_first else range(1, x.ndim - 1)
    return ops.max(x, axis=list(axes), keepdims=layer.keepdims)
