"""Products of matrices, and of tensors along axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from string import ascii_letters
from typing import Any

import numpy as np

from distnet.errors import ShapeError
from distnet.kernels import matrix_products
from distnet.ops.compositions import composition
from distnet.ops.dtypes import promoted
from distnet.ops.einsum_letters import einsum_of
from distnet.ops.operators import PRIMITIVES
from distnet.ops.primitive import Primitive, primitive
from distnet.ops.spread import is_spread, rowwise
from distnet.types import Array, ArrayLike


def _by_rows_of_first(function: Primitive, operands: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """The rows of a batch times a matrix, or times matrices one for each row."""
    a, b = operands
    if is_spread(a) and a.ndim > 1 and not is_spread(b) and np.ndim(b) <= 2:
        return rowwise(function, operands, options)
    if is_spread(a) and is_spread(b) and a.ndim == b.ndim > 2:
        return rowwise(function, operands, options)
    return None


@primitive(2, spread=_by_rows_of_first)
def matmul(x1: ArrayLike, x2: ArrayLike) -> Array:
    """The product of matrices, which the last two axes are; others are broadcast.

    Shapes:
        (..., M, K), (..., K, N) -> (..., M, N); a vector counts as a row, or as a column.

    Source: ``keras.ops.matmul``.
    """
    return matrix_products.product_of(*promoted(x1, x2))


def _swapped(x: Any) -> Any:
    return x.swapaxes(-1, -2) if type(x) is np.ndarray else PRIMITIVES["Swapaxes"](x, -1, -2)


def _product(a: Any, b: Any) -> Any:
    """Of arrays and of tensors."""
    return matmul.value(a, b) if type(a) is type(b) is np.ndarray else matmul(a, b)


def _of_first(dy: Any, y: Any, a: Any, b: Any) -> Any:
    if b.ndim == 1:
        return dy[..., None] * b
    if a.ndim == 1:
        return PRIMITIVES["Sum"](dy[..., None, :] * b, axis=-1)
    return _product(dy, _swapped(b))


def _of_second(dy: Any, y: Any, a: Any, b: Any) -> Any:
    if b.ndim == 1:
        return dy[..., None] * a
    if a.ndim == 1:
        return dy[..., None, :] * a[:, None]
    if a.ndim > 2 and b.ndim == 2:
        rows = a.reshape((-1, a.shape[-1]))
        return _product(_swapped(rows), dy.reshape((-1, dy.shape[-1])))
    return _product(_swapped(a), dy)


def _write_of_second(dy: Any, y: Any, a: Any, b: Any, out: Any) -> Any:
    """Of a matrix that a batch of rows is multiplied with."""
    if a.ndim == 1 or b.ndim != 2 or not a.dtype == dy.dtype == out.dtype:
        return None
    rows, slopes = (matrix_products.for_blas(x.reshape(-1, x.shape[-1])) for x in (a, dy))
    return matrix_products.by_blas(rows.T, slopes, out=out)


matmul.has_gradients(_of_first, _of_second)
matmul.can_write(None, _write_of_second)


def letters(count: int, first: int = 0) -> str:
    """So many letters for axes."""
    return ascii_letters[first : first + count]


def contracted(name: str, x1: Any, x2: Any, axes1: Sequence[int], axes2: Sequence[int]) -> Any:
    """Products summed over matching axes; the result has the other axes of the first, then those of the second.

    Raises:
        ShapeError: the extents of matching axes differ.
    """
    n1, n2, shapes = np.ndim(x1), np.ndim(x2), (tuple(np.shape(x1)), tuple(np.shape(x2)))
    extents = [(shapes[0][i % n1], shapes[1][j % n2]) for i, j in zip(axes1, axes2, strict=True)]
    if any(a != b for a, b in extents):
        raise ShapeError(
            f"ops.{name}: expected the same extents of the axes that are summed over, {list(axes1)} and "
            f"{list(axes2)}, received tensors of shapes {shapes[0]} and {shapes[1]}."
        )
    one, two = letters(n1), list(letters(n2, n1))
    for i, j in zip(axes1, axes2, strict=True):
        two[j % n2] = one[i % n1]
    summed = {one[i % n1] for i in axes1}
    made = "".join(c for c in [*one, *two] if c not in summed)
    return einsum_of(x1, x2, subscripts=f"{one},{''.join(two)}->{made}")


@composition(2)
def dot(x1: Any, x2: Any) -> Any:
    """The product of vectors or matrices; of more axes the last of the first with the last but one of the second.

    Source: ``keras.ops.dot``.
    """
    if np.ndim(x1) == 0 or np.ndim(x2) == 0:
        return PRIMITIVES["Multiply"](x1, x2)
    if np.ndim(x2) <= 2:
        return matmul(x1, x2)
    return contracted("dot", x1, x2, [-1], [-2])


@composition(2)
def inner(x1: Any, x2: Any) -> Any:
    """Products summed over the last axes."""
    if np.ndim(x1) == 0 or np.ndim(x2) == 0:
        return PRIMITIVES["Multiply"](x1, x2)
    return contracted("inner", x1, x2, [-1], [-1])


@composition(2)
def vdot(x1: Any, x2: Any) -> Any:
    """The product of two tensors' entries, summed; the first is conjugated."""
    one = np.conj(x1) if isinstance(x1, np.ndarray) and x1.dtype.kind == "c" else x1
    return contracted("vdot", PRIMITIVES["Ravel"](one), PRIMITIVES["Ravel"](x2), [0], [0])


