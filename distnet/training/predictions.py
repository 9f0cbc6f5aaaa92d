"""The outputs of one batch after the other, in one array of all rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from distnet.errors import ShapeError
from distnet.types import Array


class Predictions:
    """Takes the outputs of batches, in order.

    Where the number of rows is known, each batch is written where it belongs.

    Args:
        rows: of all batches; None if that is unknown.
    """

    def __init__(self, rows: int | None) -> None:
        self._rows = rows
        self._outputs: list[_Output] = []

    def __len__(self) -> int:
        """Number of outputs; 0 before the first batch."""
        return len(self._outputs)

    def take(self, made: Sequence[Array], rows: int) -> list[Array]:
        """Copy the outputs of a batch of so many rows; the copies."""
        self._outputs = self._outputs or [_Output(self._rows) for _ in made]
        return [output.take(part, rows) for output, part in zip(self._outputs, made, strict=True)]

    def arrays(self) -> list[Array]:
        """Each output for all rows.

        Raises:
            ShapeError: batches of different lengths, whose outputs keep them.
        """
        return [output.array() for output in self._outputs]


class _Output:
    """One output: an array for all rows, or the parts where batches differ or have other rows than their inputs."""

    def __init__(self, rows: int | None) -> None:
        self._rows, self._written = rows, 0
        self._whole: Array | None = None
        self._parts: list[Array] = []

    def take(self, part: Array, rows: int) -> Array:
        if self._whole is None and self._rows is not None and not self._parts:
            self._whole = np.empty((self._rows, *part.shape[1:]), part.dtype)
        whole, end = self._whole, self._written + rows
        is_alike = whole is not None and whole.shape[1:] == part.shape[1:] and whole.dtype == part.dtype
        if whole is None or not is_alike or self._parts or len(part) != rows or end > len(whole):
            self._parts.append(part.copy())
            return self._parts[-1]
        place = whole[self._written : end]
        place[...] = part
        self._written = end
        return place

    def array(self) -> Array:
        if self._whole is not None and not self._parts:
            return self._whole[: self._written]
        return _joined([*([] if self._whole is None else [self._whole[: self._written]]), *self._parts])


def _joined(parts: Sequence[Array]) -> Array:
    shapes = sorted({part.shape[1:] for part in parts})
    if len(shapes) > 1:
        raise ShapeError(
            f"predict: the batches have outputs of different shapes, {shapes}, which are no one array. Pad them to one "
            "length, or call predict_on_batch for each."
        )
    return np.concatenate(parts)
