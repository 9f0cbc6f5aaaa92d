"""The gradient of a built-in layer's call, as tensors that have gradients themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from distnet.comm.scope import communicator
from distnet.errors import ArgumentError
from distnet.layers.engine.call_scope import CallScope, calling
from distnet.layers.engine.context import BackwardContext, ForwardContext, Workspaces
from distnet.ops.spread import is_spread
from distnet.ops.tape import following, gradients, leaf
from distnet.ops.tensor import TapeNode, Tensor
from distnet.types import Array
from distnet.variables import Variable

DEFINITIONS: dict[type, Callable[..., Any]] = {}
"""Classes of layers -> what they compute, by functions of ``ops``: ``definition(layer, inputs, ctx) -> output``."""
AFFINE: set[type] = set()
"""Classes without weights whose output is an affine function of their inputs, whatever the entries of these."""


def followed_gradients(
    layer: Any, kind: Any, inputs: Sequence[Tensor], trained: Sequence[Variable], dys: Sequence[Any],
    ctx: ForwardContext, saved: Any,
) -> list[Any]:  # fmt: skip
    """The gradients of a call by its inputs and weights.

    Args:
        kind: the class whose ``forward`` it is.
        trained: the layer's trained variables; each rank's gradients of them are summed later.
        dys: the gradients of its outputs, none of which is None.
        saved: by forward.

    Raises:
        ArgumentError: the layer has no second derivatives.
    """
    order = kind.__mro__
    definition = next((DEFINITIONS[c] for c in order if c in DEFINITIONS), None)
    if definition is None and any(c in AFFINE for c in order) and not trained:
        return _adjoint(layer, kind, dys, inputs, replace(ctx, workspaces=Workspaces()), saved)
    if definition is None:
        raise ArgumentError(
            f"{layer.name}: {kind.__name__} has no second derivatives, which a gradient of a gradient needs. Write it "
            "as a layer with call() over distnet.ops."
        )
    linked = [_linked(t) if t.node is not None else t for t in inputs]
    before = [v.node for v in trained]
    for v in trained:
        v.node = TapeNode((leaf(v),), _same)
    try:
        scope = CallScope(replace(ctx, workspaces=Workspaces()), ctx.training)
        with calling(scope), following():
            y = definition(layer, linked, ctx)
            outputs = y if isinstance(y, list) else [y]
            keys = [(t.node, 0) for t in linked if t.node is not None] + [(v.node, 0) for v in trained]
            made = gradients(list(zip(outputs, dys, strict=True)), keys)
            dws = [made.shared.get((v.node, 0)) for v in trained]
            if any(map(is_spread, inputs)):  # summed over ranks already, and about to be again
                dws = [None if dw is None else dw / float(communicator().size) for dw in dws]
    finally:
        for v, node in zip(trained, before, strict=True):
            v.node = node
    return [*(None if t.node is None else made.shared.get((t.node, 0)) for t in linked), *dws]


def _same(node: TapeNode, dys: list[Any], is_followed: bool) -> list[Any]:
    return [dys[0]]


def _linked(tensor: Tensor) -> Tensor:
    """The same tensor at a node of its own, behind which nothing is looked for."""
    return Tensor(tensor.value, TapeNode((tensor,), _same), 0, tensor.rows)


def _adjoint(
    layer: Any, kind: Any, dys: Sequence[Any], inputs: Sequence[Tensor], ctx: ForwardContext, saved: Any
) -> list[Any]:
    """The gradients by the inputs of an affine layer: a linear function of those of its outputs."""
    tensors = [dy if isinstance(dy, Tensor) else Tensor(np.asarray(dy)) for dy in dys]
    back = BackwardContext(Workspaces(), ctx.sum_over_ranks, True, ctx.call, ctx.options, kernels=ctx.kernels)
    dx = kind.backward(layer, _one_or_list([np.ascontiguousarray(t.value) for t in tensors]), saved, back)
    parts = [np.array(part) for part in (dx if isinstance(dx, list) else [dx])]

    def pull(node: TapeNode, ddxs: list[Any], is_followed: bool) -> list[Any]:
        ddxs = [*ddxs, *[None] * (len(parts) - len(ddxs))]
        whole = [np.zeros_like(p) if d is None else d for d, p in zip(ddxs, parts, strict=True)]
        made = _linear(layer, kind, whole, inputs, ctx, saved)
        return made if is_followed else [m.value for m in made]

    node = TapeNode(tensors, pull)
    return [Tensor(part, node, i) for i, part in enumerate(parts)]


def _linear(
    layer: Any, kind: Any, xs: Sequence[Any], inputs: Sequence[Tensor], ctx: ForwardContext, saved: Any
) -> list[Tensor]:
    """What an affine layer gives without its constant, with the random numbers of the call."""
    tensors = [x if isinstance(x, Tensor) else Tensor(np.asarray(x)) for x in xs]
    arrays = [np.ascontiguousarray(t.value) for t in tensors]
    with_constant = _forward(layer, kind, arrays, ctx)
    constant = _forward(layer, kind, [np.zeros_like(a) for a in arrays], ctx)
    parts = [a - b for a, b in zip(with_constant, constant, strict=True)]

    def pull(node: TapeNode, dys: list[Any], is_followed: bool) -> list[Any]:
        dys = [*dys, *[None] * (len(parts) - len(dys))]
        whole = [np.zeros_like(p) if d is None else d for d, p in zip(dys, parts, strict=True)]
        made = _adjoint(layer, kind, whole, inputs, ctx, saved)
        return made if is_followed else [m.value for m in made]

    node = TapeNode(tensors, pull)
    return [Tensor(part, node, i) for i, part in enumerate(parts)]


def _forward(layer: Any, kind: Any, arrays: list[Array], ctx: ForwardContext) -> list[Array]:
    y, _ = kind.forward(layer, _one_or_list(arrays), replace(ctx, workspaces=Workspaces()))
    return [np.array(part) for part in (y if isinstance(y, list) else [y])]


def _one_or_list(arrays: list[Array]) -> Any:
    return arrays[0] if len(arrays) == 1 else arrays
