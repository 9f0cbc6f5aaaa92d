"""Shapes and dtypes of a function's results, found by computing with a few arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from distnet.errors import DistnetError
from distnet.types import Array, Shape

_ROWS = 3
_UNKNOWN, _OTHER_UNKNOWN = 4, 6
_REFUSALS = (DistnetError, ArithmeticError, IndexError, TypeError, ValueError)
"""What a function may raise of arrays that it does not take; anything else is a bug in it, and said."""


class Specimens:
    """What a function makes of specimens: arrays of the shapes of tensors.

    Args:
        value: the function.
        shapes: of the tensors; unknown extents are None.
        dtypes: of the tensors.
        have_rows: for each tensor whether its first axis is the batch.
        extents: of the constants.
    """

    shapes: list[Shape]
    """Of the results; extents that depend on unknown ones are unknown."""
    dtypes: list[str]
    """Of the results."""
    have_rows: list[bool]
    """For each result whether its first axis is the batch."""
    mixes_rows: bool
    """Whether a row of the results may depend on other rows of the tensors."""

    def __init__(
        self, value: Callable[[Sequence[Array]], list[Array]], shapes: Sequence[Shape], dtypes: Sequence[str],
        have_rows: Sequence[bool], extents: Sequence[int],
    ) -> None:  # fmt: skip
        self._value, self._given, self._dtypes = value, [tuple(shape) for shape in shapes], dtypes
        self._have_rows = have_rows
        batch = {shape[0] for shape, has in zip(self._given, have_rows, strict=True) if has}
        self._batch = next((n for n in batch if n is not None), None)
        known = {n for shape in self._given for n in shape if n is not None}
        self._extents = sorted({*known, *extents, 1}, reverse=True)

    def run(self) -> None:
        """Compute with the arrays, and set the attributes.

        Raises:
            Exception: what the function raises of these arrays.
        """
        rows, unknown, results = self._first()
        self.dtypes = [result.dtype.name for result in results]
        others = [self._if_possible(rows, _OTHER_UNKNOWN if unknown == _UNKNOWN else unknown, seed=1)]
        by_rows = {n: self._of_rows(n, rows, unknown) for n in (rows - 1, rows + 1, rows + 4) if n >= 0}
        alike = {n: made for n, made in by_rows.items() if made is not None and len(made) == len(results)}
        self.have_rows = [
            any(self._have_rows) and _has(result, rows) and all(_has(made[i], n) for n, made in alike.items())
            for i, result in enumerate(results)
        ]
        if self._batch is None:
            others += alike.values()
        self.shapes = []
        for i, result in enumerate(results):
            compared = [made[i].shape for made in others if made is not None and len(made) == len(results)]
            shape = [
                n if all(len(s) == result.ndim and s[axis] == n for s in compared) else None
                for axis, n in enumerate(result.shape)
            ]
            self.shapes.append((self._batch, *shape[1:]) if self.have_rows[i] else tuple(shape))
        self.mixes_rows = not all(self.have_rows) or not self._is_apart(rows, unknown, results)

    def _first(self) -> tuple[int, int, list[Array]]:
        """The numbers of rows, and the unknown extents, of the first arrays that the function takes."""
        declared = self._batch or _ROWS
        tried = [(declared, _UNKNOWN), *((declared, n) for n in self._extents)]
        tried += [(n, m) for n in self._extents for m in (_UNKNOWN, n)]
        first: Exception | None = None
        for rows, unknown in tried:
            try:
                return rows, unknown, self._made(rows, unknown)
            except _REFUSALS as error:
                first = first or error
        raise first or ValueError

    def _of_rows(self, count: int, rows: int, unknown: int) -> list[Array] | None:
        """The results for another number of rows; unknown extents that had to be the rows are so again."""
        made = self._if_possible(count, unknown)
        return self._if_possible(count, count) if made is None and unknown == rows else made

    def _if_possible(self, rows: int, unknown: int, seed: int = 0) -> list[Array] | None:
        try:
            return self._made(rows, unknown, seed)
        except _REFUSALS:
            return None

    def _made(self, rows: int, unknown: int, seed: int = 0) -> list[Array]:
        """The results for random arrays, for positive definite matrices, or for zeros in the place of integers."""
        arrays = self._arrays(rows, unknown, seed)
        first: Exception | None = None
        for changed in (lambda a: a, _definite, _harmless):
            try:
                with np.errstate(all="ignore"):
                    return self._value([changed(a) for a in arrays])
            except _REFUSALS as error:
                first = first or error
        raise first or ValueError

    def _arrays(self, rows: int, unknown: int, seed: int = 0) -> list[Array]:
        rng = np.random.default_rng(seed)
        extents = [
            tuple(rows if has and i == 0 else unknown if n is None else n for i, n in enumerate(shape))
            for shape, has in zip(self._given, self._have_rows, strict=True)
        ]
        made = [rng.uniform(0.1, 0.9, shape) for shape in extents]
        kinds = [np.dtype(dtype).kind for dtype in self._dtypes]
        return [
            (a.round() if kind in "biu" else a).astype(dtype)
            for a, kind, dtype in zip(made, kinds, self._dtypes, strict=True)
        ]

    def _is_apart(self, rows: int, unknown: int, whole: list[Array]) -> bool:
        """Whether each row of the results depends only on the same row of the tensors."""
        arrays = self._arrays(rows, unknown)
        try:
            with np.errstate(all="ignore"):
                parts = [
                    self._value([a[i:j] if has else a for a, has in zip(arrays, self._have_rows, strict=True)])
                    for i, j in ((0, 1), (1, rows))
                ]
            joined = [np.concatenate(pair) for pair in zip(*parts, strict=True)]
            return all(
                a.shape == b.shape and np.allclose(a, b, equal_nan=True) for a, b in zip(joined, whole, strict=True)
            )
        except _REFUSALS:
            return False


def _has(array: Array, rows: int) -> bool:
    return array.ndim > 0 and len(array) == rows


def _harmless(array: Array) -> Array:
    """Zeros in the place of integers, which may be indices."""
    return np.zeros_like(array) if array.dtype.kind in "iu" else array


def _definite(array: Array) -> Array:
    """An array of symmetric positive definite matrices, where the last two axes can be these."""
    if array.ndim < 2 or array.shape[-1] != array.shape[-2]:
        return array
    turned = np.swapaxes(array, -1, -2)
    return np.asarray((array + turned) / 2 + array.shape[-1] * np.eye(array.shape[-1]), array.dtype)
