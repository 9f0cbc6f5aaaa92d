"""Attention by dot products."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from distnet.errors import ArgumentError, ShapeError
from distnet.ops.compositions import composition
from distnet.ops.contractions import matmul
from distnet.ops.indexing import where
from distnet.ops.nn.simplex import softmax
from distnet.ops.shaping import transpose


@composition(5, module="nn")
def dot_product_attention(
    query: Any, key: Any, value: Any, bias: Any = None, mask: Any = None, scale: float | None = None,
    is_causal: bool = False, flash_attention: bool | None = None, attn_logits_soft_cap: float | None = None,
) -> Any:  # fmt: skip
    """``softmax(scale Q K^T + bias) V`` for each head.

    Shapes:
        query (N, T, H, D), key (N, S, H, D), value (N, S, H, V) -> (N, T, H, V); bias and mask are broadcast to
        (N, H, T, S).

    Args:
        mask: where a query may look at a key.
        scale: by default ``1 / sqrt(D)``.
        is_causal: whether each time step looks only at those up to its own.
        flash_attention: accepted for Keras's sake; True is refused.
        attn_logits_soft_cap: ignored, as Keras does on processors without flash attention.

    Source: ``keras.ops.dot_product_attention``.
    """
    if flash_attention:
        raise ArgumentError("ops.dot_product_attention: flash_attention=True is for GPUs. Leave it out.")
    shapes = [tuple(x.shape) for x in (query, key, value)]
    if any(len(shape) != 4 for shape in shapes):
        raise ShapeError(
            "ops.dot_product_attention: expected a query, key and value with four axes (N, T, H, D), received the "
            f"shapes {shapes}."
        )
    q, k, v = (transpose(x, (0, 2, 1, 3)) for x in (query, key, value))
    scores = matmul(q, transpose(k, (0, 1, 3, 2))) * (1 / math.sqrt(shapes[0][-1]) if scale is None else scale)
    if bias is not None:
        scores = scores + bias
    if is_causal:
        causal = np.tri(shapes[0][1], shapes[1][1], dtype=bool)
        mask = causal if mask is None else mask & causal
    if mask is not None:
        scores = where(mask, scores, -0.7 * float(np.finfo(scores.dtype).max))
    return transpose(matmul(softmax(scores, axis=-1), v), (0, 2, 1, 3))
