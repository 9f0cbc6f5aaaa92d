"""One run of a user's ``call`` within a graph: recorded, and what the graph takes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from distnet.layers.engine.call_scope import CallScope, calling
from distnet.layers.engine.context import ForwardContext
from distnet.layers.engine.inline import run
from distnet.layers.engine.plan import OnceMore
from distnet.layers.engine.steady_calls import again
from distnet.layers.engine.structures import Slot, filled, leaves
from distnet.ops.routes import Trail
from distnet.ops.spread import own_rows, varied
from distnet.ops.tape import following
from distnet.ops.tensor import Rows, TapeNode, Tensor
from distnet.types import Array


@dataclass
class Recorded(OnceMore):
    """One run of ``call``.

    Args:
        layer: whose.
        inputs: the tensors it was called on.
        outputs: what it returned, in order, as the graph takes it.
        losses: what was added to the loss within it.
        ctx: of the run.
        is_recorded: whether gradients can be taken of it.
        trail: its nodes.
    """

    layer: Any
    inputs: list[Tensor]
    outputs: list[Tensor]
    losses: list[Tensor]
    ctx: ForwardContext
    is_recorded: bool
    trail: Trail

    def once_more(self) -> Callable[[], Any] | None:
        if len(self.outputs) != 1 or self.losses or self.ctx.is_spread:
            return None
        return again(self.layer, self.inputs, self.outputs[0], self.trail, self.ctx)


def recorded(layer: Any, arrays: list[Array], ctx: ForwardContext, is_recorded: bool) -> Recorded:
    """One run of ``call`` on a rank's rows, as part of a graph."""
    rows = ctx.rows(len(arrays[0]))
    places = range(len(arrays)) if ctx.wanted is None else ctx.wanted
    has_gradient = [is_recorded and i in places and a.dtype.kind == "f" for i, a in enumerate(arrays)]
    trail = Trail(sum(has_gradient))
    inputs = [Tensor(a, TapeNode() if h else None, rows=rows) for a, h in zip(arrays, has_gradient, strict=True)]
    if ctx.mask is not None:
        masks = ctx.mask if isinstance(ctx.mask, list) else [ctx.mask]
        for tensor, mask in zip(inputs, masks, strict=False):
            tensor._keras_mask = None if mask is None else Tensor(np.asarray(mask), rows=rows)
    args, kwargs = called_with(inputs, ctx)
    scope = CallScope(ctx, ctx.training)
    with calling(scope), ctx.running(len(arrays[0])), following(is_recorded, is_call=True, nodes=trail.nodes):
        outputs = list(leaves(run(layer, args, kwargs, scope, is_penalized=False)))
        if rows is not None:
            outputs = [_as_part(t, rows) for t in outputs]
    trail.end()
    return Recorded(layer, inputs, outputs, [loss for _, loss in scope.losses], ctx, is_recorded, trail)


def _as_part(output: Tensor, rows: Rows) -> Tensor:
    """What the graph takes of an output: this rank's rows, or, of what has no rows, the whole."""
    if output.rows is not None:
        return output
    part: Tensor = own_rows(output, rows) if output.shape[:1] == (rows.total,) else varied(output)
    part._keras_mask = output._keras_mask
    return part


def called_with(inputs: Sequence[Tensor], ctx: ForwardContext) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """What ``call`` is called with; a mode given where the layer was called yields to the graph's, as in Keras."""
    args, kwargs = filled(arguments_of(ctx.options, len(inputs)), list(inputs))
    if kwargs.get("training") is not None and ctx.training is not None:
        kwargs = {**kwargs, "training": ctx.training}
    return args, kwargs


def arguments_of(options: Mapping[str, Any], count: int) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """What ``call`` is called with, slots for the tensors."""
    given = options.get("arguments")
    if given is not None:
        return cast("tuple[tuple[Any, ...], dict[str, Any]]", given)
    first = [Slot(i) for i in range(count)]
    kwargs = {} if options.get("training") is None else {"training": options["training"]}
    return (first if count > 1 else first[0],), kwargs
