"""What a step asks of a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from distnet.layers import Layer
from distnet.layers.engine.context import BackwardContext, ForwardContext
from distnet.optimizers import Optimizer
from distnet.training_state import TrainingState
from distnet.types import Array
from distnet.variables import LaidOutModel


class RunModel(LaidOutModel, Protocol):
    """A model, as a step sees it."""

    name: str
    optimizer: Optimizer | None
    stop_training: bool
    stop_evaluating: bool
    training_state: TrainingState
    totals: Any

    @property
    def layers(self) -> list[Layer]: ...

    def input_takes_integers(self, number: int) -> bool: ...

    def as_declared(self, number: int, rows: Array) -> Array: ...

    def graph_in_mode(self, training: bool) -> Any: ...

    def graph_takes(self, x: Sequence[Array]) -> bool: ...

    def forward_batch(self, x: Sequence[Array], ctx: ForwardContext) -> tuple[list[Array], Any]: ...

    def backward_batch(self, tape: Any, dy: Sequence[Array | None], ctx: BackwardContext) -> None: ...
