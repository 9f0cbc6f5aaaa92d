"""What is declared of a layer, checked: its name, its dtype, the shape of a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np

from distnet import config, naming
from distnet.arguments import is_integer
from distnet.errors import ArgumentError
from distnet.types import Shape

_NAMES_OF_FILES = (".", "..", "top_level_model_weights", "optimizer_weights", "model_weights")


def checked_name(name: object, cls: type) -> str:
    """``name``; by default that of the class in snake case, numbered.

    Raises:
        ArgumentError: it is no name of a layer in files.
    """
    if name is None:
        return naming.unique_name(cls.__name__)
    if not isinstance(name, str) or not name or "/" in name or "\0" in name or name in _NAMES_OF_FILES:
        raise ArgumentError(
            f"{cls.__name__}: name must be a non-empty string without '/', and none of {_NAMES_OF_FILES}, which mean "
            f"something else in a saved file; received {name!r}."
        )
    return name


def dtype_name(dtype: object, where: str, known: Sequence[str]) -> str:
    """The name of ``dtype``, by default of ``floatx``; a policy's configuration names its dtype.

    Raises:
        ArgumentError: it is none of the ``known``.
    """
    if dtype is None:
        return config.floatx()
    dtype = getattr(dtype, "compute_dtype", dtype)  # of a policy
    if isinstance(dtype, Mapping):
        dtype = dtype.get("config", {}).get("name") or str(dtype.get("class_name"))
    try:
        name = dtype if isinstance(dtype, str) else np.dtype(cast(Any, dtype)).name
    except TypeError:
        name = None
    if name not in known:
        raise ArgumentError(f"{where}: expected a dtype of {known}, received {dtype!r}.")
    return cast(str, name)


def as_shape(shape: object, where: str) -> Shape:
    """``shape`` as a tuple; one integer stands for a shape of one axis.

    Raises:
        ArgumentError: it holds anything but non-negative integers and None.
    """
    extents = tuple(shape) if isinstance(shape, Sequence | np.ndarray) and not isinstance(shape, str) else (shape,)
    if any(n is not None and (not is_integer(n) or n < 0) for n in extents):
        raise ArgumentError(f"{where}: a shape holds non-negative integers and None, received {shape!r}.")
    return tuple(None if n is None else int(n) for n in extents)
