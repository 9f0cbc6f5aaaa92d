"""Definitions of layers that choose the largest entry of a window."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from distnet import ops
from distnet.layers.engine.context import ForwardContext
from distnet.layers.pooling.adaptive_pooling import (
    AdaptiveMaxPooling1D,
    AdaptiveMaxPooling2D,
    AdaptiveMaxPooling3D,
    spans_of,
)
from distnet.layers.pooling.global_pooling import GlobalMaxPooling1D, GlobalMaxPooling2D, GlobalMaxPooling3D
from distnet.layers.pooling.window_pooling import MaxPooling1D, MaxPooling2D, MaxPooling3D
from distnet.layers.second_derivatives.base import beside, defines


@defines(MaxPooling1D, MaxPooling2D, MaxPooling3D)
def _largest(layer: Any, inputs: Sequence[Any], ctx: ForwardContext, saved: Any) -> Any:
    return ops.max_pool(inputs[0], layer.pool_size, layer.strides, layer.padding, layer.data_format)


@defines(GlobalMaxPooling1D, GlobalMaxPooling2D, GlobalMaxPooling3D)
def _largest_of_all(layer: Any, inputs: Sequence[Any], ctx: ForwardContext, saved: Any) -> Any:
    x = inputs[0]
    axes = range(2, x.ndim) if layer.is_channels_first else range(1, x.ndim - 1)
    return ops.max(x, axis=list(axes), keepdims=layer.keepdims)


@defines(AdaptiveMaxPooling1D, AdaptiveMaxPooling2D, AdaptiveMaxPooling3D)
def _largest_of_spans(layer: Any, inputs: Sequence[Any], ctx: ForwardContext, saved: Any) -> Any:
    y, first = inputs[0], 2 if layer.is_channels_first else 1
    for number, windows in enumerate(layer.windows):
        axis = first + number
        spans = spans_of(y.shape[axis], windows)
        parts = [y[(*[slice(None)] * axis, span)] for span in spans]
        y = ops.concatenate([_largest_along(part, axis) for part in parts], axis)
    return y


def _largest_along(x: Any, axis: int) -> Any:
    """The largest entry along an axis; ties go to the first, as in the layer."""
    places = np.argmax(x.value, axis=axis, keepdims=True)
    return ops.take_along_axis(x, beside(x, places), axis=axis)
