"""Which dtype a function's result has: Keras's rules, where NumPy's differ."""

from __future__ import annotations

from typing import Any

import numpy as np

from distnet import config
from distnet.types import Array, DType


def converted(x: Any) -> Array:
    """``x`` as an array: arrays keep their dtype, Python's numbers and lists of them get Keras's.

    Source: ``keras.ops.convert_to_tensor``: ``floatx`` for floating point numbers, int32 for whole ones.
    """
    if isinstance(x, np.ndarray | np.generic):
        return np.asarray(x)
    array = np.asarray(x)
    kinds = {leaf.dtype for leaf in _arrays(x)}
    if array.dtype.kind == "f":
        floats = {dtype for dtype in kinds if dtype.kind == "f"}
        return array.astype(np.result_type(*floats) if floats else config.floatx(), copy=False)
    if array.dtype.kind in "iu" and not kinds:
        return array.astype(np.int32, copy=False)
    return array


def _arrays(x: Any) -> list[Array]:
    """The arrays in a nest of lists."""
    if isinstance(x, list | tuple):
        return [array for item in x for array in _arrays(item)]
    return [np.asarray(x)] if isinstance(x, np.ndarray | np.generic) else []


def as_dtype(dtype: Any) -> DType:
    """A dtype by its name; ``floatx`` for None."""
    return np.dtype(config.floatx() if dtype is None else dtype)


def floating(x: Any) -> Array:
    """``x`` as an array of floating point numbers: of ``floatx`` unless it is one already.

    Source: ``keras.ops.sin`` and its kind, which make floating point numbers of integers.
    """
    array = converted(x)
    return array if array.dtype.kind in "fc" else array.astype(config.floatx())


def promoted(*values: Any) -> list[Any]:
    """The operands in one dtype: beside floating point numbers integers take their dtype, and numbers of Python's too.

    Source: ``keras.backend.result_type``; NumPy makes float64 of int32 and float32.
    """
    arrays = [v if isinstance(v, int | float | complex) else converted(v) for v in values]
    kinds = {a.dtype for a in arrays if isinstance(a, np.ndarray)}
    if len(kinds) < 2:
        return [converted(a) if not kinds else a for a in arrays]
    floats = {dtype for dtype in kinds if dtype.kind in "fc"}
    dtype = np.result_type(*(floats or kinds))
    return [a.astype(dtype, copy=False) if isinstance(a, np.ndarray) else a for a in arrays]
