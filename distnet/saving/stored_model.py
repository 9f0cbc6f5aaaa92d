"""What saving asks of a model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from distnet.layers import Layer
from distnet.optimizers import Optimizer
from distnet.training_state import TrainingState
from distnet.types import Json
from distnet.variables import Variable, VariableStore, laid_out, lay_out


class HoldsLayers(Protocol):
    """A model, or a layer with others within."""

    name: str

    @property
    def built(self) -> bool: ...

    @property
    def own_variables(self) -> list[Variable]: ...

    def inner_layers(self) -> Iterable[tuple[str, Layer]]: ...


class StoredModel(HoldsLayers, Protocol):
    """A model whose weights and state of training are written or read."""

    dtype: str
    optimizer: Optimizer | None
    store: VariableStore | None
    training_state: TrainingState

    @property
    def layers(self) -> list[Layer]: ...

    @property
    def weights(self) -> list[Variable]: ...

    @property
    def variables(self) -> list[Variable]: ...

    @property
    def trainable_weights(self) -> list[Variable]: ...


class WholeModel(StoredModel, Protocol):
    """A model that is written with its architecture and with what ``compile`` was told."""

    @property
    def compile_settings(self) -> Mapping[str, Json] | None: ...

    @property
    def output_keys(self) -> list[str]: ...


def store_to_fill(model: StoredModel) -> VariableStore | None:
    """The model's weights in one array, for which an optimizer's state is read; None before they exist.

    A subclassed model that was built by a call has weights that are not laid out yet, and one that was compiled since
    layers were frozen has them laid out for another optimizer.
    """
    if not model.built:
        return model.store
    store, optimizer = laid_out(model), model.optimizer
    if optimizer is not None and not optimizer.built:
        trained = {id(variable) for variable in model.trainable_weights}
        if trained != {id(span.variable) for span in store.spans}:
            return lay_out(model)
    return store
