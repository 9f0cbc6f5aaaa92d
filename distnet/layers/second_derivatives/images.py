"""Definitions of layers that change images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from distnet import ops
from distnet.layers.engine.context import BackwardContext, ForwardContext, Workspaces
from distnet.layers.engine.followed_node import computed_again, is_affine
from distnet.layers.image.augmentation_policies import AugMix
from distnet.layers.image.box_counts import MaxNumBoundingBoxes
from distnet.layers.image.chained_changes import ChainedChanges, Link
from distnet.layers.image.derived_change import DerivedChange
from distnet.layers.image.factors import pair
from distnet.layers.image.histogram_equalization import ContrastLimitedAdaptiveHistogramEqualization, Equalization
from distnet.layers.second_derivatives.base import beside, defines
from distnet.ops.primitive import local, of_rows
from distnet.ops.tensor import TapeNode, Tensor
from distnet.types import Array


def _with_last_channels(layer: Any, x: Any, to_last: bool) -> Any:
    if not layer.is_channels_first:
        return x
    return ops.transpose(x, (0, 2, 3, 1) if to_last else (0, 3, 1, 2))


@defines(DerivedChange)
def _derived(layer: DerivedChange, inputs: Sequence[Any], ctx: ForwardContext, saved: Any) -> Any:
    x = inputs[0]
    if saved is None:
        return x
    y = layer.in_dtype(layer.changed(_with_last_channels(layer, local(x), True), saved[1], ctx))
    y = _with_last_channels(layer, y, False)
    return y if x.rows is None else of_rows(y, x.rows)


@defines(MaxNumBoundingBoxes)
def _counted(layer: MaxNumBoundingBoxes, inputs: Sequence[Any], ctx: ForwardContext, saved: Any) -> Any:
    return inputs[0]


@defines(ChainedChanges)
def _chained(layer: ChainedChanges, inputs: Sequence[Any], ctx: ForwardContext, saved: Any) -> Any:
    return along_again(inputs[0], saved or (), ctx)


def along_again(x: Any, links: Sequence[Link], ctx: ForwardContext) -> Any:
    """The images after all changes of a chain that was gone along before."""
    for i, link in enumerate(links):
        within = ctx.within(i)
        x = _moved(x, link, within) if is_affine(type(link.part)) else _changed(x, link, within)
    return x


def _moved(x: Any, link: Link, ctx: ForwardContext) -> Any:
    """What an affine change gives of images, with the random numbers that were drawn for it."""
    shape = _with_last_channels(link.part, np.zeros_like(x.value), True).shape
    constant = _changed_images(link, np.zeros(shape, x.dtype), ctx)

    def linear(images: Array) -> Array:
        return _changed_images(link, images, ctx) - constant

    def adjoint(dy: Array) -> Array:
        back = BackwardContext(Workspaces(), ctx.sum_over_ranks, call=ctx.call, kernels=ctx.kernels)
        return np.array(link.part.change_back(dy, link.saved, back))

    last = _with_last_channels(link.part, local(x), True)
    y = _with_last_channels(link.part, _of_linear(last, linear, adjoint) + constant, False)
    return y if x.rows is None else of_rows(y, x.rows)


def _changed_images(link: Link, images: Array, ctx: ForwardContext) -> Array:
    y, _ = link.part.change(images, link.transformation, replace(ctx, workspaces=Workspaces()))
    return np.array(y)


def _of_linear(x: Any, function: Callable[[Array], Array], adjoint: Callable[[Array], Array]) -> Tensor:
    """A linear function of a tensor, whose gradient is its adjoint, and the other way round."""
    tensor = x if isinstance(x, Tensor) else Tensor(np.asarray(x))

    def pull(node: TapeNode, dys: list[Any], is_followed: bool) -> list[Any]:
        dx = _of_linear(dys[0], adjoint, function)
        return [dx if is_followed else dx.value]

    return Tensor(function(np.ascontiguousarray(tensor.value)), TapeNode((tensor,), pull))


def _changed(x: Any, link: Link, ctx: ForwardContext) -> Any:
    (y,) = computed_again(link.part, type(link.part), [x], ctx, link.saved)
    return y


@defines(AugMix)
def _mixed(layer: AugMix, inputs: Sequence[Any], ctx: ForwardContext, saved: Any) -> Any:
    x = inputs[0]
    if saved is None:
        return x
    own, weights, links, _ = saved
    each = [along_again(x, of_chain, ctx.within(i)) * float(weights[i]) for i, of_chain in enumerate(links)]
    return ops.clip(float(own) * x + (1.0 - float(own)) * sum(each), *pair(layer.value_range))


@defines(Equalization)
def _equalized(layer: Equalization, inputs: Sequence[Any], ctx: ForwardContext, saved: Any) -> Any:
    x = inputs[0]
    if saved is None:
        return x
    is_flat, y = saved
    flat = np.broadcast_to(is_flat, y.shape)
    each = (_with_last_channels(layer, a, False) for a in (flat, y))
    mask, constant = (beside(x, np.asarray(a)) for a in each)
    return ops.where(mask, x, constant)


@defines(ContrastLimitedAdaptiveHistogramEqualization)
def _adapted(layer: Any, inputs: Sequence[Any], ctx: ForwardContext, saved: Any) -> Any:
    x = inputs[0]
    return beside(x, np.asarray(_with_last_channels(layer, saved, False))) + 0.0 * x
