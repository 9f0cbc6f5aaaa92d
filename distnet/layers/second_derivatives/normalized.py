"""Definitions of layers that divide by a deviation or a length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from distnet import config, ops
from distnet.layers.engine.context import ForwardContext
from distnet.layers.normalization.axes import positive_axes
from distnet.layers.normalization.batch_normalization import BatchNormalization
from distnet.layers.normalization.group_normalization import GroupNormalization
from distnet.layers.normalization.layer_normalization import LayerNormalization
from distnet.layers.normalization.rms_normalization import RMSNormalization
from distnet.layers.normalization.unit_normalization import UnitNormalization
from distnet.layers.second_derivatives.base import beside, defines


@defines(BatchNormalization)
def _normalized_batch(layer: BatchNormalization, inputs: Sequence[Any], ctx: ForwardContext, saved: Any) -> Any:
    (x,), axes = inputs, positive_axes(layer.axis, inputs[0].shape, layer.name)
    stats = saved[1]
    if stats.divisor is None:
        shape = [n if i in axes else 1 for i, n in enumerate(x.shape)]
        mean, variance = (array.reshape(shape).astype(x.dtype) for array in (stats.mean, stats.variance))
        return scaled((x - mean) * (variance + layer.epsilon) ** -0.5, layer.gamma, layer.beta, axes)
    others = [i for i in range(x.ndim) if i not in axes]
    if ctx.mask is None:
        centred = x - ops.mean(x, axis=others, keepdims=True)
        variance = ops.mean(ops.square(centred), axis=others, keepdims=True)
    else:
        counts = beside(x, np.broadcast_to(ctx.mask[..., np.newaxis], x.value.shape).astype(x.dtype))
        count = ops.sum(counts, axis=others, keepdims=True) + config.epsilon()
        centred = x - ops.sum(x * counts, axis=others, keepdims=True) / count
        variance = ops.sum(ops.square(centred) * counts, axis=others, keepdims=True) / count
    return scaled(centred * ops.rsqrt(variance + layer.epsilon), layer.gamma, layer.beta, axes)


@defines(LayerNormalization)
def _normalized_layer(layer: Any, inputs: Sequence[Any], ctx: ForwardContext, saved: Any) -> Any:
    (x,), axes = inputs, positive_axes(layer.axis, inputs[0].shape, layer.name)
    centred = x - ops.mean(x, axis=axes, keepdims=True)
    inverse = ops.rsqrt(ops.mean(ops.square(centred), axis=axes, keepdims=True) + layer.epsilon)
    return scaled((x if layer.rms_scaling else centred) * inverse, layer.gamma, layer.beta, axes)


@defines(GroupNormalization)
def _normalized_groups(layer: Any, inputs: Sequence[Any], ctx: ForwardContext, saved: Any) -> Any:
    (x,), (axis,) = inputs, positive_axes(layer.axis, inputs[0].shape, layer.name)
    channels = x.shape[axis]
    groups = channels if layer.groups == -1 else layer.groups
    apart = ops.reshape(x, (*x.shape[:axis], groups, channels // groups, *x.shape[axis + 1 :]))
    axes = [i for i in range(1, apart.ndim) if i != axis]
    centred = apart - ops.mean(apart, axis=axes, keepdims=True)
    inverse = ops.rsqrt(ops.mean(ops.square(centred), axis=axes, keepdims=True) + layer.epsilon)
    return scaled(ops.reshape(centred * inverse, x.shape), layer.gamma, layer.beta, [axis])


@defines(RMSNormalization)
def _normalized_size(layer: Any, inputs: Sequence[Any], ctx: ForwardContext, saved: Any) -> Any:
    return ops.rms_normalization(inputs[0], layer.scale, layer.axis, layer.epsilon)


@defines(UnitNormalization)
def _normalized_length(layer: Any, inputs: Sequence[Any], ctx: ForwardContext, saved: Any) -> Any:
    return unit_vectors(inputs[0], positive_axes(layer.axis, inputs[0].shape, layer.name), layer.epsilon)


def unit_vectors(x: Any, axis: Any, epsilon: float) -> Any:
    """``x / max(|x|, epsilon)`` along axes; vectors shorter than that are divided by a constant."""
    square = ops.sum(x * x, axis=axis, keepdims=True)
    is_long = ops.stop_gradient(square) > epsilon * epsilon
    return x * ops.where(is_long, ops.rsqrt(ops.where(is_long, square, 1.0)), 1.0 / epsilon)


def scaled(x: Any, gamma: Any, beta: Any, axes: Sequence[int]) -> Any:
    """``x gamma + beta``, where these weights, if there are any, have the extents of ``axes``."""
    shape = [n if i in axes else 1 for i, n in enumerate(x.shape)]
    y = x if gamma is None else x * ops.reshape(gamma, shape)
    return y if beta is None else y + ops.reshape(beta, shape)
