"""Inverses, determinants and linear equations."""

from __future__ import annotations

from typing import Any

import numpy as np

from distnet.ops.compositions import composition
from distnet.ops.dtypes import floating, promoted
from distnet.ops.linalg.matrices import each_matrix, identity_like, inverted, product, told, transposed
from distnet.ops.operators import PRIMITIVES
from distnet.ops.primitive import primitive
from distnet.types import Array, ArrayLike


@primitive(module="linalg", spread=each_matrix)
def inv(x: ArrayLike) -> Array:
    """The inverses of square matrices.

    Source: ``keras.ops.inv``.
    """
    with told("inv"):
        return np.asarray(np.linalg.inv(floating(x)))


inv.has_gradients(lambda dy, y, x: -product(transposed(y), dy, transposed(y)))


@primitive(module="linalg", spread=each_matrix)
def det(x: ArrayLike) -> Array:
    """The determinants of square matrices. The gradient needs their inverses.

    Source: ``keras.ops.det``.
    """
    with told("det"):
        return np.asarray(np.linalg.det(floating(x)))


det.has_gradients(lambda dy, y, x: (dy * y)[..., None, None] * transposed(inverted(x)))


@primitive(returns_many=True, spread=each_matrix)
def slogdet(x: ArrayLike) -> tuple[Array, Array]:
    """The signs of determinants, and the logarithms of their absolute values.

    Source: ``keras.ops.slogdet``.
    """
    with told("slogdet"):
        sign, logarithm = np.linalg.slogdet(floating(x))
    return np.asarray(sign), np.asarray(logarithm)


slogdet.has_gradients(lambda dy, y, x: dy[1][..., None, None] * transposed(inverted(x)))


@composition(module="math")
def logdet(x: Any) -> Any:
    """The logarithms of the absolute values of determinants.

    Source: ``keras.ops.logdet``.
    """
    return slogdet(x)[1]


@primitive(2, module="linalg", spread=each_matrix)
def solve(a: ArrayLike, b: ArrayLike) -> Array:
    """``x`` of ``a x = b``; b is a vector, or matrices whose columns are.

    Source: ``keras.ops.solve``.
    """
    one, two = promoted(floating(a), floating(b))
    with told("solve"):
        return np.asarray(np.linalg.solve(one, two))


def _of_right(dy: Any, a: Any) -> Any:
    return solve(transposed(a), dy)


def _of_left(dy: Any, y: Any, a: Any) -> Any:
    db = _of_right(dy, a)
    return -(db[:, None] * y if y.ndim == 1 else product(db, transposed(y)))


solve.has_gradients(lambda dy, y, a, b: _of_left(dy, y, a), lambda dy, y, a, b: _of_right(dy, a))


@composition(2, module="linalg")
def solve_triangular(a: Any, b: Any, lower: bool = False) -> Any:
    """``x`` of ``a x = b`` for triangular matrices; what lies on their other side does not count.

    Source: ``keras.ops.solve_triangular``.
    """
    triangle = PRIMITIVES["Tril" if lower else "Triu"](a)
    if np.ndim(b) > 1 and np.ndim(b) == np.ndim(a) - 1:
        return solve(triangle, PRIMITIVES["ExpandDims"](b, -1))[..., 0]
    return solve(triangle, b)


@composition(module="linalg")
def cholesky_inverse(x: Any, upper: bool = False) -> Any:
    """The inverse of the matrix whose Cholesky factor is ``x``.

    Source: ``keras.ops.cholesky_inverse``.
    """
    given = PRIMITIVES["ConvertToTensor"](x)
    inverse = solve_triangular(given, identity_like(given, given.shape[-1]), lower=not upper)
    return product(inverse, transposed(inverse)) if upper else product(transposed(inverse), inverse)


@primitive(module="linalg", spread=each_matrix)
def pinv(x: ArrayLike, rcond: float | None = None) -> Array:
    """Moore and Penrose's pseudoinverses.

    Args:
        rcond: singular values below this share of the largest count as 0.

    Source: ``keras.ops.pinv``.
    """
    given = floating(x)
    least = 10 * max(given.shape[-2:]) * float(np.finfo(given.dtype).eps) if rcond is None else rcond
    with told("pinv"):
        return np.asarray(np.linalg.pinv(given, least))


def _of_pinv(dy: Any, y: Any, x: Any, rcond: float | None) -> Any:
    """Source: Golub and Pereyra (1973), equation 4.12."""
    back, g = transposed(y), transposed(dy)
    left = identity_like(x, x.shape[-2]) - product(x, y)
    right = identity_like(x, x.shape[-1]) - product(y, x)
    return product(left, g, y, back) + product(back, y, g, right) - product(back, dy, back)


pinv.has_gradients(_of_pinv)


@composition(2, module="linalg")
def lstsq(a: Any, b: Any, rcond: float | None = None) -> Any:
    """The least ``x`` for which ``a x`` is closest to ``b``.

    Source: ``keras.ops.lstsq``.
    """
    return PRIMITIVES["Matmul"](pinv(a, rcond), b)


@primitive(module="linalg", spread=each_matrix)
def matrix_rank(x: ArrayLike, tol: float | None = None) -> Array:
    """How many singular values of matrices are larger than ``tol``.

    Args:
        tol: by default the largest one times the larger extent times the distance of 1 from the next number.

    Source: ``keras.ops.matrix_rank``.
    """
    with told("matrix_rank"):
        return np.asarray(np.linalg.matrix_rank(floating(x), tol), np.int32)
