"""The dtype of what is computed of several dtypes."""

from __future__ import annotations

from typing import Any

import numpy as np

from distnet import config
from distnet.errors import ArgumentError
from distnet.ops.dtypes import result_dtype

_OF_PYTHON = {int: 0, float: 0.0}
"""Types of Python's numbers, which take the dtype of the arrays beside them."""


def result_type(*dtypes: Any) -> str:
    """Name of the dtype that a function of tensors of these dtypes has.

    >>> from distnet import backend
    >>> backend.result_type("int32", "float64"), backend.result_type("uint8", int)
    ('float64', 'uint8')

    Args:
        dtypes: names, or NumPy's; ``int`` and ``float`` stand for Python's numbers, None for ``floatx``.

    Raises:
        ArgumentError: one is no dtype that NumPy has.

    Source: ``keras.backend.result_type``.
    """
    return result_dtype(*map(_specimen, dtypes)).name if dtypes else config.floatx()


def _specimen(dtype: Any) -> Any:
    """A number of the dtype."""
    if isinstance(dtype, type) and dtype in _OF_PYTHON:
        return _OF_PYTHON[dtype]
    try:
        known = np.dtype(config.floatx() if dtype is None else dtype)
    except TypeError:
        known = None
    if known is None or known.kind not in "biufc":  # ml_dtypes, once imported, adds such as bfloat16
        raise ArgumentError(
            f"result_type: expected dtypes of NumPy such as 'float32', or int or float, received {dtype!r}."
        )
    return np.zeros((), known)
