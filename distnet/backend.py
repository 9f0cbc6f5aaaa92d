"""The few functions of Keras 2's ``keras.backend`` that scripts call.

The tensor operations are not here: distnet computes with NumPy's own.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from distnet import naming
from distnet.config import epsilon as epsilon
from distnet.config import floatx as floatx
from distnet.config import image_data_format as image_data_format
from distnet.config import set_epsilon as set_epsilon
from distnet.config import set_floatx as set_floatx
from distnet.config import set_image_data_format as set_image_data_format
from distnet.errors import ArgumentError


def backend() -> str:
    """``"numpy"``: what computes."""
    return "numpy"


def clear_session(free_memory: bool = True) -> None:
    """Count automatic names from the beginning again: the next ``Dense`` is ``dense``.

    Args:
        free_memory: taken so that scripts run; memory is freed when nothing refers to it.

    Source: ``keras.backend.clear_session``.
    """
    naming.reset()


def get_value(x: Any) -> Any:
    """The value of a weight, of the optimizer's learning rate, or of a number.

    Source: ``keras.backend.get_value``.
    """
    return x.numpy() if hasattr(x, "numpy") else x


def set_value(x: Any, value: Any) -> None:
    """Give a weight, or the optimizer's learning rate, another value.

    >>> from distnet.optimizers import SGD
    >>> optimizer = SGD(0.1)
    >>> set_value(optimizer.learning_rate, 0.05)
    >>> float(get_value(optimizer.lr))
    0.05

    Raises:
        ArgumentError: ``x`` is neither.

    Source: ``keras.backend.set_value``.
    """
    if not hasattr(x, "assign"):
        raise ArgumentError(f"set_value: expected a weight or the optimizer's learning rate, received {x!r}.")
    x.assign(value)


def batch_get_value(tensors: Iterable[Any]) -> list[Any]:
    """The values of several weights.

    Source: ``keras.backend.batch_get_value``.
    """
    return [get_value(x) for x in tensors]


def batch_set_value(tuples: Iterable[tuple[Any, Any]]) -> None:
    """Give several weights their values.

    Source: ``keras.backend.batch_set_value``.
    """
    for x, value in tuples:
        set_value(x, value)


def cast_to_floatx(x: Any) -> np.ndarray[Any, Any]:
    """An array of the dtype that new models compute in.

    Source: ``keras.backend.cast_to_floatx``.
    """
    return np.asarray(x, dtype=floatx())
