"""Functions that make tensors of other things, and that tell what a tensor is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from distnet.ops.dtypes import as_dtype, converted
from distnet.ops.operators import PRIMITIVES
from distnet.ops.primitive import Primitive, primitive
from distnet.ops.spread import is_spread, rowwise
from distnet.ops.tensor import Tensor
from distnet.results import ResultArray
from distnet.types import Array, ArrayLike
from distnet.variables import Variable


def _of_one_tensor(function: Primitive, operands: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """Of a tensor its rows; of a list of tensors only the whole."""
    return rowwise(function, operands, options) if is_spread(operands[0]) else None


def _of_nest(dy: Any, y: Any, x: Any, **options: Any) -> Any:
    """The gradient of a tensor, or the gradients of those in nested lists."""
    if not isinstance(x, list | tuple):
        return dy
    each = [_of_nest(dy[i], y, item) for i, item in enumerate(x)]
    return [leaf for part in each for leaf in (part if isinstance(part, list) else [part])]


@primitive(module="core", spread=_of_one_tensor)
def convert_to_tensor(x: ArrayLike, dtype: Any = None, sparse: bool | None = None, ragged: bool | None = None) -> Array:
    """``x`` as a tensor: Python's numbers become ``floatx`` or int32.

    Args:
        sparse: unused: tensors are dense.
        ragged: unused.

    Source: ``keras.ops.convert_to_tensor``.
    """
    made = converted(x)
    return made if dtype is None else made.astype(dtype, copy=False)


convert_to_tensor.has_gradients(_of_nest)


@primitive(spread=_of_one_tensor)
def array(x: ArrayLike, dtype: Any = None) -> Array:
    """A copy of ``x`` as a tensor.

    Source: ``keras.ops.array``.
    """
    return np.array(converted(x), dtype)


array.has_gradients(_of_nest)


@primitive(spread=_of_one_tensor)
def copy(x: ArrayLike) -> Array:
    """A copy of ``x``."""
    return np.array(converted(x))


copy.has_gradients(_of_nest)


@primitive(module="core", spread=rowwise)
def cast(x: ArrayLike, dtype: Any) -> Array:
    """``x`` in another dtype.

    Source: ``keras.ops.cast``.
    """
    return np.asarray(x).astype(dtype)


cast.has_gradients(lambda dy, y, x, dtype: dy)


@primitive(module="core", spread=rowwise)
def saturate_cast(x: ArrayLike, dtype: Any) -> Array:
    """``x`` in another dtype; numbers beyond its range become its largest or smallest.

    Source: ``keras.ops.saturate_cast``.
    """
    given, wanted = np.asarray(x), np.dtype(dtype)
    if wanted.kind == "b":
        return given.astype(wanted)
    limits: Any = np.finfo(wanted) if wanted.kind == "f" else np.iinfo(wanted)
    low, high = limits.min, limits.max
    if given.dtype.kind in "iu" and wanted.kind in "iu":
        own = np.iinfo(given.dtype)
        low, high = max(int(low), int(own.min)), min(int(high), int(own.max))
    return np.asarray(np.clip(given, low, high), wanted)


def _within(dy: Any, y: Any, x: Any, dtype: Any) -> Any:
    limits = np.finfo(np.dtype(dtype))
    where = PRIMITIVES["Where"]
    return where(PRIMITIVES["Absolute"](x) <= float(limits.max), dy, 0.0)


saturate_cast.has_gradients(_within)


@primitive(module="core", spread=rowwise)
def stop_gradient(variable: ArrayLike) -> Array:
    """``variable``, with no gradient flowing back through it.

    Source: ``keras.ops.stop_gradient``.
    """
    return np.asarray(variable)


@primitive(spread=_of_one_tensor)
def view(x: ArrayLike, dtype: Any = None) -> Array:
    """The same bytes, read as another dtype; gradients flow only if the dtype stays.

    Source: ``keras.ops.view``.
    """
    given = np.ascontiguousarray(converted(x)) if np.ndim(x) else converted(x)
    return given if dtype is None else given.view(np.dtype(dtype))


view.has_gradients(lambda dy, y, x, dtype: dy if y.dtype == x.dtype else None)


@primitive(module="math", kind="ViewAsComplex")
def view_as_complex(x: ArrayLike) -> Array:
    """Pairs of real and imaginary parts, which the last axis holds, as complex numbers; they have no gradients.

    Shapes:
        (..., 2) -> (...).

    Source: ``keras.ops.view_as_complex``.
    """
    parts = converted(x)
    return np.asarray(parts[..., 0] + 1j * parts[..., 1])


@primitive(module="math", kind="ViewAsReal")
def view_as_real(x: ArrayLike) -> Array:
    """Complex numbers as pairs of their real and imaginary parts.

    Shapes:
        (...) -> (..., 2).

    Source: ``keras.ops.view_as_real``.
    """
    parts = np.asarray(x)
    return np.stack([parts.real, parts.imag], axis=-1)


def convert_to_numpy(x: Any) -> Array:
    """``x`` as an array; gradients do not flow through it.

    Source: ``keras.ops.convert_to_numpy``.
    """
    if isinstance(x, Tensor):
        return x.numpy()
    return x.value if isinstance(x, Variable) else np.asarray(converted(x))


def is_tensor(x: Any) -> bool:
    """Whether it is a tensor, or an array that a function of tensors made.

    Source: ``keras.ops.is_tensor``.
    """
    return isinstance(x, Tensor | ResultArray)


def dtype(x: Any) -> str:
    """The name of the dtype.

    Source: ``keras.ops.dtype``.
    """
    given = getattr(x, "dtype", None)
    return str(as_dtype(converted(x).dtype if given is None else given).name)


def shape(x: Any) -> tuple[int | None, ...]:
    """The extents of a tensor or a placeholder; None for unknown ones. On several ranks those of all rows.

    Source: ``keras.ops.shape``.
    """
    return tuple(x.shape) if hasattr(x, "shape") else np.shape(x)


def ndim(x: Any) -> int:
    """The number of axes of a tensor or a placeholder.

    Source: ``keras.ops.ndim``.
    """
    return len(shape(x))


def size(x: Any) -> int | None:
    """The number of entries; None if an extent is unknown.

    Source: ``keras.ops.size``.
    """
    extents = [n for n in shape(x) if n is not None]
    return int(np.prod(extents)) if len(extents) == ndim(x) else None
