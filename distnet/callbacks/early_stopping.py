"""Stopping when a value no longer improves."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from distnet.arguments import whole_number
from distnet.callbacks import monitor as watching
from distnet.callbacks.base import STATE, Logs
from distnet.callbacks.console import say
from distnet.errors import ArgumentError, CheckpointError, ShapeError
from distnet.types import Array


@dataclass(eq=False)
class EarlyStopping(watching.Monitoring):
    """Stops training after ``patience`` epochs in which ``monitor`` has not improved.

    Args:
        monitor: key of the logs.
        min_delta: an improvement must be larger.
        patience: epochs without improvement to wait for.
        verbose: 1 prints when it stops.
        mode: ``"min"``, ``"max"``, or ``"auto"``: as the metric says.
        baseline: an improvement must also be better than this.
        restore_best_weights: give the model the weights of its best epoch at the end of training.
        start_from_epoch: number of epochs to wait before watching begins.

    Source: ``keras.callbacks.EarlyStopping``.
    """

    monitor: str = "val_loss"
    min_delta: float = 0.0
    patience: int = whole_number(0, 0)
    verbose: int = 0
    mode: str = "auto"
    baseline: float | None = None
    restore_best_weights: bool = False
    start_from_epoch: int = whole_number(0, 0)
    wait: int = field(default=0, init=False, repr=False, metadata=STATE)
    stopped_epoch: int = field(default=0, init=False, repr=False, metadata=STATE)
    best_epoch: int = field(default=0, init=False, repr=False, metadata=STATE)
    best: float | None = field(default=None, init=False, repr=False, metadata=STATE)
    best_weights: list[Array] | None = field(default=None, init=False, repr=False, metadata=STATE)

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Continue as the training that saved this state.

        Raises:
            CheckpointError: it is another callback's state, or the best weights are another model's.
        """
        super().set_state(state)
        try:
            for variable, weights in zip(self.model.weights, self.best_weights or (), strict=bool(self.best_weights)):
                variable.fitting(weights)
        except (ArgumentError, ShapeError, ValueError) as error:
            raise CheckpointError(f"EarlyStopping: the best weights are not this model's: {error}") from error

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Compare, wait, stop."""
        value = self.value(logs or {})
        if value is None:
            warnings.warn(watching.missing("EarlyStopping", self.monitor, logs or {}), stacklevel=2)
        else:
            self._compare(epoch, value)

    def _compare(self, epoch: int, value: float) -> None:
        if epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self.best_weights = self.model.get_weights()
            self.best_epoch = epoch
        self.wait += 1
        if watching.is_better(value, self.best, self.sign, self.min_delta):
            self._improved(epoch, value)
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Report that training was stopped; restore the best weights if asked to."""
        if self.stopped_epoch > 0 and self.verbose > 0:
            say(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose > 0:
                say(f"Restoring model weights from the end of the best epoch: {self.best_epoch + 1}.")
            self.model.set_weights(self.best_weights)

    def _improved(self, epoch: int, value: float) -> None:
        self.best, self.best_epoch = value, epoch
        if self.restore_best_weights:
            self.best_weights = self.model.get_weights()
        if watching.is_better(value, self.baseline, self.sign, self.min_delta):
            self.wait = 0
