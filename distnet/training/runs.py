"""Batches run through a model forward and backward: taken live, or repeated by a plan where one was made.

A plan is made for each size of batch that a training, an evaluation or a prediction has, at its first batch of that
size, and dropped when a layer's argument is set, variables move, or workspaces grow.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, ClassVar, Protocol, cast
from weakref import WeakMethod

import numpy as np

from distnet.assignments import moves, settings
from distnet.comm import Communicator
from distnet.data.batch import Batch
from distnet.layers import Layer
from distnet.layers.engine.buffers import buffers_within
from distnet.layers.engine.context import BackwardContext, ForwardContext, Settle, Workspaces
from distnet.layers.engine.plan import Plan
from distnet.training.objective import Evaluated, Objective, Prediction
from distnet.training.objective_plan import ObjectivePlan
from distnet.types import Array

MOST_PLANS = 8
"""Sizes of batches, and places of their rows, for which there are plans: whole batches and last ones, in two sets."""

NOTHING = Objective(0, (), (), ())
"""The objective of predictions, which are not measured."""


class ModelOfLayers(Protocol):
    """A model, as a run sees it."""

    def graph_in_mode(self, training: bool) -> Any: ...

    def graph_takes(self, x: Sequence[Array]) -> bool: ...

    def forward_batch(self, x: Sequence[Array], ctx: ForwardContext) -> tuple[list[Array], Any]: ...

    def backward_batch(self, tape: Any, dy: Sequence[Array | None], ctx: BackwardContext) -> None: ...


class LiveRun:
    """One batch, run by the layers.

    Args:
        model: built.
        objective: what to minimize and measure.
        ranks: who share the batch.
        ctx: of this batch.
        settle: is told the variables whose gradients are whole.
    """

    def __init__(
        self,
        model: ModelOfLayers,
        objective: Objective,
        ranks: Communicator,
        ctx: ForwardContext,
        settle: Settle | None = None,
    ) -> None:
        self.model, self.objective, self.ranks, self.ctx, self.settle = model, objective, ranks, ctx, settle

    @property
    def penalty(self) -> float:
        """What the layers add to the loss for their activities."""
        return float(self.tape.penalty)

    def forward(self, x: Sequence[Array], step: int) -> Prediction:
        """The outputs for the inputs' rows."""
        self.ctx.step = step
        y, self.tape = self.model.forward_batch(x, self.ctx)
        return Prediction(y, self.tape.masks, self.tape.logits)

    def evaluate(self, batch: Batch, predicted: Prediction) -> Evaluated:
        """This rank's part of the loss, its gradients, and the sums of what is measured."""
        return self.objective.evaluate(batch, predicted, self.ranks)

    def backward(self, dy: Sequence[Array | None], plan: Plan | None = None) -> None:
        """Write every variable's gradient, from those of the outputs."""
        ctx = self.ctx
        back = BackwardContext(
            ctx.workspaces,
            ctx.sum_over_ranks,
            kernels=ctx.kernels,
            plan=plan,
            settle=self.settle,
            timeline=ctx.timeline,
        )
        back.short_lived = None if plan is None else ctx.workspaces.short_lived
        self.model.backward_batch(self.tape, dy, back)


class PlannedRun:
    """Batches of one size: the first one is run by the layers, the others repeat it.

    Args:
        live: runs the first.
        x: inputs of that size, which stay where they are if they are workspaces.
    """

    def __init__(self, live: LiveRun, x: Sequence[Array]) -> None:
        self._live = live
        self._x = [a if live.ctx.workspaces.holds(a) else np.empty_like(a) for a in x]
        self._forward = Plan(live.ctx.timeline)
        self._backward: Plan | None = None
        self._objective: ObjectivePlan | None = None
        self._predicted: Prediction | None = None

    def buffers(self) -> list[Array]:
        """The memory of the plans, with the inputs."""
        plans = [self._forward] if self._backward is None else [self._forward, self._backward]
        return [*buffers_within(self._x), *(buffer for plan in plans for buffer in plan.buffers())]

    @property
    def penalty(self) -> float:
        """As of a live run."""
        return self._live.penalty

    def forward(self, x: Sequence[Array], step: int) -> Prediction:
        """As of a live run."""
        for place, a in zip(self._x, x, strict=True):
            if a.base is None or a.base is not place.base:
                np.copyto(place, a)
        if self._predicted is None:
            self._live.ctx.plan = self._forward
            self._predicted = self._live.forward(self._x, step)
        else:
            self._forward.repeat(step)
        return self._predicted

    def evaluate(self, batch: Batch, predicted: Prediction) -> Evaluated:
        """As of a live run; the gradients are where those of all batches are."""
        if self._objective is None:
            self._objective = ObjectivePlan(self._live.objective, batch, predicted, self._live.ranks)
        return self._objective.evaluate(batch)

    def backward(self, dy: Sequence[Array | None]) -> None:
        """As of a live run; ``dy`` are those that ``evaluate`` gave."""
        if self._backward is None:
            self._backward = Plan(self._live.ctx.timeline)
            self._live.backward(dy, self._backward)
        else:
            self._backward.repeat()


