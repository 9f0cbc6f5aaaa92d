"""``keras.Variable``: a weight, or a state, that a user makes."""

from __future__ import annotations

from typing import Any

import numpy as np

from distnet import addresses, config, variables
from distnet.errors import ArgumentError
from distnet.initializers import INITIALIZERS
from distnet.layers.engine.numbered_variables import numbered
from distnet.naming import path_within, unique_name


class _OfVariables(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, variables.Variable)


class Variable(metaclass=_OfVariables):
    """Makes a variable of a value, or of an initializer and a shape.

    As an attribute of a layer or model it is one of its weights.

    >>> import distnet
    >>> distnet.Variable([1.0, 2.0], name="scale").numpy()
    array([1., 2.], dtype=float32)

    Args:
        initializer: an array or a number; or an initializer, with ``shape``.
        shape: of the array, for an initializer.
        dtype: the global ``floatx`` by default, or the array's.
        trainable: whether it has a gradient.
        name: by default ``variable``, numbered.

    Source: ``keras.Variable``.
    """

    def __new__(
        cls, initializer: Any, shape: Any = None, dtype: Any = None, trainable: bool = True, autocast: bool = True,
        aggregation: str = "none", synchronization: str = "auto", name: str | None = None, **ignored: Any,
    ) -> Any:  # fmt: skip
        name = name or unique_name("Variable")
        if callable(initializer) and not hasattr(initializer, "shape") or isinstance(initializer, str):
            if shape is None:
                raise ArgumentError(f"{name}: expected a shape, for the value is drawn by {initializer!r}.")
            rng = addresses.generator(addresses.job_seed(), "layer", addresses.next_build_index(), "initializer", 0)
            drawn = INITIALIZERS.get(initializer)
            value = drawn.draw(tuple(shape), np.dtype(dtype or config.floatx()), rng)
        else:
            value = np.array(initializer)
            kept = value.dtype if hasattr(initializer, "dtype") or value.dtype.kind != "f" else config.floatx()
            value = value.astype(dtype or kept)
        return numbered(variables.Variable(name, path_within(name), value, trainable))
