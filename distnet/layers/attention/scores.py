"""Scores of how well each key fits each query, and their gradients."""

from __future__ import annotations

import numpy as np

from distnet.kernels.matrix_products import by_blas, matmul
from distnet.layers.engine.context import BackwardContext, ForwardContext
from distnet.types import Array


def dot_scores(query: Array, key: Array, ctx: ForwardContext) -> Array:
    """``query key^T``: (N, Tq, D), (N, Tv, D) -> (N, Tq, Tv)."""
    scores = ctx.workspace("scores", (*query.shape[:2], key.shape[1]), query.dtype)
    return by_blas(query, key.swapaxes(1, 2), out=scores)


def dot_gradients(d: Array, query: Array, key: Array, ctx: BackwardContext) -> tuple[Array, Array]:
    """The gradients of query and key."""
    dquery = by_blas(d, key, out=ctx.workspace("dquery", query.shape, query.dtype))
    dkey = by_blas(d.swapaxes(1, 2), query, out=ctx.workspace("dkey", key.shape, key.dtype))
    return dquery, dkey


def tanh_scores(query: Array, key: Array, factors: Array, scale: Array, ctx: ForwardContext) -> tuple[Array, Array]:
    """``sum_d factors_d tanh(scale (query + key))_d``, and the tanh, (N, Tq, Tv, D), which the gradients need.

    Shapes:
        query (N, Tq, D), key (N, Tv, D), factors (D,), scale () -> (N, Tq, Tv).
    """
    shape = (*query.shape[:2], *key.shape[1:])
    squashed = np.add(query[:, :, None], key[:, None], out=ctx.workspace("squashed", shape, query.dtype))
    squashed *= scale
    np.tanh(squashed, out=squashed)
    return by_blas(squashed, factors, out=ctx.workspace("scores", shape[:-1], query.dtype)), squashed


def tanh_gradients(d: Array, squashed: Array, factors: Array, ctx: BackwardContext) -> tuple[Array, Array, Array]:
    """The gradients of ``scale query`` and ``scale key``, and that of the factors."""
    dfactors = matmul(d.reshape(-1), squashed.reshape(-1, squashed.shape[-1]))
    slope = ctx.workspace("slope", squashed.shape, squashed.dtype)
    np.multiply(squashed, squashed, out=slope)
    np.subtract(1, slope, out=slope)
    slope *= factors
    slope *= d[..., None]
    return slope.sum(axis=2), slope.sum(axis=1), dfactors
