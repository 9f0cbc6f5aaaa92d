"""What training, callbacks and saving ask of a model, and what they keep on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, Protocol

import numpy as np

from distnet.layers.engine.base import Layer
from distnet.layers.engine.context import BackwardContext, ForwardContext
from distnet.optimizers.base import Optimizer
from distnet.training_state import TrainingState as TrainingState
from distnet.types import Array, ArrayLike, Json, Shape
from distnet.variables import Variable, VariableStore


class Network(Protocol):
    """A model, as the rooms below ``models`` see it."""

    name: str
    dtype: str
    optimizer: Optimizer | None
    stop_training: bool
    stop_evaluating: bool
    stop_predicting: bool
    store: VariableStore | None
    history: Any
    batch_steps: object
    totals: Any

    @property
    def training_state(self) -> TrainingState: ...

    @training_state.setter
    def training_state(self, state: TrainingState) -> None: ...

    @property
    def compile_settings(self) -> Mapping[str, Json] | None: ...

    @property
    def layers(self) -> list[Layer]: ...

    def wiring(self) -> Json: ...

    def inner_layers(self) -> Iterable[tuple[str, Layer]]: ...

    def input_takes_integers(self, number: int) -> bool: ...

    def as_declared(self, number: int, rows: Array) -> Array: ...

    @property
    def variables(self) -> list[Variable]: ...

    @property
    def weights(self) -> list[Variable]: ...

    @property
    def built(self) -> bool: ...

    def open_to(self, shapes: Sequence[Shape]) -> None: ...

    def in_order(self, inputs: Any) -> list[Any]: ...

    def targets_in_order(self, targets: Any) -> list[Any]: ...

    def weights_in_order(self, sample_weight: Any) -> list[Any]: ...

    @property
    def output_names(self) -> list[str]: ...

    @property
    def output_keys(self) -> list[str]: ...

    @property
    def input_shapes(self) -> list[Shape]: ...

    @property
    def output_shapes(self) -> list[Shape]: ...

    def objective(self, data: Any) -> Any: ...

    def as_given(self, outputs: Sequence[Any]) -> Any: ...

    def direction_of(self, key: str) -> Literal["up", "down"] | None: ...

    def compile_from_config(self, config: Mapping[str, Any]) -> None: ...

    def build(self, input_shape: Shape) -> None: ...

    def forward_batch(self, x: Sequence[Array], ctx: ForwardContext) -> tuple[list[Array], Any]: ...

    def backward_batch(self, tape: Any, dy: Sequence[Array | None], ctx: BackwardContext) -> None: ...

    def get_weights(self) -> list[Array]: ...

    def set_weights(self, weights: Sequence[ArrayLike]) -> None: ...

    def save(self, filepath: str) -> None: ...

    def save_weights(self, filepath: str) -> None: ...

    def save_checkpoint(
        self, filepath: str, weights_only: bool = False, keep: int = 1, retired: Sequence[str] = ()
    ) -> None: ...

    def get_config(self) -> dict[str, Json]: ...


def lay_out(model: Network) -> VariableStore:
    """Put the model's variables into flat buffers, those of frozen layers behind the trained ones."""
    # A layer that is the activation of two others may be trained by one of them alone.
    trained = {id(variable) for layer in model.layers for variable in layer.trainable_weights}
    for layer in model.layers:
        for variable in layer.variables:
            variable.frozen = variable.trainable and id(variable) not in trained
    model.store = VariableStore(model.variables, np.dtype(model.dtype))
    return model.store
