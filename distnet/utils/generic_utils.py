"""Keras 2's path for ``Progbar`` and custom objects."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from distnet import comm
from distnet.callbacks.progbar_logger import ProgressLine
from distnet.registry import CustomObjectScope as CustomObjectScope
from distnet.registry import custom_object_scope as custom_object_scope
from distnet.registry import get_custom_objects as get_custom_objects


class Progbar:
    """A progress line for your own loops; rank 0 shows it.

    Args:
        target: number of steps; None if it is not known.
        verbose: 0 silent, 1 a bar, 2 one line at the end.
        stateful_metrics: names of values that are shown as they are, not averaged over the steps.
        width, interval, unit_name: ignored: the line looks like that of ``fit``.

    Source: ``keras.utils.Progbar``.
    """

    def __init__(
        self,
        target: int | None,
        width: int = 30,
        verbose: int = 1,
        interval: float = 0.05,
        stateful_metrics: Iterable[str] | None = None,
        unit_name: str = "step",
    ) -> None:
        self.target = target
        self.stateful_metrics = frozenset(stateful_metrics or ())
        self._line = ProgressLine(target, verbose if comm.world().rank == 0 else 0)
        self._sums: dict[str, tuple[float, float]] = {}
        self._steps = 0

    def update(
        self, current: int, values: Sequence[tuple[str, float]] | None = None, finalize: bool | None = None
    ) -> None:
        """Show that ``current`` steps are done.

        Args:
            current: number of steps done.
            values: of the steps since the last update, by name.
            finalize: whether this is the end; by default at ``target``.
        """
        new = max(current - self._steps, 1)
        self._steps = current
        for name, value in values or ():
            total, count = (0.0, 0.0) if name in self.stateful_metrics else self._sums.get(name, (0.0, 0.0))
            self._sums[name] = (total + value * new, count + new)
        logs = {name: total / count for name, (total, count) in self._sums.items()}
        self._line.update(current, logs)
        if finalize or (finalize is None and current == self.target):
            self._line.finish(logs)

    def add(self, n: int, values: Sequence[tuple[str, float]] | None = None) -> None:
        """Show that ``n`` more steps are done."""
        self.update(self._steps + n, values)


def slice_arrays(arrays: Any, start: Any = None, stop: int | None = None) -> Any:
    """The rows ``start:stop`` of an array or of each of several; ``start`` may also list rows.

    >>> slice_arrays([[1, 2, 3], None], 1)
    [[2, 3], None]

    Source: ``keras.utils.generic_utils.slice_arrays`` of Keras 2, ``slice_X`` of Keras 1.
    """
    if isinstance(arrays, list):
        return [None if array is None else _rows(array, start, stop) for array in arrays]
    return None if arrays is None else _rows(arrays, start, stop)


def _rows(array: Any, start: Any, stop: int | None) -> Any:
    return np.asarray(array)[np.asarray(start)] if hasattr(start, "__len__") else array[start:stop]
