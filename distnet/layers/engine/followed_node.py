"""The gradient of a built-in layer's call, as tensors that have gradients themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from distnet import late_rooms
from distnet.comm.scope import communicator
from distnet.errors import ArgumentError
from distnet.layers.engine.call_scope import CallScope, calling
from distnet.layers.engine.context import BackwardContext, ForwardContext, Workspaces
from distnet.ops.primitive import of_rows
from distnet.ops.spread import is_spread, varied
from distnet.ops.tape import following, gradients, leaf
from distnet.ops.tensor import TapeNode, Tensor
from distnet.types import Array
from distnet.variables import Variable

DEFINITIONS: dict[type, Callable[..., Any]] = {}
"""Classes of layers -> what they compute, by functions of ``ops``: ``definition(layer, inputs, ctx, saved)``."""
AFFINE: set[type] = set()
"""Classes without weights whose output is an affine function of their inputs, whatever the entries of these."""
SECOND_DERIVATIVES = "second derivative"
"""The kind of the late room that has what is said of distnet's own layers."""

_TOLERANCE = 1e-3
"""How far, relative to the largest entry, a layer's definition may be from its ``forward``: rounding, no more."""


@dataclass
class FollowedCall:
    """A call of a built-in layer whose gradient is followed.

    Args:
        kind: the class whose ``forward`` it is.
        trained: the layer's trained variables; each rank's gradients of them are summed later.
        outputs: what ``forward`` made.
        saved: by ``forward``.
    """

    layer: Any
    kind: Any
    inputs: Sequence[Tensor]
    trained: Sequence[Variable]
    outputs: Sequence[Array]
    ctx: ForwardContext
    saved: Any

    def gradients(self, dys: Sequence[Any]) -> list[Any]:
        """The gradients by the inputs and weights, given those of the outputs, none of which is None.

        Raises:
            ArgumentError: the layer has no second derivatives.
        """
        ctx = replace(self.ctx, workspaces=Workspaces())
        if definition_of(self.kind) is None and is_affine(self.kind) and not self.trained:
            return _adjoint(self.layer, self.kind, dys, self.inputs, ctx, self.saved)
        linked = [_linked(t) if t.node is not None else t for t in self.inputs]
        before = [v.node for v in self.trained]
        for v in self.trained:
            v.node = TapeNode((leaf(v),), _same)
        try:
            with calling(CallScope(ctx, ctx.training)), following():
                outputs = computed_again(self.layer, self.kind, linked, ctx, self.saved)
                self._check(outputs)
                keys = [(t.node, 0) for t in linked if t.node is not None] + [(v.node, 0) for v in self.trained]
                made = gradients(list(zip(outputs, dys, strict=True)), keys)
                dws = [made.shared.get((v.node, 0)) for v in self.trained]
                if any(map(is_spread, self.inputs)):  # summed over ranks already, and about to be again
                    dws = [None if dw is None else varied(dw) / float(communicator().size) for dw in dws]
        finally:
            for v, node in zip(self.trained, before, strict=True):
                v.node = node
        return [*(None if t.node is None else made.shared.get((t.node, 0)) for t in linked), *dws]

    def _check(self, again: Sequence[Tensor]) -> None:
        for y, first in zip(again, self.outputs, strict=True):
            most = np.abs(first).max(initial=0)
            if not np.allclose(y.value, first, rtol=0, atol=_TOLERANCE * most, equal_nan=True) and np.isfinite(most):
                raise ArgumentError(
                    f"{self.layer.name}: has no second derivatives here: computed again it gives other numbers, as "
                    "layers within it draw new random ones or have changed their state. Call them one by one."
                )


def definition_of(kind: Any) -> Callable[..., Any] | None:
    """What layers of a class compute; None where nothing says it."""
    _hear_of_own_layers()
    return next((DEFINITIONS[c] for c in kind.__mro__ if c in DEFINITIONS), None)


def is_affine(kind: Any) -> bool:
    """Whether layers of a class are said to be affine."""
    _hear_of_own_layers()
    return any(c in AFFINE for c in kind.__mro__)


@cache
def _hear_of_own_layers() -> None:
    """Import what is said of all of them: few programs ask."""
    for _ in late_rooms.fetched(SECOND_DERIVATIVES):
        pass


def computed_again(layer: Any, kind: Any, inputs: Sequence[Tensor], ctx: ForwardContext, saved: Any) -> list[Any]:
    """A built-in layer's outputs for tensors, as its definition makes them of what ``forward`` saved.

    Raises:
        ArgumentError: it has none.
    """
    definition = definition_of(kind)
    if definition is not None:
        y = definition(layer, inputs, ctx, saved)
        return y if isinstance(y, list) else [y]
    if not is_affine(kind):
        raise ArgumentError(
            f"{layer.name}: {kind.__name__} has no second derivatives, which a gradient of a gradient needs. Write it "
            "as a layer with call() over distnet.ops."
        )
    rows = next((t.rows for t in inputs if t.rows is not None), None)
    constants = _forward(layer, kind, [np.zeros_like(t.value) for t in inputs], ctx)
    made = [y + c for y, c in zip(_linear(layer, kind, inputs, inputs, ctx, saved), constants, strict=True)]
    return made if rows is None else [of_rows(y, rows) for y in made]


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
