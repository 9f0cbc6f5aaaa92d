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
    """The operands in one dtype.

    Beside floating point numbers integers take their dtype; numbers of Python's, and NumPy's without an array, take
    that of the arrays.

    Source: ``keras.backend.result_type``; NumPy makes float64 of int32 and float32.
    """
    first = values[0]
    if type(first) is np.ndarray and all(type(v) is np.ndarray and v.dtype == first.dtype for v in values):
        return list(values)
    dtype = result_dtype(*values)
    return [np.asarray(value, dtype) for value in values]


def promoted_floats(*values: Any) -> list[Any]:
    """The operands in one dtype of floating point numbers: ``floatx`` if all are integers."""
    arrays = promoted(*values)
    return arrays if arrays[0].dtype.kind in "fc" else [array.astype(config.floatx()) for array in arrays]


def result_dtype(*values: Any) -> DType:
    """The dtype that a function of these has."""
    arrays: list[DType] = []
    scalars: list[DType] = []
    numbers: set[type] = set()
    for value in values:
        if isinstance(value, int | float | complex) and not isinstance(value, bool | np.generic):
            numbers.add(type(value))
        elif isinstance(value, np.generic):
            scalars.append(value.dtype)
        else:
            arrays.append(converted(value).dtype)
    strong = [dtype for dtype in arrays if dtype.kind in "fc"] or [dtype for dtype in scalars if dtype.kind in "fc"]
    if strong:
        dtype = np.result_type(*strong)
    elif numbers & {float, complex}:
        dtype = np.dtype(config.floatx())
    elif arrays or scalars:
        dtype = np.result_type(*(arrays or scalars))
        dtype = np.dtype(np.int32) if (numbers or scalars) and dtype.kind == "b" else dtype
    else:
        dtype = np.dtype(np.int32)
    return np.result_type(dtype, np.complex64) if complex in numbers else dtype
