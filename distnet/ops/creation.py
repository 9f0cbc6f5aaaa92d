"""Functions that make tensors of numbers: zeros, ranges, windows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from distnet import config
from distnet.errors import ArgumentError
from distnet.ops.compositions import composition
from distnet.ops.dtypes import as_dtype, converted, floating
from distnet.ops.operators import PRIMITIVES
from distnet.ops.primitive import primitive
from distnet.ops.spread import elementwise, rowwise
from distnet.results import as_result, giving_results
from distnet.types import Array, ArrayLike


@giving_results
def zeros(shape: Any, dtype: Any = None) -> Array:
    """Zeros, of ``floatx`` unless told otherwise."""
    return np.zeros(shape, as_dtype(dtype))


@giving_results
def empty(shape: Any, dtype: Any = None) -> Array:
    """Zeros: memory as it happens to be would differ from rank to rank."""
    return np.zeros(shape, as_dtype(dtype))


@giving_results
def ones(shape: Any, dtype: Any = None) -> Array:
    """Ones, of ``floatx`` unless told otherwise."""
    return np.ones(shape, as_dtype(dtype))


@composition(1)
def full(shape: Any, fill_value: Any, dtype: Any = None) -> Any:
    """An array of one value, or of values that are broadcast.

    Source: ``keras.ops.full``.
    """
    cast = PRIMITIVES["Cast"](fill_value, as_dtype(dtype).name)
    return PRIMITIVES["BroadcastTo"](cast, (shape,) if isinstance(shape, int) else tuple(shape))


@primitive(spread=rowwise)
def zeros_like(x: ArrayLike, dtype: Any = None) -> Array:
    """Zeros in the shape and dtype of ``x``."""
    return np.zeros_like(converted(x), dtype)


@primitive(spread=rowwise)
def empty_like(x: ArrayLike, dtype: Any = None) -> Array:
    """Zeros in the shape and dtype of ``x``."""
    return np.zeros_like(converted(x), dtype)


@primitive(spread=rowwise)
def ones_like(x: ArrayLike, dtype: Any = None) -> Array:
    """Ones in the shape and dtype of ``x``."""
    return np.ones_like(converted(x), dtype)


@primitive(2, spread=elementwise)
def full_like(x: ArrayLike, fill_value: ArrayLike, dtype: Any = None) -> Array:
    """An array of one value in the shape and dtype of ``x``."""
    given = converted(x)
    return np.full_like(given, np.asarray(fill_value), dtype or given.dtype)


full_like.has_gradients(None, lambda dy, y, x, fill_value, dtype: dy)


def _numbers_dtype(*numbers: Any) -> Any:
    """Of whole numbers int32, of others ``floatx``, unless they are arrays of a dtype."""
    arrays = [converted(number) for number in numbers if number is not None]
    return np.result_type(*arrays) if all(a.dtype.kind in "iub" for a in arrays) else floating(arrays[0]).dtype


def _plain(value: Any) -> Any:
    return getattr(value, "value", value)


@giving_results
def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> Array:
    """Numbers from ``start`` up to ``stop``, without it, in steps.

    Source: ``keras.ops.arange``.
    """
    first, last, by = _plain(start), _plain(stop), _plain(step)
    made = np.arange(first, step=by) if last is None else np.arange(first, last, by)
    return made.astype(dtype or _numbers_dtype(first, last, by))


@primitive(2)
def spaced(start: ArrayLike, stop: ArrayLike, num: int, endpoint: bool, axis: int) -> Array:
    """Numbers from ``start`` to ``stop`` at equal distances, along a new axis."""
    first, last = floating(start), floating(stop)
    kind = np.result_type(first.dtype, last.dtype)
    return np.linspace(first.astype(kind), last.astype(kind), num, endpoint, axis=axis).astype(kind)


def _shares(y: Any, num: int, endpoint: bool, axis: int) -> Array:
    """How much of ``stop`` there is in each number."""
    share = np.arange(num) / max(num - 1 if endpoint else num, 1)
    return share.astype(y.dtype).reshape([-1 if i == axis % y.ndim else 1 for i in range(y.ndim)])


spaced.has_gradients(
    lambda dy, y, start, stop, num, endpoint, axis: PRIMITIVES["Sum"](
        dy * (1 - _shares(y, num, endpoint, axis)), axis=axis
    ),
    lambda dy, y, start, stop, num, endpoint, axis: PRIMITIVES["Sum"](dy * _shares(y, num, endpoint, axis), axis=axis),
)


@composition(2)
def linspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, retstep: bool = False, dtype: Any = None, axis: int = 0
) -> Any:
    """Numbers from ``start`` to ``stop`` at equal distances.

    Args:
        retstep: whether to return the distance, too.

    Source: ``keras.ops.linspace``.
    """
    made = spaced(start, stop, num, endpoint, axis)
    made = made if dtype is None else PRIMITIVES["Cast"](made, dtype)
    if not retstep:
        return made
    count = num - 1 if endpoint else num
    step = PRIMITIVES["TrueDivide"](PRIMITIVES["Subtract"](stop, start), float(count or np.nan))
    return made, PRIMITIVES["Cast"](step, made.dtype.name)


@composition(2)
def logspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, base: float = 10, dtype: Any = None, axis: int = 0
) -> Any:
    """``base`` to the power of numbers at equal distances.

    Source: ``keras.ops.logspace``.
    """
    exponents = linspace(start, stop, num, endpoint, axis=axis)
    made = PRIMITIVES["Power"](PRIMITIVES["Cast"](base, exponents.dtype.name), exponents)
    return made if dtype is None else PRIMITIVES["Cast"](made, dtype)


@composition(2)
def geomspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0) -> Any:
    """Numbers from ``start`` to ``stop`` with equal quotients; both positive, or both negative.

    Source: ``keras.ops.geomspace``.
    """
    sign = PRIMITIVES["Sign"](start)
    ends = (PRIMITIVES["Log"](PRIMITIVES["Absolute"](end)) for end in (start, stop))
    made = sign * PRIMITIVES["Exp"](linspace(*ends, num, endpoint, axis=axis))
    return made if dtype is None else PRIMITIVES["Cast"](made, dtype)


@giving_results
def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Array:
    """Ones on the k-th diagonal of a matrix of zeros."""
    return np.eye(int(N), None if M is None else int(M), k, as_dtype(dtype))


@giving_results
def identity(n: int, dtype: Any = None) -> Array:
    """The square matrix with ones on its diagonal."""
    return np.identity(int(n), as_dtype(dtype))


@giving_results
def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Array:
    """Ones on and below the k-th diagonal of a matrix of zeros."""
    return np.tri(int(N), None if M is None else int(M), k, as_dtype(dtype))


@composition()
def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    """Powers of a vector's entries, as columns; by default the highest first.

    Source: ``keras.ops.vander``.
    """
    count = x.shape[0] if N is None else N
    exponents = np.arange(count) if increasing else np.arange(count)[::-1]
    return PRIMITIVES["Power"](PRIMITIVES["Reshape"](x, (-1, 1)), exponents.astype(x.dtype))


def _window(of: Callable[..., Array], x: Any, *options: Any) -> Any:
    return as_result(of(int(_plain(x)), *options).astype(config.floatx()))


def bartlett(x: Any) -> Array:
    """The triangular window of ``x`` points that is 0 at both ends."""
    return _window(np.bartlett, x)  # type: ignore[no-any-return]


def blackman(x: Any) -> Array:
    """Blackman's window of ``x`` points."""
    return _window(np.blackman, x)  # type: ignore[no-any-return]


