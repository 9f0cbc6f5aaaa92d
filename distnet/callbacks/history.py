"""The record of a training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from distnet.callbacks.base import Callback
from distnet.callbacks.watched_model import WatchedModel
from distnet.logs import NamedLogs


class History(Callback):
    """What ``fit`` returns: the logs of every epoch.

    Attributes:
        epoch: numbers of the completed epochs, from 0.
        history: key of the logs -> its values, one for each epoch; a value may be a list, one number a class.
        params: ``{"verbose", "epochs", "steps"}``.

    Source: ``keras.callbacks.History``.
    """

    def __init__(self) -> None:
        self.epoch: list[int] = []
        self.history: dict[str, list[float | list[float]]] = {}
        self.params: Mapping[str, Any] = {}

    def set_model(self, model: WatchedModel) -> None:
        """Keep the model's own record, which a checkpoint restores, as this history."""
        super().set_model(model)
        self.epoch = model.training_state.epochs
        if not isinstance(model.training_state.history, NamedLogs):  # read from a file, or pickled
            model.training_state.history = NamedLogs(model.training_state.history)
        self.history = model.training_state.history
