"""What a program passes as data -> arrays with a batch axis."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from distnet.errors import DataError, ShapeError
from distnet.layers.preprocessing.byte_strings import as_strings
from distnet.types import Array


def as_arrays(data: Any, what: str, takes_strings: bool = False) -> tuple[Array, ...]:
    """The arrays that a caller passed as ``what``: one, or a list or tuple of arrays.

    Args:
        takes_strings: whether they may hold strings, which become objects.

    Raises:
        DataError: the data are not numbers, or have no rows.
        ShapeError: an array has no batch axis, or the arrays differ in length.
    """
    several = isinstance(data, list | tuple) and bool(data) and all(hasattr(a, "shape") and a.ndim for a in data)
    given = data if several else (data,)
    arrays = tuple(strings_in(a, what) if takes_strings and holds_strings(a) else _as_array(a, what) for a in given)
    lengths = {len(a) for a in arrays}
    if len(lengths) > 1:
        raise ShapeError(f"{what}: expected arrays of equally many rows, received {[len(a) for a in arrays]}.")
    if lengths == {0}:
        raise DataError(f"{what}: expected at least one row, received an array of shape {arrays[0].shape}.")
    return arrays


def check_equal_rows(groups: Sequence[tuple[str, Sequence[Array | None]]]) -> None:
    """Fail unless all arrays have equally many rows.

    Raises:
        ShapeError: the message names the arrays and their lengths.
    """
    lengths = {what: len(a) for what, arrays in groups for a in arrays if a is not None}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{what} has {n}" for what, n in lengths.items())
        raise ShapeError(f"expected equally many rows everywhere, but {told}.")


def holds_strings(data: Any) -> bool:
    """Whether these are strings: an array or nested lists of them, by the first entry."""
    while isinstance(data, list | tuple) and data:
        data = data[0]
    kind = getattr(getattr(data, "dtype", None), "kind", "")
    if kind == "O" and data.size:
        data = data.reshape(-1)[0]
    return isinstance(data, str | bytes) or kind in ("U", "S", "T")


def strings_in(data: Any, what: str) -> Array:
    """Strings as an array of objects, with a batch axis.

    Raises:
        DataError: something is no string.
        ShapeError: there is no axis.
    """
    array = as_strings(what, data)
    if array.ndim == 0:
        raise ShapeError(f"{what}: expected an array whose first axis is the batch, received the string {data!r:.100}.")
    return array


def _as_array(data: Any, what: str) -> Array:
    try:
        array = np.asarray(data)
    except ValueError as error:
        raise DataError(f"{what}: expected an array of numbers, received rows of different lengths: {error}.") from None
    if array.dtype == object:
        with contextlib.suppress(TypeError, ValueError):
            array = array.astype(np.float64)
    if array.dtype.kind not in "biuf":
        raise DataError(f"{what}: expected an array of numbers, received dtype {array.dtype}. Encode it as numbers.")
    if array.ndim == 0:
        raise ShapeError(f"{what}: expected an array whose first axis is the batch, received the scalar {data!r}.")
    return array
