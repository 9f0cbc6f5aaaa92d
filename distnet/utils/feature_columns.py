"""Columns of structured data, from dicts, data frames, datasets and generators of dicts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from distnet.errors import ArgumentError
from distnet.types import Array

_ROWS = 32
"""How many rows layers adapt to at a time, as in Keras: quantiles depend on it."""


def as_column(values: Any) -> Array:
    """A column as an array (N, 1)."""
    if hasattr(values, "to_numpy"):
        values = values.to_numpy()
    if isinstance(values, list | tuple | str | bytes):
        first = values if isinstance(values, str | bytes) or not values else values[0]
        values = np.asarray(values, object if isinstance(first, str | bytes) else None)
    array = np.asarray(values)
    return array.reshape(-1, 1) if array.ndim < 2 else array


class FeatureColumns:
    """The columns of a table that may come in batches or row by row.

    Args:
        where: for messages.
        source: a dict of columns, a data frame; or a dataset, ``PyDataset``, list or generator whose elements are
            dicts, or tuples that begin with one.

    Raises:
        ArgumentError: it is none of these.
    """

    def __init__(self, where: str, source: Any) -> None:
        self.where = where
        if hasattr(source, "columns"):
            source = {name: source[name] for name in source.columns}
        self._elements: Callable[[], Iterable[Any]]
        if isinstance(source, Mapping):
            self._elements = lambda: _parts(source)
        elif hasattr(source, "__iter__") and not isinstance(source, str | bytes) and not hasattr(source, "dtype"):
            kept = list(source) if iter(source) is source else source
            self._elements = lambda: kept
        elif hasattr(source, "__getitem__") and hasattr(source, "__len__") and not hasattr(source, "dtype"):
            self._elements = lambda: (source[number] for number in range(len(source)))
        else:
            raise ArgumentError(
                f"{where}: adapt: expected a dict of columns, a data frame, or a dataset of dicts, received "
                f"{source!r:.100}."
            )

    def batches(self, name: str) -> Iterator[Array]:
        """A column in arrays of shape (N, 1).

        Raises:
            ArgumentError: an element lacks the column, or is no dict.
        """
        waiting: list[Any] = []
        for element in self._elements():
            values = self._value(element, name)
            if np.ndim(values):
                yield as_column(values)
                continue
            waiting.append(np.asarray(values)[()])
            if len(waiting) == _ROWS:
                yield as_column(waiting)
                waiting = []
        if waiting:
            yield as_column(waiting)

    def _value(self, element: Any, name: str) -> Any:
        columns = element[0] if isinstance(element, tuple) and element else element
        if not isinstance(columns, Mapping):
            raise ArgumentError(
                f"{self.where}: adapt: expected dicts with a column {name!r}, received {columns!r:.100}. Take these "
                "out of the elements first, for example by dataset.map(lambda x, y: x)."
            )
        if name not in columns:
            raise ArgumentError(f"{self.where}: adapt: expected a column {name!r}, received {list(columns)}.")
        return columns[name]


def _parts(columns: Mapping[str, Any]) -> Iterator[dict[str, Array]]:
    """A table in batches of rows."""
    arrays = {name: as_column(values) for name, values in columns.items()}
    rows = max((len(array) for array in arrays.values()), default=0)
    for start in range(0, max(rows, 1), _ROWS):
        yield {name: array[start : start + _ROWS] for name, array in arrays.items()}
