"""Which dtype a function's result has: Keras's rules, where NumPy's differ."""

from __future__ import annotations

from typing import Any

import numpy as np

from distnet import config
from distnet.types import Array


def floating(x: Any) -> Array:
    """``x`` as an array of floating point numbers: of ``floatx`` unless it is one already.

    Source: ``keras.ops.sin`` and its kind, which make floating point numbers of integers.
    """
    array = np.asarray(x)
    return array if array.dtype.kind in "fc" else array.astype(config.floatx())


def promoted(*values: Any) -> list[Any]:
    """The operands in one dtype: beside floating point numbers integers take their dtype, and numbers of Python's too.

    Source: ``keras.backend.result_type``; NumPy makes float64 of int32 and float32.
    """
    arrays = [v if isinstance(v, int | float | complex) else np.asarray(v) for v in values]
    kinds = {a.dtype for a in arrays if isinstance(a, np.ndarray)}
    if len(kinds) < 2:
        return [np.asarray(a) if not kinds else a for a in arrays]
    floats = {dtype for dtype in kinds if dtype.kind in "fc"}
    dtype = np.result_type(*(floats or kinds))
    return [a.astype(dtype, copy=False) if isinstance(a, np.ndarray) else a for a in arrays]
