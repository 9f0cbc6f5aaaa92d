"""Pickles of plain data, read without running any code: arrays, lists, dicts, numbers, text and bytes.

A pickle is a program, which may call anything that Python can import. Here it can call only what rebuilds an
array.
"""

from __future__ import annotations

import pickle
import zlib
from typing import IO

import numpy as np

DAMAGE = (
    OSError,
    EOFError,
    KeyError,
    IndexError,
    AttributeError,
    ValueError,
    TypeError,
    zlib.error,
    pickle.UnpicklingError,
)
"""What reading a damaged file can raise, compressed or not."""

_REBUILD_ARRAY = np.empty(0).__reduce__()[0]
_ALLOWED: dict[tuple[str, str], object] = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("numpy.core.multiarray", "_reconstruct"): _REBUILD_ARRAY,
    ("numpy._core.multiarray", "_reconstruct"): _REBUILD_ARRAY,
}


class _PlainUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> object:
        allowed = _ALLOWED.get((module, name))
        if allowed is None:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no dataset needs")
        return allowed


def read_pickle(stream: IO[bytes]) -> object:
    """What the pickle at ``stream`` holds; text written by Python 2 is read as bytes.

    Raises:
        pickle.UnpicklingError: it needs more than arrays and Python's plain types; or, like the other errors of
            ``DAMAGE``, because it is damaged.
    """
    return _PlainUnpickler(stream, encoding="bytes").load()
