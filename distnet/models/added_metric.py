"""A tensor of a functional model that is measured, as Keras 2 has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from distnet.layers import Layer
from distnet.layers.engine.added_metrics import take_means
from distnet.layers.engine.context import BackwardContext, ForwardContext
from distnet.metrics import Mean
from distnet.ops.tensor import Tensor
from distnet.types import Array

take_means(Mean)


@dataclass(eq=False)
class AddedMetric(Layer):
    """Updates a metric with its input, and hands it on.

    Args:
        metric: a mean over the batches.

    Source: ``AddMetric`` of ``tensorflow.keras``.
    """

    takes_views: ClassVar[bool] = True

    metric: Mean

    def forward(self, x: Array, ctx: ForwardContext) -> tuple[Array, None]:
        rows = ctx.rows(len(x)) if self.calls[-1].inputs[0].has_rows else None
        self.metric.update_state(Tensor(x, rows=rows))
        return x, None

    def backward(self, dy: Array | None, saved: None, ctx: BackwardContext) -> None:
        """Nothing flows back."""
