"""What functions of matrices share: how ranks share a batch of them, and what NumPy's errors mean."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np

from distnet.errors import ArgumentError
from distnet.ops.joining import matched
from distnet.ops.operators import PRIMITIVES
from distnet.ops.primitive import Primitive
from distnet.ops.spread import rowwise

F = TypeVar("F", bound=Callable[..., Any])


def each_matrix(function: Primitive, operands: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """The matrices of a batch, each by itself."""
    if any(np.ndim(operand) < 3 for operand in operands):
        return None
    return rowwise(function, operands, options) if len(operands) == 1 else matched(function, operands, options)


@contextmanager
def told(name: str) -> Iterator[None]:
    """Within the block NumPy's errors about matrices become distnet's."""
    try:
        yield
    except np.linalg.LinAlgError as error:
        raise ArgumentError(f"ops.{name}: {str(error).rstrip('.')}.") from None


def transposed(x: Any) -> Any:
    """The matrices' transposes."""
    return PRIMITIVES["Swapaxes"](x, -1, -2)


def product(*matrices: Any) -> Any:
    """The product of several matrices."""
    y = matrices[0]
    for matrix in matrices[1:]:
        y = PRIMITIVES["Matmul"](y, matrix)
    return y


def symmetric(x: Any) -> Any:
    """The mean of matrices and their transposes."""
    return (x + transposed(x)) * 0.5


def identity_like(x: Any, size: int) -> Any:
    """The identity matrix in the dtype of x."""
    return np.eye(size, dtype=x.dtype)


def inverted(x: Any) -> Any:
    """The inverses of matrices, of tensors or arrays."""
    return PRIMITIVES["Inv"](x)
