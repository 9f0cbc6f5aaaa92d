"""Objects as bytes: a begin of fixed length, which most do not exceed, and the rest.

So ranks learn in one collective how long an object is, and most often what it is.

>>> begin, rest = begin_and_rest(["a"] * 40, 16)
>>> rest_bytes(begin) == rest.size > 0, unpickled(begin, rest) == ["a"] * 40
(True, True)
"""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np

from distnet.types import Array

BROADCAST_BYTES, GATHERED_BYTES = 504, 120
"""Of the begin of an object that one rank sends, and of one of every rank."""
_LENGTH_BYTES = 8


def begin_and_rest(value: object, most: int) -> tuple[Array, Array]:
    """The object's length with its first ``most`` bytes, filled up; and what is left of it.

    Args:
        most: bytes of the object in the begin.
    """
    written = pickle.dumps(value)
    length = len(written).to_bytes(_LENGTH_BYTES, "little")
    begin = np.frombuffer((length + written[:most]).ljust(_LENGTH_BYTES + most, b"\0"), np.uint8)
    return begin.copy(), np.frombuffer(written[most:], np.uint8).copy()


def rest_bytes(begin: Array) -> int:
    """How many bytes are left of the object with this begin."""
    return max(int.from_bytes(begin[:_LENGTH_BYTES].tobytes(), "little") - (begin.size - _LENGTH_BYTES), 0)


def unpickled(begin: Array, rest: Array) -> Any:
    """The object; what stands behind its end is not read."""
    return pickle.loads(begin[_LENGTH_BYTES:].tobytes() + rest.tobytes())  # noqa: S301 - from a rank of this very job
