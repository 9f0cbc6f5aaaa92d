"""Bias and activation after a product, in one pass over memory if a kernel fuses them."""

from __future__ import annotations

from typing import TypeAlias, cast

import numpy as np

from distnet.activations import Activation, linear, relu
from distnet.layers.activation.layer_activation import WholeLayer
from distnet.layers.engine.channels import to_first, to_last
from distnet.layers.engine.context import BackwardContext, ForwardContext
from distnet.layers.wrappers import base as wrapper
from distnet.layers.wrappers.base import Inner
from distnet.types import Array
from distnet.variables import Variable

Kept: TypeAlias = Array | Inner | None
"""What backward needs: the activation's input or output, or, if it is a layer, what its forward saved.

None where bias and activation are left to the layer behind, as ``ctx.is_left`` says.
"""


def forward(
    z: Array, bias: Variable | None, activation: Activation, ctx: ForwardContext, is_channels_first: bool = False
) -> tuple[Array, Kept]:
    """``y = f(z + b)``, and what ``backward`` needs; ``z`` is overwritten.

    Shapes:
        z (N, ..., O), contiguous; bias (O,) -> (N, ..., O).

    Args:
        is_channels_first: whether an activation along an axis counts the axes as (N, O, ...).
    """
    if ctx.is_left:
        return z, None
    fused = "linear" if ctx.logits else fused_name(activation)
    if fused:
        if bias is not None or fused != "linear":
            ctx.do(ctx.kernels.bias_activation, z, None if bias is None else bias.value, fused)
        return z, z
    if bias is not None:
        ctx.do(np.add, z, bias.value, out=z)
    if isinstance(activation, WholeLayer):
        x = np.ascontiguousarray(to_first(z)) if is_channels_first else z
        y, run = wrapper.forward(activation.layer, x, ctx.within(0), ctx.global_rows)
        return (to_last(y) if is_channels_first else y), run
    y = ctx.workspace("y", z.shape, z.dtype) if activation.saves_input else z
    seen = to_first if is_channels_first else np.asarray
    ctx.do(activation.forward, seen(z), out=seen(y))
    return y, z if activation.saves_input else y


def backward(
    dy: Array,
    saved: Kept,
    bias: Variable | None,
    activation: Activation,
    ctx: BackwardContext,
    is_channels_first: bool = False,
    scale: float = 1.0,
) -> Array:
    """Gradient of ``z + b``; ``dy`` is left as it is. That of the bias goes to the context.

    Args:
        is_channels_first: as for ``forward``.
        scale: by which a fused activation's gradient is multiplied.
    """
    if saved is None:
        return dy
    fused = "linear" if ctx.is_of_logits else fused_name(activation)
    if isinstance(saved, Inner):
        dz = _backward_of_layer(dy, saved, activation, ctx, is_channels_first)
    elif fused == "linear":
        dz = dy
    else:
        dz = ctx.workspace("dz", saved.shape, saved.dtype)
        if fused and bias is not None and bias.is_trained:
            rows = (-1, bias.size)
            arrays = dy.reshape(rows), saved.reshape(rows), fused, dz.reshape(rows), scale
            ctx.add_made(bias, ctx.kernels.bias_gradient, *arrays)
            return dz
        if fused:
            ctx.do(ctx.kernels.activation_gradient, dy, saved, fused, dz)
            if scale != 1.0:
                ctx.do(np.multiply, dz, dz.dtype.type(scale), out=dz)
            return dz
        seen = to_first if is_channels_first else np.asarray
        ctx.do(activation.backward, seen(dy), seen(saved), out=seen(dz))
    if bias is not None:
        ctx.add_sum(bias, dz.reshape(-1, bias.size), axis=0)
    return dz


def _backward_of_layer(
    dy: Array, run: Inner, activation: Activation, ctx: BackwardContext, is_channels_first: bool
) -> Array:
    within = ctx.within(0)
    within.needs_input_gradient = True
    dy = np.ascontiguousarray(to_first(dy)) if is_channels_first else dy
    dz: Array = wrapper.backward(cast(WholeLayer, activation).layer, dy, run, within)
    return np.ascontiguousarray(to_last(dz) if is_channels_first else dz)


def fused_name(activation: Activation) -> str:
    """The kernels' name for the activation; empty if no kernel fuses it."""
    if activation is relu or activation == relu:
        return "relu"
    return "linear" if activation is linear or activation == linear else ""
