"""Arrays that calls outside training return: they offer what Keras's users expect of tensors."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

import numpy as np

from distnet.types import Array

P = ParamSpec("P")
R = TypeVar("R")


class ResultArray(np.ndarray[Any, np.dtype[Any]]):
    """An array with ``numpy()`` that may carry the mask of its time steps; a number is one without axes.

    Results computed from it are ``ResultArray``s, too, without the mask. Training uses plain arrays.
    """

    _keras_mask: Array | None = None
    followed: Any = None
    """The tensor that stands for it while a ``GradientTape`` watches it."""
    of_metric: Any = None
    """The metric whose call gave it."""

    def numpy(self) -> Array:
        """A plain copy; for an array without axes, a NumPy scalar, as in TensorFlow."""
        return np.array(self)[()]

    def __getitem__(self, key: Any) -> Any:
        if self.followed is not None:
            return self.followed[key]
        return as_result(super().__getitem__(key))

    def __round__(self, digits: int | None = None) -> float:
        return cast(float, round(self.item(), digits))

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if any(getattr(value, "followed", None) is not None for value in inputs):
            followed = (value if getattr(value, "followed", None) is None else value.followed for value in inputs)
            return getattr(ufunc, method)(*followed, **options)
        plain = [np.asarray(value) if isinstance(value, ResultArray) else value for value in inputs]
        out = options.pop("out", None)
        if out is None:
            made = getattr(ufunc, method)(*plain, **options)
            return as_result(made) if isinstance(made, np.ndarray | np.generic | tuple) else made
        getattr(ufunc, method)(*plain, out=tuple(np.asarray(array) for array in out), **options)
        return out[0]

    def __repr__(self) -> str:
        return repr(np.asarray(self)) if self.ndim else str(self)


def _rebinding(name: str) -> Callable[[Any, Any], Any]:
    """``result += other``: in place beside arrays and numbers; with a tensor, which cannot be added in place, a sum."""
    in_place, apart = getattr(np.ndarray, f"__i{name}__"), getattr(operator, f"__{name}__")

    def operate(self: ResultArray, other: Any) -> Any:
        is_tensor = hasattr(type(other), "__array_ufunc__") and not isinstance(other, np.ndarray | np.generic)
        return apart(self, other) if is_tensor else in_place(self, other)

    return operate


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul"):
    setattr(ResultArray, f"__i{_name}__", _rebinding(_name))


def as_result(value: Any, mask: Array | None = None) -> Any:
    """The array or number as a ``ResultArray``; lists, tuples and dicts of them entry by entry.

    Args:
        value: arrays or numbers; the result shares their memory.
        mask: true where a time step counts.
    """
    if isinstance(value, list | tuple):
        return type(value)(as_result(item) for item in value)
    if isinstance(value, dict):
        return {key: as_result(item) for key, item in value.items()}
    result = np.asarray(value).view(ResultArray)
    if mask is not None:
        result._keras_mask = as_result(mask)
    return result


def giving_results(function: Callable[P, R]) -> Callable[P, R]:
    """The function, with its arrays and numbers returned as results."""
    if getattr(function, "gives_results", False):
        return function

    @functools.wraps(function)
    def giving(*args: P.args, **kwargs: P.kwargs) -> R:
        return cast(R, as_result(function(*args, **kwargs)))

    giving.gives_results = True  # type: ignore[attr-defined]
    return giving


def mask_of(value: Any) -> Array | None:
    """The mask that a call's result carries; None for anything else."""
    mask = getattr(value, "_keras_mask", None)
    return None if mask is None else np.asarray(mask)
