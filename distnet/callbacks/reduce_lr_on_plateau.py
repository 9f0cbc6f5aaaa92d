"""A smaller learning rate when a value no longer improves."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field

from distnet.arguments import whole_number
from distnet.callbacks import monitor as watching
from distnet.callbacks.base import STATE, Logs
from distnet.callbacks.console import say
from distnet.callbacks.learning_rate_scheduler import optimizer_of
from distnet.errors import ArgumentError


@dataclass(eq=False)
class ReduceLROnPlateau(watching.Monitoring):
    """Sets ``lr = max(lr * factor, min_lr)`` after ``patience`` epochs in which ``monitor`` has not improved.

    The epoch's learning rate enters the logs, and so the history, as ``learning_rate``.

    Args:
        monitor: key of the logs.
        factor: what the learning rate is multiplied by, below 1.
        patience: epochs without improvement to wait for.
        verbose: 1 prints the new learning rate.
        mode: ``"min"``, ``"max"``, or ``"auto"``: as the metric says.
        min_delta: an improvement must be larger.
        cooldown: epochs after a reduction in which patience is not counted.
        min_lr: smallest learning rate.

    Raises:
        ArgumentError: ``factor`` is 1 or more, or the mode is unknown.

    Source: ``keras.callbacks.ReduceLROnPlateau``.
    """

    monitor: str = "val_loss"
    factor: float = 0.1
    patience: int = whole_number(10, 0)
    verbose: int = 0
    mode: str = "auto"
    min_delta: float = 1e-4
    cooldown: int = whole_number(0, 0)
    min_lr: float = 0.0
    best: float | None = field(default=None, init=False, repr=False, metadata=STATE)
    wait: int = field(default=0, init=False, repr=False, metadata=STATE)
    cooldown_counter: int = field(default=0, init=False, repr=False, metadata=STATE)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.factor >= 1:
            raise ArgumentError(f"ReduceLROnPlateau: expected a factor below 1, received {self.factor!r}.")

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Compare, wait, reduce."""
        logs = {} if logs is None else logs
        logs["learning_rate"] = float(optimizer_of(self.model, "ReduceLROnPlateau").learning_rate)
        value = self.value(logs)
        if value is None:
            warnings.warn(watching.missing("ReduceLROnPlateau", self.monitor, logs), stacklevel=2)
            return
        if self._has_waited(value):
            self._reduce(epoch)

    def in_cooldown(self) -> bool:
        """Whether the last reduction is so recent that patience is not counted."""
        return self.cooldown_counter > 0

    def _has_waited(self, value: float) -> bool:
        """Count this epoch; return whether it was the last to wait for."""
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if watching.is_better(value, self.best, self.sign, self.min_delta):
            self.best, self.wait = value, 0
            return False
        if self.in_cooldown():
            return False
        self.wait += 1
        return self.wait >= self.patience

    def _reduce(self, epoch: int) -> None:
        optimizer = optimizer_of(self.model, "ReduceLROnPlateau")
        before = float(optimizer.learning_rate)
        if before <= self.min_lr:
            return
        after = max(before * self.factor, self.min_lr)
        optimizer.learning_rate = after
        self.cooldown_counter, self.wait = self.cooldown, 0
        if self.verbose > 0:
            say(f"\nEpoch {epoch + 1}: ReduceLROnPlateau reducing learning rate to {after}.")
