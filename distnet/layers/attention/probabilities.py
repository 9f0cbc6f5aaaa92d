"""From scores to the weights of a mean, and the gradient of that; shared by all attention layers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from distnet import kernels
from distnet.layers.engine.context import BackwardContext, ForwardContext
from distnet.layers.regularization.dropout import draw_mask, threshold
from distnet.ops.nn.simplex import write_softmax_gradient
from distnet.types import Array

MASKED = -1e9
"""What stands for a score of minus infinity."""


@dataclass
class Probabilities:
    """Weights that sum to 1 over the last axis, before and after dropout.

    Args:
        values: (N, ..., T, S) softmax of the scores.
        used: the same after dropout.
        bits: the random numbers of dropout, or None.
        rate: probability of dropping.
    """

    values: Array
    used: Array
    bits: Array | None
    rate: float


def dropped(values: Array, rate: float, seed: int | None, ctx: ForwardContext, where: str) -> Probabilities:
    """The probabilities after dropout, which drops in training only."""
    if not ctx.training or rate == 0:
        return Probabilities(values, values, None, rate)
    bits = ctx.workspace("bits", values.shape, np.dtype(np.uint32))
    ctx.do(draw_mask, bits, None, seed, ctx.here(), where)
    used = ctx.workspace("dropped", values.shape, values.dtype)
    ctx.do(_drop, values, bits, rate, used)
    return Probabilities(values, used, bits, rate)


def dropout_factors(p: Probabilities) -> Array | None:
    """What dropout multiplied the probabilities by; None if it did not."""
    if p.bits is None:
        return None
    factors = np.ones_like(p.values)
    _drop(factors, p.bits, p.rate, factors)
    return factors


def score_gradient(d: Array, p: Probabilities, ctx: BackwardContext, direct: Array | None = None) -> None:
    """Write the gradient of the scores in place of that of ``p.used``; ``direct`` is that of ``p.values``, if any."""
    if p.bits is not None:
        ctx.do(_drop, d, p.bits, p.rate, d)
    if direct is not None:
        ctx.do(np.add, d, direct, out=d)
    ctx.do(write_softmax_gradient, d, p.values, d, -1)


def _drop(x: Array, bits: Array, rate: float, out: Array) -> None:
    shape = (len(x), math.prod(x.shape[1:]))
    scale = 1 / (1 - rate) if rate < 1 else 0.0
    kernels.current().dropout(x.reshape(shape), bits.reshape(shape), threshold(rate), scale, out.reshape(shape))


def causal(count: int, of: int) -> Array:
    """(count, of) bool: step t may look at the steps up to t."""
    return np.tri(count, of, dtype=bool)


def both(one: Array | None, other: Array | None) -> Array | None:
    """Where both masks allow it; None allows everything."""
    if one is None or other is None:
        return other if one is None else one
    return np.logical_and(one, other)


def as_list(items: Any) -> list[Any]:
    """A layer's input or output as a list, also where it is just one."""
    return items if isinstance(items, list) else [items]