Run = LiveRun | PlannedRun


class Runs:
    """How a training, an evaluation or a prediction runs its batches.

    Args:
        model: built.
        workspaces: of the training.
        context: what a batch's layers may know.
        objective: what to minimize and measure.
        ranks: who share the batches.
        training: the mode.
        settle: is told, in the middle of the backward pass, of variables whose gradients are whole.
    """

    makes_plans: ClassVar[bool] = True

    def __init__(
        self,
        model: ModelOfLayers,
        workspaces: Workspaces,
        context: Callable[[Batch], ForwardContext],
        objective: Objective,
        ranks: Communicator,
        training: bool,
        settle: Settle | None = None,
    ) -> None:
        self.model, self.workspaces, self.training, self.settle = model, workspaces, training, settle
        self._context = WeakMethod(context)  # the steps have these runs: a circle would keep all their memory
        self.objective, self.ranks = objective, ranks
        self._planned: dict[Hashable, PlannedRun] = {}
        self._holds_for: tuple[object, int, int] = (None, 0, 0)
        self._settings = 0
        self._latest: tuple[Hashable, PlannedRun] | None = None
        self._form: object = None
        """Of the latest batch."""
        self._is_under_way = False
        self._seen: tuple[object, bool] = (None, False)
        """A graph, and whether the shapes of its results can be foreseen."""

    @property
    def may_plan(self) -> bool:
        """Whether the model's batches may have plans."""
        if not self.makes_plans or getattr(self.model, "run_eagerly", False):
            return False
        graph = self.model.graph_in_mode(self.training)
        if graph is None:
            return False
        if graph is not self._seen[0]:
            self._seen = graph, not any(map(_varies_in_shape, graph.layers))
        return self._seen[1]

    def buffers(self) -> list[Array]:
        """The memory of all plans; some arrays occur more than once."""
        return [buffer for run in self._planned.values() for buffer in run.buffers()]

    def of(self, batch: Batch, x: Sequence[Array]) -> Run:
        """What runs this batch, whose inputs are ``x``."""
        if self._is_under_way:
            self._forget_the_latest()
        if not self.may_plan:
            return self._live(batch)
        present = self._seen[0], moves(), self.workspaces.moves
        if present != self._holds_for or settings() != self._settings:
            self._planned, self._latest, self._holds_for, self._settings = {}, None, present, settings()
        if self._latest is None or self._form is None or batch.form is not self._form:
            held = self.workspaces.holds
            each = [(a.shape, a.dtype, id(a.base) if held(a) else None) for a in x]
            key = (batch.first_row, batch.global_rows, *each)
            run = self._planned.get(key)
            if run is None:
                live = self._live(batch)
                if len(self._planned) >= MOST_PLANS or not self.model.graph_takes(x):
                    return live
                run = self._planned[key] = PlannedRun(live, x)
            self._latest, self._form = (key, run), batch.form
        self._is_under_way = True
        return self._latest[1]

    def _live(self, batch: Batch) -> LiveRun:
        return LiveRun(self.model, self.objective, self.ranks, self._context_of(batch), self.settle)

    def _context_of(self, batch: Batch) -> ForwardContext:
        return cast("Callable[[Batch], ForwardContext]", self._context())(batch)

    def end_step(self) -> None:
        """Say that a step has ended: what layers set in themselves meanwhile leaves the plans as they are."""
        self._settings = settings()
        self._is_under_way = False

    def _forget_the_latest(self) -> None:
        """Of a step that failed there is no plan: it may be half made, and its contexts in the middle of a graph."""
        if self._latest is not None:
            self._planned.pop(self._latest[0], None)
        self._latest, self._is_under_way = None, False


def _varies_in_shape(layer: Layer) -> bool:
    """Whether its results, or those of a layer within, have shapes that a plan cannot foresee."""
    return layer.varies_in_shape or any(_varies_in_shape(inner) for _, inner in layer.inner_layers())
