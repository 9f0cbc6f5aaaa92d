"""Definitions of attention layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from distnet import ops
from distnet.layers.attention.attended_axes import AttendedAxes
from distnet.layers.attention.group_query_attention import GroupedQueryAttention, RepeatedProjection
from distnet.layers.attention.multi_head_attention import MultiHeadAttention
from distnet.layers.attention.probabilities import MASKED, Probabilities, dropout_factors
from distnet.layers.attention.projection import HeadProjection
from distnet.layers.attention.scored_attention import AdditiveAttention, Attention
from distnet.layers.engine.context import ForwardContext
from distnet.layers.second_derivatives.base import beside, defines


@defines(Attention, AdditiveAttention)
def _attended(layer: Any, inputs: Sequence[Any], ctx: ForwardContext, saved: Any) -> Any:
    query, value, key = inputs[0], inputs[1], inputs[-1]
    scores = _scores(layer, query, key)
    allowed = layer.allowed(query.shape[1], value.shape[1], ctx)
    if allowed is not None:
        refused = np.broadcast_to(np.where(allowed, 0, scores.dtype.type(MASKED)), saved.probabilities.values.shape)
        scores = scores + beside(query, refused)
    used = _dropped(ops.softmax(scores), saved.probabilities, query)
    y = ops.matmul(used, value)
    if saved.query_mask is not None:
        y = ops.where(beside(query, saved.query_mask), y, 0.0)
    return [y, used] if ctx.options.get("return_attention_scores") else y


def _scores(layer: Any, query: Any, key: Any) -> Any:
    """(N, Tq, Tv): how well each key fits each query."""
    is_dot = isinstance(layer, Attention) and layer.weight is None
    if is_dot:
        scores = ops.matmul(query, ops.swapaxes(key, 1, 2))
        return scores if layer.scale is None else scores * layer.scale
    both = ops.expand_dims(query, 2) + ops.expand_dims(key, 1)
    if isinstance(layer, Attention):
        return ops.sum(ops.tanh(both if layer.scale is None else both * layer.scale), axis=-1) * layer.weight
    return ops.sum(ops.tanh(both) if layer.scale is None else ops.tanh(both) * layer.scale, axis=-1)


def _dropped(probabilities: Any, p: Probabilities, like: Any) -> Any:
    factors = dropout_factors(p)
    return probabilities if factors is None else probabilities * beside(like, factors)


@defines(MultiHeadAttention)
def _attended_by_heads(layer: MultiHeadAttention, inputs: Sequence[Any], ctx: ForwardContext, saved: Any) -> Any:
    axes: AttendedAxes = saved.attended
    query = _projected(layer.query_dense, inputs[0], layer.num_heads) * layer.key_dim**-0.5
    key, value = (
        _projected(projection, x, layer.num_heads)
        for projection, x in ((layer.key_dense, inputs[2]), (layer.value_dense, inputs[1]))
    )
    q, k, v = (_folded(axes, x) for x in (query, key, value))
    scores, refused = ops.matmul(q, ops.swapaxes(k, 2, 3)), saved.refused
    if refused is not None:
        refused = beside(scores, np.broadcast_to(refused, saved.probabilities.values.shape))
        scores = ops.where(refused, MASKED, scores)
    probabilities = ops.softmax(scores)
    if refused is not None and saved.zeroes_refused:
        probabilities = ops.where(refused, 0.0, probabilities)
    mixed = ops.matmul(_dropped(probabilities, saved.probabilities, query), v)
    ordered = [query.shape[i] for i in (0, *axes.apart, *axes.attended)]
    mixed = ops.reshape(mixed, (*ordered, v.shape[-1]))
    mixed = ops.transpose(mixed, [int(i) for i in np.argsort((0, *axes.apart, *axes.attended, axes.rank - 1))])
    if layer.use_gate:
        mixed = mixed * ops.sigmoid(_projected(layer.gate_dense, inputs[0], layer.num_heads))
    rows = ops.reshape(mixed, (*mixed.shape[:-2], mixed.shape[-2] * mixed.shape[-1]))
    y = _affine(layer.output_dense, rows)
    y = ops.reshape(y, layer.compute_output_shape([x.shape for x in inputs]))
    if not ctx.options.get("return_attention_scores"):
        return y
    return [y, ops.reshape(probabilities, axes.scores_shape(query.shape, key.shape))]


@defines(GroupedQueryAttention)
def _attended_in_groups(layer: GroupedQueryAttention, inputs: Sequence[Any], ctx: ForwardContext, saved: Any) -> Any:
    return _attended_by_heads(layer.heads, inputs, ctx, saved)


def _affine(projection: HeadProjection, x: Any) -> Any:
    y = ops.matmul(x, ops.reshape(projection.kernel, (x.shape[-1], -1)))
    return y if projection.bias is None else y + ops.reshape(projection.bias, (-1,))


def _projected(projection: HeadProjection, x: Any, heads: int) -> Any:
    """(N, ..., H, K)."""
    y = _affine(projection, x)
    if isinstance(projection, RepeatedProjection):
        of_groups = ops.reshape(y, (*y.shape[:-1], projection.heads, y.shape[-1] // projection.heads))
        return ops.repeat(of_groups, projection.times, axis=-2)
    return ops.reshape(y, (*y.shape[:-1], heads, y.shape[-1] // heads))


def _folded(axes: AttendedAxes, x: Any) -> Any:
    """(N, ..., H, K) as (N, G, T, K)."""
    ordered = ops.transpose(x, (0, *axes.apart, *axes.attended, axes.rank - 1))
    split, shape = 1 + len(axes.apart), ordered.shape
    apart, attended = (int(np.prod(part)) for part in (shape[1:split], shape[split:-1]))
    return ops.reshape(ordered, (shape[0], apart, attended, shape[-1]))
