"""Matrices as products of simpler ones. Gradients stop where two eigenvalues, or two singular values, are equal."""

from __future__ import annotations

from typing import Any

import numpy as np

from distnet.errors import ArgumentError
from distnet.ops.dtypes import floating
from distnet.ops.linalg.matrices import (
    each_matrix,
    identity_like,
    inverted,
    product,
    symmetric,
    told,
    transposed,
)
from distnet.ops.operators import PRIMITIVES
from distnet.ops.primitive import primitive
from distnet.types import Array, ArrayLike


@primitive(module="linalg", spread=each_matrix)
def cholesky(x: ArrayLike, upper: bool = False) -> Array:
    """The lower triangular L with ``L L^T = x``, or its transpose, of symmetric positive definite matrices.

    Source: ``keras.ops.cholesky``.
    """
    given = floating(x)
    with told("cholesky"):
        factor = np.linalg.cholesky((given + given.swapaxes(-1, -2)) / 2)
    return np.asarray(factor.swapaxes(-1, -2) if upper else factor)


def _of_cholesky(dy: Any, y: Any, x: Any, upper: bool) -> Any:
    """Source: I. Murray (2016), "Differentiation of the Cholesky decomposition", equation 10."""
    factor, d = (transposed(y), transposed(dy)) if upper else (y, dy)
    inverse = inverted(factor)
    inner = PRIMITIVES["Tril"](product(transposed(factor), d))
    inner = inner - 0.5 * inner * identity_like(x, x.shape[-1])
    return symmetric(product(transposed(inverse), inner, inverse))


cholesky.has_gradients(_of_cholesky)


def _diagonal(vector: Any) -> Any:
    """The matrices with these diagonals."""
    return vector[..., None] * np.eye(vector.shape[-1], dtype=vector.dtype)


def _differences(w: Any) -> Any:
    """``1 / (w_j - w_i)`` and 0 on the diagonal."""
    eye = np.eye(w.shape[-1], dtype=w.dtype)
    return (1 - eye) / (w[..., None, :] - w[..., :, None] + eye)


@primitive(module="linalg", returns_many=True, spread=each_matrix)
def eigh(x: ArrayLike) -> tuple[Array, Array]:
    """Eigenvalues, the smallest first, and eigenvectors, as columns, of symmetric matrices.

    Source: ``keras.ops.eigh``.
    """
    given = floating(x)
    with told("eigh"):
        values, vectors = np.linalg.eigh((given + given.swapaxes(-1, -2)) / 2)
    return np.asarray(values), np.asarray(vectors)


def _of_eigh(dy: Any, y: Any, x: Any) -> Any:
    """Source: M. Giles (2008), "Collected matrix derivative results", section 3.1."""
    (dw, dv), (w, v) = dy, y
    inner = _diagonal(dw) + _differences(w) * product(transposed(v), dv)
    return symmetric(product(v, inner, transposed(v)))


eigh.has_gradients(_of_eigh)


@primitive(module="linalg", returns_many=True, spread=each_matrix)
def eig(x: ArrayLike) -> tuple[Array, Array]:
    """Complex eigenvalues and eigenvectors, as columns, of square matrices; they have no gradients here.

    Source: ``keras.ops.eig``.
    """
    given = floating(x)
    with told("eig"):
        values, vectors = np.linalg.eig(given)
    kind = np.result_type(given.dtype, np.complex64)
    return np.asarray(values, kind), np.asarray(vectors, kind)


@primitive(module="linalg", kind="SVD", returns_many=True, spread=each_matrix)
def singular_parts(x: ArrayLike, full_matrices: bool = True, compute_uv: bool = True) -> tuple[Array, ...]:
    """``svd`` with its parts."""
    with told("svd"):
        return tuple(np.asarray(part) for part in np.linalg.svd(floating(x), full_matrices))


def _of_svd(dy: Any, y: Any, x: Any, full_matrices: bool, compute_uv: bool) -> Any:
    """Source: J. Townsend (2016), "Differentiating the singular value decomposition", equation 31."""
    if full_matrices and x.shape[-1] != x.shape[-2]:
        raise ArgumentError(
            f"ops.svd: of matrices {tuple(x.shape[-2:])} that are not square, only the thin decomposition has a "
            "gradient. Use full_matrices=False."
        )
    (du, ds, dvh), (u, s, vh) = dy, y
    v, dv = transposed(vh), transposed(dvh)
    factor = _differences(s * s)
    left, right = product(transposed(u), du), product(transposed(v), dv)
    sigma = _diagonal(s)
    inner = product(factor * (left - transposed(left)), sigma) + product(sigma, factor * (right - transposed(right)))
    dx = product(u, inner + _diagonal(ds), vh)
    if x.shape[-2] > x.shape[-1]:
        outside = identity_like(x, x.shape[-2]) - product(u, transposed(u))
        dx = dx + product(outside, du / s[..., None, :], vh)
    if x.shape[-1] > x.shape[-2]:
        outside = identity_like(x, x.shape[-1]) - product(v, vh)
        dx = dx + product(u / s[..., None, :], dvh, outside)
    return dx


