"""A learning rate for each epoch."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from distnet.callbacks.base import Callback, Logs
from distnet.callbacks.console import say
from distnet.callbacks.watched_model import WatchedModel
from distnet.errors import ArgumentError, NotCompiledError
from distnet.optimizers.base import Optimizer
from distnet.results import ResultArray


@dataclass(eq=False)
class LearningRateScheduler(Callback):
    """Sets the learning rate before every epoch; it enters the logs as ``learning_rate``.

    Args:
        schedule: maps the epoch, counted from 0, and the current learning rate to the new one; or, as in Keras 2,
            the epoch alone.
        verbose: 1 prints the learning rate.

    Raises:
        ArgumentError: ``schedule`` did not return a finite number of at least 0.

    Source: ``keras.callbacks.LearningRateScheduler``.
    """

    schedule: Callable[..., Any]
    verbose: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not callable(self.schedule):
            raise ArgumentError(f"LearningRateScheduler: expected a function, received {self.schedule!r}.")

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Set the epoch's learning rate."""
        optimizer = optimizer_of(self.model, "LearningRateScheduler")
        rate = self._rate(epoch, float(optimizer.learning_rate))
        optimizer.learning_rate = rate
        if self.verbose > 0:
            say(f"\nEpoch {epoch + 1}: LearningRateScheduler setting learning rate to {rate}.")

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Add the learning rate to the logs."""
        if logs is not None:
            logs["learning_rate"] = float(optimizer_of(self.model, "LearningRateScheduler").learning_rate)

    def _rate(self, epoch: int, present: float) -> float:
        rate = self.schedule(epoch, present) if _takes_two(self.schedule) else self.schedule(epoch)
        rate = rate.item() if isinstance(rate, ResultArray) and not rate.ndim else rate
        is_number = isinstance(rate, float | int | np.floating) and not isinstance(rate, bool)
        if not is_number or not math.isfinite(rate) or rate < 0:
            raise ArgumentError(
                f"LearningRateScheduler: schedule must return the learning rate, a number of at least 0; at epoch "
                f"{epoch} it returned {rate!r}."
            )
        return float(rate)


def optimizer_of(model: WatchedModel, where: str) -> Optimizer:
    """The model's optimizer.

    Raises:
        NotCompiledError: the model is not compiled.
    """
    if model.optimizer is None:
        raise NotCompiledError(f"{where}: {model.name} has no optimizer, so no learning rate. Call compile() first.")
    return model.optimizer


def _takes_two(schedule: Callable[..., Any]) -> bool:
    try:
        inspect.signature(schedule).bind(0, 0.0)
    except TypeError:
        return False
    except ValueError:  # a builtin without a signature
        return True
    return True