@composition(2)
def outer(x1: Any, x2: Any) -> Any:
    """The products of all entries of the first with all of the second."""
    return PRIMITIVES["Multiply"](PRIMITIVES["Reshape"](x1, (-1, 1)), PRIMITIVES["Reshape"](x2, (1, -1)))


@composition(2)
def tensordot(x1: Any, x2: Any, axes: Any = 2) -> Any:
    """Products summed over axes.

    Args:
        axes: how many of the last of the first are summed with the first of the second; or the axes of each.

    Source: ``keras.ops.tensordot``.
    """
    if isinstance(axes, int):
        return contracted("tensordot", x1, x2, range(np.ndim(x1) - axes, np.ndim(x1)), range(axes))
    one, two = ([axis] if isinstance(axis, int) else list(axis) for axis in axes)
    return contracted("tensordot", x1, x2, one, two)


@composition(2)
def kron(x1: Any, x2: Any) -> Any:
    """Kronecker's product: the second tensor, multiplied by each entry of the first."""
    ndim = max(np.ndim(x1), np.ndim(x2))
    one, two = ((1,) * (ndim - np.ndim(x)) + np.shape(x) for x in (x1, x2))
    apart = PRIMITIVES["Reshape"](x1, tuple(n for pair in one for n in (pair, 1)))
    inside = PRIMITIVES["Reshape"](x2, tuple(n for pair in two for n in (1, pair)))
    return PRIMITIVES["Reshape"](
        PRIMITIVES["Multiply"](apart, inside), tuple(a * b for a, b in zip(one, two, strict=True))
    )


@composition(2)
def cross(x1: Any, x2: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Any:
    """The cross product of vectors of 3 or 2 entries, along an axis; of two of 2 it is a number.

    Source: ``keras.ops.cross``.
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    parts = [_entries(x1, axisa), _entries(x2, axisb)]
    a, b = parts
    z = a[0] * b[1] - a[1] * b[0]
    if len(a) == len(b) == 2:
        return z
    x, y = (_third(i, a, b) for i in (0, 1))
    each = PRIMITIVES["Stack"]([x, y, z], axis=-1)
    return PRIMITIVES["Moveaxis"](each, -1, axisc)


def _entries(x: Any, axis: int) -> list[Any]:
    moved = PRIMITIVES["Moveaxis"](x, axis, -1)
    return [moved[..., i] for i in range(moved.shape[-1])]


def _third(place: int, a: list[Any], b: list[Any]) -> Any:
    """The first or the second entry of a cross product, of which one factor may lack a third entry."""
    other = 1 - place
    products = [a[other] * b[2]] if len(b) == 3 else []
    products += [-(a[2] * b[other])] if len(a) == 3 else []
    total = products[0] if len(products) == 1 else products[0] + products[1]
    return total if place == 0 else -total


@composition(2, module="math", kind="CDist")
def cdist(x: Any, y: Any) -> Any:
    """The distances between each vector of one set and each of another.

    Shapes:
        (..., M, D), (..., N, D) -> (..., M, N).

    Raises:
        ShapeError: fewer than two axes, or vectors of different lengths.

    Source: ``keras.ops.cdist``.
    """
    if np.ndim(x) < 2 or np.ndim(y) < 2 or np.shape(x)[-1] != np.shape(y)[-1]:
        raise ShapeError(f"ops.cdist: expected (..., M, D) and (..., N, D), received {np.shape(x)} and {np.shape(y)}.")
    apart = PRIMITIVES["Subtract"](PRIMITIVES["ExpandDims"](x, -2), PRIMITIVES["ExpandDims"](y, -3))
    return PRIMITIVES["Sqrt"](PRIMITIVES["Sum"](apart * apart, axis=-1))
