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
from distnet.results import as_result
from distnet.types import Array, ArrayLike

F = TypeVar("F", bound=Callable[..., Any])

_OF_NUMPY = frozenset(
    {
        *("abs", "absolute", "add", "all", "amax", "amin", "any", "arange", "arccos", "arcsin", "arctan"),
        *(
            "arccosh",
            "arcsinh",
            "arctan2",
            "arctanh",
            "exp2",
            "argmax",
            "argmin",
            "argsort",
            "array",
            "average",
            "bincount",
            "broadcast_to",
            "ceil",
            "clip",
        ),
        *("concatenate", "copy", "cos", "cosh", "count_nonzero", "cross", "cumprod", "cumsum", "diag", "diagonal"),
        *("diff", "digitize", "divide", "dot", "einsum", "equal", "exp", "expand_dims", "expm1", "eye", "flip"),
        *("floor", "floor_divide", "full", "full_like", "greater", "greater_equal", "hstack", "identity"),
        *("isclose", "isfinite", "isinf", "isnan", "less", "less_equal", "linspace", "log", "log10", "log1p"),
        *("log2", "logaddexp", "logical_and", "logical_not", "logical_or", "logical_xor", "matmul", "max"),
        *("maximum", "mean", "median", "meshgrid", "min", "minimum", "mod", "moveaxis", "multiply"),
        *("negative", "nonzero", "not_equal", "ones", "ones_like", "outer", "pad", "power", "prod"),
        *("quantile", "reciprocal", "repeat", "reshape", "roll", "round", "sign", "sin", "sinh", "size"),
        *("sort", "split", "sqrt", "square", "squeeze", "stack", "std", "subtract", "sum", "swapaxes", "take"),
        *("take_along_axis", "tan", "tanh", "tensordot", "tile", "trace", "transpose", "tri", "tril", "triu"),
        *("true_divide", "var", "vdot", "vstack", "where", "zeros", "zeros_like"),
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
def cast(x: ArrayLike, dtype: str) -> Array:
    """``x`` as an array of this dtype.

    Source: ``keras.ops.cast``.
    """
    return np.asarray(x).astype(dtype)


@_of_placeholders_too
def convert_to_tensor(x: ArrayLike, dtype: str | None = None) -> Array:
    """``x`` as an array, distnet's form of a tensor.

    Source: ``keras.ops.convert_to_tensor``.
    """
    result: Array = as_result(np.asarray(x, dtype))
    return result


def convert_to_numpy(x: ArrayLike) -> Array:
    """``x`` as an array.

    Source: ``keras.ops.convert_to_numpy``.
    """
    return np.asarray(x)


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


@_of_placeholders_too
def rsqrt(x: ArrayLike) -> Any:
    """``1 / sqrt(x)``."""
    return 1 / np.sqrt(x)


@_of_placeholders_too
def nan_to_num(x: ArrayLike, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> Any:
    """``x`` with NaN and infinities replaced: by default by 0 and the dtype's largest and smallest number.

    Source: ``keras.ops.nan_to_num``; NumPy's takes ``copy`` first.
    """
    return np.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf)


@_of_placeholders_too
def divide_no_nan(x1: ArrayLike, x2: ArrayLike) -> Array:
    """``x1 / x2``; 0 where ``x2`` is 0.

    Source: ``keras.ops.divide_no_nan``.
    """
    a, b = np.asarray(x1), np.asarray(x2)
    out: Array = np.zeros(np.broadcast_shapes(a.shape, b.shape), np.result_type(a, b, np.float32))
    np.divide(a, b, out=out, where=b != 0)
    return out


def shape(x: Any) -> Any:
    """The extents of an array or a placeholder; None for unknown ones.

    Source: ``keras.ops.shape``.
    """
    return tuple(x.shape) if hasattr(x, "shape") else np.shape(x)


def ndim(x: Any) -> int:
    """The number of axes of an array or a placeholder.

    Source: ``keras.ops.ndim``.
    """
    return len(shape(x))
