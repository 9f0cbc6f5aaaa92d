"""``keras.ops`` on NumPy's arrays, for metrics, callbacks and data, and on placeholders.

On arrays they compute values, not gradients: layers and losses state their own gradients. On placeholders the
elementary functions become operations of the model, with gradients.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, wraps
from typing import Any, TypeVar
from typing import cast as cast_type

import numpy as np

from distnet.absent import names_elsewhere
from distnet.absent_ops import ABSENT_OPS
from distnet.errors import ArgumentError
from distnet.layers.engine.base import placeholders
from distnet.layers.operations import applied
from distnet.naming import snake_case
from distnet.ops.operators import PRIMITIVES
from distnet.types import ArrayLike

F = TypeVar("F", bound=Callable[..., Any])

_OF_NUMPY = frozenset(
    {
        "all",
        "amax",
        "amin",
        "any",
        "argmax",
        "argmin",
        "argsort",
        "average",
        "bincount",
        "count_nonzero",
        "cumprod",
        "cumsum",
        "diff",
        "digitize",
        "max",
        "median",
        "min",
        "prod",
        "quantile",
        "sort",
        "std",
        "var",
    }
)
"""The functions that mean the same in Keras and in NumPy."""

_KINDS = {"abs": "Absolute", **{snake_case(kind): kind for kind in PRIMITIVES if kind != "GetItem"}}
"""The operations on placeholders, by the names of their functions."""

_absent = names_elsewhere("distnet.ops", absent=ABSENT_OPS)


def __getattr__(name: str) -> Any:
    if name in _OF_NUMPY:
        return _operation(name, getattr(np, name))
    return _absent(name)


def _of_placeholders_too(function: F) -> F:
    return cast_type(F, _operation(function.__name__, function))


@cache
def _operation(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function of arrays; on placeholders it becomes an operation of the graph."""
    kind = _KINDS.get(name)

    @wraps(function)
    def operation(*args: Any, **kwargs: Any) -> Any:
        if not any(True for _ in placeholders((args, kwargs))):
            return function(*args, **kwargs)
        if kind is None:
            raise ArgumentError(f"ops.{name} of placeholders is not supported. Expected one of {sorted(_KINDS)}.")
        if kind == "Einsum":
            return applied(kind, *args[1:], subscripts=args[0])
        return PRIMITIVES[kind](*args, **kwargs)

    return operation


def __dir__() -> list[str]:
    return sorted({*globals(), *_OF_NUMPY})


@_of_placeholders_too
def norm(x: ArrayLike, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """``numpy.linalg.norm``.

    Source: ``keras.ops.norm``.
    """
    return np.linalg.norm(np.asarray(x), ord, axis, keepdims)


@_of_placeholders_too
def logsumexp(x: ArrayLike, axis: Any = None, keepdims: Any = False) -> Any:
    """``log(sum(exp(x)))`` without overflow.

    Source: ``keras.ops.logsumexp``.
    """
    return np.logaddexp.reduce(x, axis=axis, keepdims=keepdims)
