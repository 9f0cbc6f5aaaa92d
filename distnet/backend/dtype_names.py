"""The names of dtypes, however a program gives them."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from distnet import config
from distnet.errors import ArgumentError

_OF_PYTHON: dict[Hashable, str] = {
    bool: "bool", int: "int32", "int": "int32", float: "float32", complex: "complex64", str: "string",
}  # fmt: skip
"""As in Keras on JAX."""
_NAMES = frozenset(
    ("bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32",
     "float64", "float8_e4m3fn", "float8_e5m2", "complex64", "complex128", "string")
)  # fmt: skip


def standardize_dtype(dtype: Any) -> str:
    """The name of a dtype of NumPy's, Python's or PyTorch's, or of a name; of None ``floatx()``.

    Raises:
        ArgumentError: Keras has no such dtype.

    Source: ``keras.backend.standardize_dtype``.
    """
    if dtype is None:
        return config.floatx()
    given = _OF_PYTHON.get(dtype, dtype) if isinstance(dtype, Hashable) else dtype
    name = getattr(given, "name", None) or getattr(given, "__name__", None) or str(given).removeprefix("torch.")
    if name not in _NAMES:
        raise ArgumentError(f"dtype: expected one of {sorted(_NAMES)}, received {dtype!r:.100}.")
    return str(name)
