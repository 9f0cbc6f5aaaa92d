"""What a block of rows has for itself of a model that several blocks of one process share."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from distnet.metrics import Metric
from distnet.training.objective import Objective, Running
from distnet.types import Array
from distnet.variables import Span, Variable


class BlockState:
    """Gradients, what layers change in forward, and running sums of one block, while its code runs.

    All blocks change moving statistics alike, each its own copy: as ranks do. The first block has the model's.

    Args:
        variables: of the model.
        is_first: whether it is this process's first block.
        message: where the block's gradients are; None where nothing is trained.
        spans: where the trained variables lie in the message.
    """

    def __init__(
        self, variables: Sequence[Variable], is_first: bool, message: Array | None = None, spans: Sequence[Span] = ()
    ) -> None:
        self.is_first = is_first
        self._gradients: list[tuple[Variable, Array]] = []
        if message is not None:
            self._gradients = [(s.variable, message[s.start : s.stop].reshape(s.variable.shape)) for s in spans]
        self._followed = [variable for variable in variables if variable.trainable]
        self._changing = [variable for variable in variables if not variable.trainable]
        self._values = [variable.value if is_first else variable.value.copy() for variable in self._changing]
        self._nodes: list[Any] = [None] * (len(self._followed) + len(self._changing))
        self.kept: Sequence[Metric] = ()
        """Metrics that layers have."""
        self._kept_states: list[Array | None] = []

    def begin(self, kept: Sequence[Metric]) -> None:
        """Start a pass from the model as it is now.

        Args:
            kept: the metrics that layers have.
        """
        self.kept, self._kept_states = kept, [metric.state for metric in kept]
        for i, variable in enumerate(self._changing):
            if self.is_first:
                self._values[i] = variable.value
            elif self._values[i].shape == variable.shape:
                self._values[i][...] = variable.value
            else:
                self._values[i] = variable.value.copy()
        self._nodes = [None] * len(self._nodes)

    def enter(self) -> None:
        """Put this block's in place."""
        for variable, gradient in self._gradients:
            variable.grad = gradient
        for variable, value in zip(self._changing, self._values, strict=True):
            variable.value = value
        for variable, node in zip((*self._followed, *self._changing), self._nodes, strict=True):
            variable.node = node
        for metric, state in zip(self.kept, self._kept_states, strict=True):
            metric.state = state

    def leave(self) -> None:
        """Remember what code has set meanwhile."""
        self._nodes = [variable.node for variable in (*self._followed, *self._changing)]
        if self.kept:
            self._kept_states = [metric.state for metric in self.kept]


class BlockObjectives:
    """An objective for each of some blocks: with metrics and running sums of its own.

    Args:
        of: whose they are.
        blocks: how many.
    """

    def __init__(self, of: Objective, blocks: int) -> None:
        self.of = of
        self.own = [
            replace(
                of,
                metrics=tuple([replace(m, metric=copy.deepcopy(m.metric)) for m in of.metrics]),
                running=Running(),
            )
            for _ in range(blocks)
        ]

    def begin(self) -> None:
        """Let the blocks go on from the running sums of all."""
        totals = self.of.running.totals
        if totals is None:
            return
        for own in self.own:
            going_on = copy.copy(totals)
            going_on.sums = totals.sums.copy()
            own.running.totals = going_on

    def end(self) -> None:
        """Take what the first block, like all others, made of metrics that see all rows."""
        totals, changed = self.of.running.totals, self.own[0].running.totals
        if totals is not None and changed is not None:
            for m in self.of.metrics:
                if m.metric.sees_all_rows:
                    totals.sums[m.part] = changed.sums[m.part]
