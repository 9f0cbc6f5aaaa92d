"""Definitions of layers of each entry by itself: activations, merges, and images whose values change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from distnet import config, ops
from distnet.activations import Activation as Function
from distnet.layers.activation.activation import Activation
from distnet.layers.activation.advanced_activations import ELU, LeakyReLU, PReLU, ReLU, Softmax, ThresholdedReLU
from distnet.layers.core.masking import Masking
from distnet.layers.engine.channels import to_first
from distnet.layers.engine.context import ForwardContext
from distnet.layers.image.augmentation import RandomBrightness, RandomContrast
from distnet.layers.merge.arithmetic import Multiply, counting
from distnet.layers.merge.extremes import Extreme
from distnet.layers.merge.products import Dot
from distnet.layers.of_applications import LayerScale
from distnet.layers.second_derivatives.base import activated, beside, defines
from distnet.layers.second_derivatives.normalized import unit_vectors
from distnet.types import Array


@defines(Activation)
def _activation(layer: Activation, inputs: Sequence[Any], ctx: ForwardContext, saved: Any) -> Any:
    return activated(layer, inputs[0])


@defines(ReLU, LeakyReLU, ELU)
def _rectified(layer: Any, inputs: Sequence[Any], ctx: ForwardContext, saved: Any) -> Any:
    function: Function = layer.elementary
    return function(inputs[0])


@defines(PReLU)
def _parametric(layer: Any, inputs: Sequence[Any], ctx: ForwardContext, saved: Any) -> Any:
    x = inputs[0]
    return ops.relu(x) - layer.alpha * ops.relu(-x)


@defines(LayerScale)
def _scaled(layer: LayerScale, inputs: Sequence[Any], ctx: ForwardContext, saved: Any) -> Any:
    return inputs[0] * layer.gamma


@defines(ThresholdedReLU)
def _thresholded(layer: Any, inputs: Sequence[Any], ctx: ForwardContext, saved: Any) -> Any:
    return ops.where(inputs[0] > layer.theta, inputs[0], 0.0)


@defines(Masking)
def _masked(layer: Any, inputs: Sequence[Any], ctx: ForwardContext, saved: Any) -> Any:
    return ops.where(beside(inputs[0], saved), inputs[0], 0.0)


@defines(Softmax)
def _softmax(layer: Any, inputs: Sequence[Any], ctx: ForwardContext, saved: Any) -> Any:
    x, counts = inputs[0], inputs[1] if len(inputs) > 1 else ctx.options.get("counts")
    if counts is None:
        return ops.softmax(x, axis=layer.axis)
    counts = counts > 0.5 if counts.dtype != bool else counts
    return ops.softmax(ops.where(counts, x, -1e9), axis=layer.axis) * ops.cast(counts, x.dtype)


@defines(Multiply)
def _product(layer: Multiply, inputs: Sequence[Any], ctx: ForwardContext, saved: Any) -> Any:
    y: Any = 1.0
    for x, mask in zip(_of_equal_rank(inputs), saved[1], strict=True):
        y = y * (x if mask is None else ops.where(beside(x, mask), x, 1.0))
    counts = counting(saved[1])
    return y if counts is None else ops.where(beside(inputs[0], counts), y, 0.0)


@defines(Extreme)
def _extreme(layer: Extreme, inputs: Sequence[Any], ctx: ForwardContext, saved: Any) -> Any:
    """The inputs, each times the share that it had of each entry."""
    aligned, masks, _ = saved
    ones = np.ones(np.broadcast_shapes(*(a.shape for a in aligned)), aligned[0].dtype)
    shares = layer.shares(ones, aligned, masks)
    return sum(x * beside(x, share) for x, share in zip(_of_equal_rank(inputs), shares, strict=True))


def _of_equal_rank(inputs: Sequence[Any]) -> list[Any]:
    """The inputs, with axes of 1 behind the rows of those that have fewer axes than others."""
    ndim = max(x.ndim for x in inputs)
    return [ops.reshape(x, (x.shape[0], *[1] * (ndim - x.ndim), *x.shape[1:])) for x in inputs]


@defines(Dot)
def _dot(layer: Any, inputs: Sequence[Any], ctx: ForwardContext, saved: Any) -> Any:
    axes, rows, apart = saved[0], inputs[0].shape[0], []
    for x, axis in zip(inputs, axes, strict=True):
        vectors = unit_vectors(x, axis, config.epsilon()) if layer.normalize else x
        moved = ops.moveaxis(vectors, axis, -1)
        apart.append(ops.reshape(moved, (rows, int(np.prod(moved.shape[1:-1])), moved.shape[-1])))
    y = ops.matmul(apart[0], ops.swapaxes(apart[1], 1, 2))
    others = [n for x, axis in zip(inputs, axes, strict=True) for i, n in enumerate(x.shape) if i not in (0, axis)]
    return ops.reshape(y, (rows, *(others or [1])))


@defines(RandomContrast)
def _contrasted(layer: RandomContrast, inputs: Sequence[Any], ctx: ForwardContext, saved: Any) -> Any:
    if saved is None:
        return inputs[0]
    (x,), axes, (factor, is_within) = inputs, (2, 3) if layer.is_channels_first else (1, 2), saved
    mean = ops.mean(x, axis=axes, keepdims=True)
    return _clipped(layer, (x - mean) * beside(x, factor) + mean, is_within)


@defines(RandomBrightness)
def _brightened(layer: RandomBrightness, inputs: Sequence[Any], ctx: ForwardContext, saved: Any) -> Any:
    if saved is None:
        return inputs[0]
    (x,), (added, is_within) = inputs, saved
    return _clipped(layer, x + beside(x, added), is_within)


def _clipped(layer: Any, y: Any, is_within: Array) -> Any:
    """``y`` within the layer's range of values."""
    kept = beside(y, to_first(is_within) if layer.is_channels_first else is_within)
    return ops.where(kept, y, ops.clip(ops.stop_gradient(y), *layer.value_range))