singular_parts.has_gradients(_of_svd)


def svd(x: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """``u, s, vh`` with ``x = u diag(s) vh``: the singular values, the largest first, between orthogonal matrices.

    Args:
        full_matrices: whether ``u`` and ``vh`` are square; then those of matrices that are not have no gradient.
        compute_uv: False for the singular values alone.

    Source: ``keras.ops.svd``.
    """
    return singular_parts(x, full_matrices) if compute_uv else singular_parts(x, False)[1]


@primitive(module="linalg", returns_many=True, spread=each_matrix)
def qr(x: ArrayLike, mode: str = "reduced") -> tuple[Array, Array]:
    """``q, r`` with ``x = q r``: orthonormal columns, and an upper triangular matrix.

    Args:
        mode: ``"reduced"``, or ``"complete"`` for a square ``q``.

    Source: ``keras.ops.qr``.
    """
    if mode not in ("reduced", "complete"):
        raise ArgumentError(f"ops.qr: expected mode 'reduced' or 'complete', received {mode!r}.")
    q, r = np.linalg.qr(floating(x), "complete" if mode == "complete" else "reduced")
    return np.asarray(q), np.asarray(r)


def _of_qr(dy: Any, y: Any, x: Any, mode: str) -> Any:
    """Source: S. Walter and L. Lehmann (2018), "Algorithmic differentiation of linear algebra", section 4.3."""
    (dq, dr), (q, r) = dy, y
    if r.shape[-1] != r.shape[-2]:
        raise ArgumentError(
            f"ops.qr: the decomposition of {tuple(x.shape[-2:])} in mode {mode!r} has no gradient. Use mode='reduced' "
            "for matrices with as many rows as columns at least."
        )
    inner = product(r, transposed(dr)) - product(transposed(dq), q)
    lower = PRIMITIVES["Tril"](inner)
    inner = lower + transposed(PRIMITIVES["Tril"](inner, -1))
    return product(dq + product(q, inner), transposed(inverted(r)))


qr.has_gradients(_of_qr)


@primitive(module="linalg", returns_many=True, spread=each_matrix)
def lu_factor(x: ArrayLike) -> tuple[Array, Array]:
    """Triangular factors in one matrix, and which row each was changed for.

    Source: ``keras.ops.lu_factor``; G. Golub and C. Van Loan, "Matrix computations", algorithm 3.4.1.
    """
    packed = np.array(floating(x))
    rows, columns = packed.shape[-2:]
    pivots = np.zeros((*packed.shape[:-2], min(rows, columns)), np.int32)
    for place in np.ndindex(packed.shape[:-2]):
        a = packed[place]
        for k in range(min(rows, columns)):
            best = k + int(np.argmax(np.abs(a[k:, k])))
            pivots[(*place, k)] = best
            a[[k, best]] = a[[best, k]]
            if a[k, k]:
                a[k + 1 :, k] /= a[k, k]
                a[k + 1 :, k + 1 :] -= np.outer(a[k + 1 :, k], a[k, k + 1 :])
    return packed, pivots


def _of_lu(dy: Any, y: Any, x: Any) -> Any:
    """Source: M. Seeger et al. (2017), "Auto-differentiating linear algebra", appendix."""
    if x.shape[-1] != x.shape[-2]:
        raise ArgumentError(f"ops.lu_factor: matrices {tuple(x.shape[-2:])} that are not square have no gradient.")
    d, (packed, pivots) = dy[0], y
    eye = identity_like(x, x.shape[-1])
    lower, upper = PRIMITIVES["Tril"](packed, -1) + eye, PRIMITIVES["Triu"](packed)
    inner = PRIMITIVES["Tril"](product(transposed(lower), PRIMITIVES["Tril"](d, -1)), -1)
    inner = inner + PRIMITIVES["Triu"](product(PRIMITIVES["Triu"](d), transposed(upper)))
    made = product(transposed(inverted(lower)), inner, transposed(inverted(upper)))
    return product(np.swapaxes(_permutations(getattr(pivots, "value", pivots), x), -1, -2), made)


def _permutations(pivots: Array, x: Any) -> Array:
    """The matrices that put rows where the pivots did."""
    made = np.zeros(x.shape, x.dtype)
    for place in np.ndindex(pivots.shape[:-1]):
        order = np.arange(x.shape[-1])
        for k, best in enumerate(pivots[place]):
            order[[k, best]] = order[[best, k]]
        made[(*place, np.arange(len(order)), order)] = 1
    return made


lu_factor.has_gradients(_of_lu)
