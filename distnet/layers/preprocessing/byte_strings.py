"""Strings as TensorFlow has them, bytes: a text is its UTF-8, and two strings are equal if their bytes are."""

from __future__ import annotations

import reprlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from distnet.errors import DataError
from distnet.types import Array


def as_strings(where: str, values: Any) -> Array:
    """An array of objects, each a str or bytes.

    Args:
        where: for messages.
        values: one string, nested lists of them, or an array of any kind of strings.

    Raises:
        DataError: something else, or rows of different lengths.
    """
    array = np.asarray(values, None if hasattr(values, "dtype") else object)
    if array.dtype.kind != "O":
        if array.dtype.kind not in "UST":
            raise DataError(f"{where}: expected strings, received an array of {array.dtype}.")
        return array.astype(object)
    kinds = set(map(type, array.ravel().tolist()))
    if not all(issubclass(kind, str | bytes) for kind in kinds):
        _refuse(where, array)
    return array


def as_bytes(array: Array) -> list[bytes]:
    """All strings of such an array, in order.

    Raises:
        DataError: a str that has no UTF-8.
    """
    values = array.ravel().tolist()
    kinds = set(map(type, values))
    if kinds <= {bytes}:
        return values
    try:
        if kinds <= {str}:
            return list(map(str.encode, values))
        return [one if isinstance(one, bytes) else str(one).encode() for one in values]
    except UnicodeEncodeError as error:
        raise DataError(f"expected texts, received {error.object!r:.100}, which has no UTF-8.") from None


def as_texts(strings: Sequence[bytes], encoding: str) -> list[str]:
    """The strings as Python's.

    Raises:
        DataError: one is no text in this encoding.
    """
    try:
        return [one.decode(encoding) for one in strings]
    except UnicodeDecodeError as error:
        raise DataError(
            f"expected strings in {encoding}, received {error.object!r:.100}. Say their encoding."
        ) from None


def _refuse(where: str, array: Array) -> None:
    for place in np.ndindex(array.shape):
        value = array[place]
        if not isinstance(value, str | bytes):
            what = "rows of different lengths" if isinstance(value, list | tuple) else reprlib.repr(value)
            raise DataError(
                f"{where}: expected strings, received {what} at {list(place)}. Fill in what is missing, for example by "
                "an empty string.",
                place[0] if place else None,
            )
