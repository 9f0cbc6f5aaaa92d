"""What callbacks ask of a model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, Protocol

from distnet.layers import Layer
from distnet.optimizers.base import Optimizer
from distnet.training_state import TrainingState
from distnet.types import Array, ArrayLike, Json
from distnet.variables import Variable, VariableStore


class WatchedModel(Protocol):
    """A model, as callbacks see it."""

    name: str
    optimizer: Optimizer | None
    store: VariableStore | None
    stop_training: bool
    stop_evaluating: bool
    stop_predicting: bool
    training_state: TrainingState

    @property
    def built(self) -> bool: ...

    @property
    def variables(self) -> list[Variable]: ...

    @property
    def weights(self) -> list[Variable]: ...

    def inner_layers(self) -> Iterable[tuple[str, Layer]]: ...

    def direction_of(self, key: str) -> Literal["up", "down"] | None: ...

    def get_config(self) -> dict[str, Json]: ...

    def get_weights(self) -> list[Array]: ...

    def set_weights(self, weights: Sequence[ArrayLike]) -> None: ...

    def save_checkpoint(
        self, filepath: str, weights_only: bool = False, keep: int = 1, retired: Sequence[str] = ()
    ) -> None: ...
