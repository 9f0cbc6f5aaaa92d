"""Which steps an attention of several heads must not look at."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from distnet.layers.attention.attended_axes import AttendedAxes
from distnet.layers.attention.probabilities import both, causal
from distnet.layers.engine.context import ForwardContext
from distnet.types import Array


def refused_steps(
    x: Sequence[Array], ctx: ForwardContext, attended: AttendedAxes, shape: tuple[int, ...], window: int | None
) -> Array | None:
    """Which steps must not look at which: bool, broadcast against (N, G, T, S); None if all may.

    Args:
        x: query, value, key, and the attention mask if it is an input.
        shape: of the scores.
        window: how many steps away a step may look, or None.
    """
    allowed = _allowed(x, ctx, attended, shape, window)
    if allowed is None:
        return None
    if len(x) < 4 and not any(mask is not None for mask in ctx.mask or []):
        return np.asarray(~allowed)
    refused = ctx.workspace("refused", allowed.shape, allowed.dtype)
    ctx.do(_refuse, refused, x, ctx.here(), attended, shape, window)
    return refused


def _refuse(
    refused: Array, x: Sequence[Array], ctx: ForwardContext, attended: AttendedAxes, shape: tuple[int, ...],
    window: int | None,
) -> None:  # fmt: skip
    allowed = _allowed(x, ctx, attended, shape, window)
    np.copyto(refused, False if allowed is None else ~allowed)


def _allowed(
    x: Sequence[Array], ctx: ForwardContext, attended: AttendedAxes, shape: tuple[int, ...], window: int | None
) -> Array | None:
    """Which steps may look at which; None if all may."""
    of_rows: list[Array] = []
    if ctx.mask is not None:
        query_mask, value_mask, key_mask = ctx.mask[:3]
        of_rows += [mask[..., :, None] for mask in (query_mask,) if mask is not None]
        of_rows += [mask[..., None, :] for mask in (value_mask, key_mask) if mask is not None]
    of_all: list[Array] = []
    steps, of_keys = x[0].shape[1], x[1].shape[1]
    if ctx.options.get("use_causal_mask"):
        of_all.append(causal(steps, of_keys)[None])
    if window is not None:
        distance = np.abs(np.arange(steps)[:, None] - np.arange(of_keys))
        of_all.append((distance < window)[None])
    given = ctx.options.get("attention_mask")
    if len(x) > 3:
        of_rows.append(x[3] != 0)
    elif given is not None:
        of_all.append(np.asarray(given) != 0)
    allowed = None
    for mask in (*of_rows, *of_all):
        has_rows = any(mask is other for other in of_rows)
        allowed = both(allowed, attended.folded_mask(mask, shape, has_rows))
    return allowed