def hamming(x: Any) -> Array:
    """Hamming's window of ``x`` points."""
    return _window(np.hamming, x)  # type: ignore[no-any-return]


def hanning(x: Any) -> Array:
    """Hann's window of ``x`` points."""
    return _window(np.hanning, x)  # type: ignore[no-any-return]


def kaiser(x: Any, beta: float) -> Array:
    """Kaiser's window of ``x`` points; the larger ``beta`` the narrower."""
    return _window(np.kaiser, x, float(beta))  # type: ignore[no-any-return]


def vectorize(pyfunc: Callable[..., Any], *, excluded: Any = None, signature: str | None = None) -> Callable[..., Any]:
    """A function of numbers made one of arrays, which are broadcast; a loop calls it for each entry.

    Args:
        excluded: positions and names of arguments that are handed over as they are.
        signature: not supported.

    Raises:
        ArgumentError: a signature is given.

    Source: ``keras.ops.vectorize``.
    """
    if signature is not None:
        raise ArgumentError("ops.vectorize: a signature is not supported. Use ops.vectorized_map.")
    kept = set(excluded or ())

    def of_arrays(*args: Any, **kwargs: Any) -> Any:
        numbers = [i for i in range(len(args)) if i not in kept]
        extents = np.broadcast_shapes(*(np.shape(args[i]) for i in numbers))
        each = {i: PRIMITIVES["Ravel"](PRIMITIVES["BroadcastTo"](args[i], extents)) for i in numbers}
        made = [
            pyfunc(*(each[i][entry] if i in each else arg for i, arg in enumerate(args)), **kwargs)
            for entry in range(int(np.prod(extents)))
        ]
        return PRIMITIVES["Reshape"](PRIMITIVES["Stack"](made), extents)

    return of_arrays
