"""What a built-in layer computes by functions of ``ops``, with the gradient that follows from them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from distnet.layers.engine.context import ForwardContext
from distnet.ops.recording import paused
from distnet.ops.tape import following, gradients, watched
from distnet.ops.tensor import TapeNode, Tensor
from distnet.types import Array


@dataclass(frozen=True)
class Derived:
    """A result, and what it was computed of."""

    sources: Sequence[Tensor]
    result: Tensor

    def gradients(self, dy: Array) -> list[Array]:
        """The gradients of the sources; of zeros where the result does not depend on one."""
        keys = [(source.node, source.index) for source in self.sources if source.node is not None]
        made = {}
        if self.result.node is not None:
            with paused():
                made = gradients([(self.result, dy)], keys).shared
        each = (made.get((s.node, s.index)) if s.node is not None else None for s in self.sources)
        return [
            np.zeros_like(s.value) if d is None else np.asarray(d, s.dtype)
            for s, d in zip(self.sources, each, strict=True)
        ]


def derived(function: Callable[..., Any], arrays: Sequence[Array], ctx: ForwardContext) -> Derived:
    """``function`` of tensors of these arrays, which gives one tensor."""
    sources = [watched(Tensor(a)) if ctx.is_recorded else Tensor(a) for a in arrays]
    with following(is_recorded=ctx.is_recorded), np.errstate(all="ignore"):
        return Derived(sources, function(*sources))


def gathered(x: Any, ctx: ForwardContext) -> Any:
    """The rows of the global batch, of the rows at hand, an array or a tensor."""
    own = x.value if isinstance(x, Tensor) else np.asarray(x)
    whole = np.zeros((ctx.global_rows, *own.shape[1:]), own.dtype)
    whole[ctx.first_row : ctx.first_row + len(own)] = own
    ctx.sum_over_ranks(whole)  # also where one rank has all rows: the others take part
    return _at_a_node(x, whole, lambda dy: part_of_sum(dy, len(own), ctx))


def part_of_sum(x: Any, count: int, ctx: ForwardContext) -> Any:
    """The ``count`` rows at hand of the sum over ranks, of what each rank has for all rows; ``gathered`` backwards."""
    whole = np.array(x.value if isinstance(x, Tensor) else x)
    ctx.sum_over_ranks(whole)
    own = whole[ctx.first_row : ctx.first_row + count]
    return _at_a_node(x, own, lambda dy: gathered(dy, ctx))


def exchanged(x: Any, order: Array, ctx: ForwardContext) -> Any:
    """For each row at hand its partner: of row i of the global batch, row ``order[i]``.

    Args:
        x: the rows at hand, an array or a tensor.
        order: a permutation of the rows of the global batch.
    """
    own = x.value if isinstance(x, Tensor) else np.asarray(x)
    partners = gathered(own, ctx)[order[ctx.first_row : ctx.first_row + len(own)]]
    return _at_a_node(x, partners, lambda dy: exchanged(dy, np.argsort(order), ctx))


def _at_a_node(x: Any, value: Array, pull: Callable[[Any], Any]) -> Any:
    """A linear function of ``x``: an array of an array, a tensor of a tensor."""
    if not isinstance(x, Tensor):
        return value
    node = None if x.node is None else TapeNode((x,), lambda node, dys, is_followed: [pull(dys[0])])
    return Tensor(value, node)
