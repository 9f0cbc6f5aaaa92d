"""Calls of models within a user's own step, whose memory and instructions the next steps use again.

A step of the user's runs anew each time; what a model of distnet's own layers does in a call is the same. So its
forward and its backward pass are planned, and lent to the node that the call leaves on the tape. While that node is
alive, its gradients may be asked for, and another call gets a plan of its own.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from distnet import kernels
from distnet.assignments import moves, settings
from distnet.comm.scope import communicator
from distnet.layers.engine.context import BackwardContext, ForwardContext, Workspaces
from distnet.layers.engine.plan import Plan
from distnet.models.graph import Graph
from distnet.ops.tensor import TapeNode
from distnet.types import Array
from distnet.variables import Variable

_MOST_CALLS = 8
"""For which there are plans at a time."""

_MOST_LOSSES = 3
"""How often plans may be dropped before they served ``_FEW_STEPS`` steps; then calls run as they are."""
_FEW_STEPS = 5


class LentCall:
    """One call of a graph, to be made again on other inputs of the same shapes.

    Args:
        graph: of built-in layers.
        x: inputs like those of all calls.
        ctx: of the call.
        trained: the variables whose gradients are taken.
    """

    def __init__(self, graph: Graph, x: Sequence[Array], ctx: ForwardContext, trained: Sequence[Variable]) -> None:
        self.graph, self.trained = graph, trained
        self._x = [np.array(a) for a in x]
        self._forward = Plan()
        self._ctx = replace(ctx, workspaces=Workspaces(), plan=self._forward)
        self._made: tuple[list[Array], Any] | None = None
        self._grads = [np.empty_like(v.value) for v in trained]
        self._backward: dict[tuple[bool, ...], _Backward] = {}
        self._borrower: Any = None

    @property
    def is_free(self) -> bool:
        """Whether nobody can ask for gradients of the latest call any more."""
        return self._borrower is None or self._borrower() is None

    def lend(self, node: TapeNode) -> None:
        """The latest call is this node's."""
        self._borrower = weakref.ref(node)

    def outputs(self, x: Sequence[Array], step: int) -> list[Array]:
        """Of the call on these inputs, in memory of their own."""
        for place, a in zip(self._x, x, strict=True):
            np.copyto(place, a)
        if self._made is None:
            with self._as_trained():
                self._made = self.graph.forward(self._x, self._ctx)
        else:
            self._forward.repeat(step)
        return [np.array(part) for part in self._made[0]]

    @property
    def masks(self) -> list[Array | None]:
        """Of the latest call's outputs, in memory of their own."""
        made = [] if self._made is None else self._made[1].masks
        return [None if mask is None else np.array(mask) for mask in made]

    def gradients(self, dys: Sequence[Array | None], wants_inputs: bool) -> list[Array | None]:
        """By the inputs and the trained variables, given those of the outputs, in memory of their own."""
        key = *(dy is not None for dy in dys), wants_inputs
        with self._as_trained():
            if key in self._backward:
                made = self._backward[key]
                made.repeat(dys)
            else:
                made = self._backward[key] = _Backward(self.graph, self._made, self._ctx, dys, wants_inputs)
        dws = [g if id(v) in made.written else None for v, g in zip(self.trained, self._grads, strict=True)]
        return [None if d is None else np.array(d) for d in (*made.dxs, *dws)]

    @contextmanager
    def _as_trained(self) -> Iterator[None]:
        """Within the block the variables' gradients are these, whatever was frozen when the model was laid out."""
        before = [(v.grad, v.frozen) for v in self.trained]
        for v, grad in zip(self.trained, self._grads, strict=True):
            v.grad, v.frozen = grad, False
        try:
            yield
        finally:
            for v, kept in zip(self.trained, before, strict=True):
                v.grad, v.frozen = kept


class _Backward:
    """The backward pass of a call, given the gradients of some of its outputs."""

    def __init__(
        self, graph: Graph, made: Any, ctx: ForwardContext, dys: Sequence[Array | None], wants_inputs: bool
    ) -> None:
        self._dys = [None if dy is None else np.array(dy) for dy in dys]
        self._plan = Plan()
        back = BackwardContext(
            ctx.workspaces, ctx.sum_over_ranks, wants_inputs, ctx.call, ctx.options, kernels=ctx.kernels,
            plan=self._plan,
        )  # fmt: skip
        self.dxs = graph.backward(made[1], self._dys, back)
        self.written = frozenset(back.written)

    def repeat(self, dys: Sequence[Array | None]) -> None:
        for place, dy in zip(self._dys, dys, strict=True):
            if place is not None and dy is not None:
                np.copyto(place, dy)
        self._plan.repeat()


class LentCalls:
    """The calls that steps of one kind make, kept from step to step."""

    def __init__(self) -> None:
        self._calls: dict[Any, list[LentCall]] = {}
        self._made_for: tuple[Any, ...] = ()
        self._steps = self._losses = 0

    def free(
        self, graph: Graph, x: Sequence[Array], ctx: ForwardContext, trained: Sequence[Variable], number: int
    ) -> LentCall | None:
        """A call like this one that nobody has; None where there are too many, or they are dropped again and again.

        Args:
            number: of the call within its step, by which it draws random numbers.
        """
        present = moves(), settings(), kernels.current(), communicator()
        if len(present) != len(self._made_for) or any(
            a is not b and a != b for a, b in zip(present, self._made_for, strict=True)
        ):
            self._losses += bool(self._calls) and self._steps < _FEW_STEPS
            self._calls, self._made_for, self._steps = {}, present, 0
        if self._losses >= _MOST_LOSSES:
            return None
        shapes = tuple((a.shape, a.dtype) for a in x)
        key = (
            graph, shapes, ctx.training, ctx.seed, ctx.first_row, ctx.global_rows, ctx.is_spread, ctx.is_recorded,
            ctx.wanted, ctx.call, number, tuple(map(id, trained)),
        )  # fmt: skip
        calls = self._calls.setdefault(key, [])
        self._steps += bool(calls)
        call = next((call for call in calls if call.is_free), None)
        if call is None and sum(map(len, self._calls.values())) < _MOST_CALLS:
            call = LentCall(graph, x, ctx, trained)
            calls.append(call)
        return call

    def drop(self) -> None:
        """Forget all calls: one of them failed, and may be half made."""
        self._calls = {}
