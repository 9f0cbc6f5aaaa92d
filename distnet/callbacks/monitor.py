"""Watching one value of the logs: which way is better, and has it become better?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np

from distnet.callbacks.base import Callback, Logs
from distnet.errors import ArgumentError

_MODES = ("auto", "min", "max")
_SIGNS = {"min": -1, "down": -1, "max": 1, "up": 1}


class Monitoring(Callback):
    """Acts on whether one value of the logs has become better."""

    monitor: str
    mode: str

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.mode not in _MODES:
            raise ArgumentError(f"{self._where}: expected mode 'auto', 'min' or 'max', received {self.mode!r}.")
        if not isinstance(self.monitor, str):
            raise ArgumentError(f"{self._where}: monitor: expected a key of the logs, received {self.monitor!r}.")

    def set_model(self, model: Any) -> None:
        """Receive the model, whose metrics tell which way is better."""
        super().set_model(model)
        vars(self).pop("sign", None)

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget the last training.

        Raises:
            ArgumentError: it is not known whether higher or lower values are better.
        """
        self.forget()
        _ = self.sign

    @cached_property
    def sign(self) -> int:
        """1 if higher values are better, -1 if lower ones are: as ``mode`` or the metric says.

        Raises:
            ArgumentError: the mode is "auto", and no metric tells.

        Source: ``keras.src.callbacks.monitor_callback.MonitorCallback``.
        """
        if self.mode != "auto":
            return _SIGNS[self.mode]
        key = self.monitor.removeprefix("val_")
        direction = "down" if key == "loss" else self.model.direction_of(key)
        if direction is None:
            raise ArgumentError(
                f"{self._where}: it is not known whether higher or lower values of monitor={self.monitor!r} are "
                "better: it is neither a loss nor a metric that tells. Pass mode='max' if higher values are better, or "
                "mode='min' if lower ones are."
            )
        return _SIGNS[direction]

    def value(self, logs: Mapping[str, Any]) -> float | None:
        """The watched value; None if the logs do not hold it.

        Raises:
            ArgumentError: the value is several numbers, one for each class.
        """
        value: float | list[float] | None = number(logs.get(self.monitor))
        if isinstance(value, list):
            raise ArgumentError(
                f"{self._where}: expected one number for {self.monitor!r}, received {len(value)}, one a class. Give "
                "the metric average='macro', or monitor another one."
            )
        return value

    @property
    def _where(self) -> str:
        return type(self).__name__


def number(value: Any) -> Any:
    """The number in a list or array of one entry; anything else as it is, arrays as lists."""
    listed = value.tolist() if isinstance(value, np.ndarray) else value
    return listed[0] if isinstance(listed, list) and len(listed) == 1 else listed


def is_better(value: float, best: float | None, sign: int, min_delta: float = 0.0) -> bool:
    """Whether ``value`` beats ``best`` by more than ``min_delta``; the first value does, NaN never does."""
    if math.isnan(value):
        return False
    return best is None or sign * value - abs(min_delta) > sign * best


def missing(where: str, monitor: str, logs: Logs) -> str:
    """The warning that the logs do not hold the watched value."""
    return (
        f"{where}: {monitor!r} is not in the logs and so cannot be monitored. Available: {', '.join(logs) or 'none'}."
    )
