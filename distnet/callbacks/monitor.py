"""Watching one value of the logs: which way is better, and has it become better?"""

from __future__ import annotations

import math
from collections.abc import Mapping

from distnet.errors import ArgumentError

_MODES = ("auto", "min", "max")
_HIGHER_IS_BETTER = (
    *("acc", "auc", "fmeasure", "precision", "recall", "iou", "f1", "f_beta", "fbeta", "r2", "at_"),
    *("true_positives", "true_negatives", "cosine_similarity", "score", "io_u", "correlation"),
)


def direction(monitor: str, mode: str, where: str) -> int:
    """1 if a higher value is better, -1 if a lower one is.

    Args:
        monitor: key of the logs.
        mode: ``"min"``, ``"max"``, or ``"auto"``: the key decides.
        where: the callback's name, for messages.

    Raises:
        ArgumentError: another mode.
    """
    if mode not in _MODES:
        raise ArgumentError(f"{where}: expected mode 'auto', 'min' or 'max', received {mode!r}.")
    if not isinstance(monitor, str):
        raise ArgumentError(f"{where}: monitor: expected a key of the logs, received {monitor!r}.")
    if mode != "auto":
        return 1 if mode == "max" else -1
    key = monitor.lower()
    is_error = key.endswith("loss") or "error" in key
    return 1 if not is_error and any(part in key for part in _HIGHER_IS_BETTER) else -1


def is_better(value: float, best: float | None, sign: int, min_delta: float = 0.0) -> bool:
    """Whether ``value`` beats ``best`` by more than ``min_delta``; a first value does, NaN never does."""
    if math.isnan(value):
        return False
    return best is None or sign * value - abs(min_delta) > sign * best


def missing(where: str, monitor: str, logs: Mapping[str, float]) -> str:
    """The warning that the logs do not hold the value watched."""
    return (
        f"{where}: {monitor!r} is not in the logs and so cannot be monitored. Available: {', '.join(logs) or 'none'}."
    )
