"""What training asks of a model, besides what a step, callbacks and saving do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from distnet.callbacks.watched_model import WatchedModel
from distnet.saving.stored_model import StoredModel
from distnet.training.inputs import FedModel
from distnet.training.run_model import RunModel
from distnet.types import Json


class TrainedModel(RunModel, FedModel, WatchedModel, StoredModel, Protocol):
    """A model that ``fit``, ``evaluate`` and ``predict`` are called on."""

    history: Any
    batch_steps: object
    fit_steps: object
    kept_inference: Any
    batch_checks: object

    @property
    def depends_on_batch(self) -> bool: ...

    @property
    def compile_settings(self) -> Mapping[str, Json] | None: ...

    def training_objective(self, data: Any, is_known: bool = False) -> Any: ...

    def evaluation_objective(self, data: Any) -> Any: ...

    def has_own(self, what: str) -> bool: ...

    def as_given(self, outputs: Sequence[Any]) -> Any: ...

    def wiring(self) -> Json: ...

    def save(self, filepath: str) -> None: ...
