"""The affine maps within an attention of several heads."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from distnet.initializers import Initializer
from distnet.kernels import matrix_products
from distnet.layers.engine.context import BackwardContext, ForwardContext
from distnet.types import Array, DType
from distnet.variables import Variable


@dataclass
class HeadProjection:
    """An affine map of the features of some steps, for all heads at once.

    Args:
        kernel: a matrix (I, O), in whatever shape Keras gives it.
        bias: (O,) likewise, or None.
    """

    kernel: Variable
    bias: Variable | None

    def forward(self, name: str, x: Array, ctx: ForwardContext) -> Array:
        """(R, I) -> (R, O) in memory called ``name``."""
        kernel = self.kernel.value.reshape(x.shape[1], -1)
        y = ctx.workspace(name, (len(x), kernel.shape[1]), x.dtype)
        ctx.do(matrix_products.multiply, x, kernel, out=y)
        if self.bias is not None:
            ctx.do(ctx.kernels.bias_activation, y, self.bias.value.reshape(-1), "linear")
        return y

    def add_gradients(self, dy: Array, x: Array, ctx: BackwardContext) -> None:
        """Hand kernel and bias their gradients."""
        ctx.add_product(self.kernel, x.T, dy)
        if self.bias is not None:
            ctx.add_sum(self.bias, dy.reshape(len(dy), *self.bias.shape), axis=0)

    def input_gradient(self, name: str, dy: Array, x: Array, ctx: BackwardContext) -> Array:
        """The gradient of ``x`` in memory called ``name``."""
        kernel = self.kernel.value.reshape(x.shape[1], dy.shape[1])
        dx = ctx.workspace(name, x.shape, x.dtype)
        ctx.do(matrix_products.multiply, dy, kernel.T, out=dx)
        return dx


@dataclass(eq=False)
class AsMatrix(Initializer):
    """Draws a matrix and gives it another shape, so that a random scale counts all inputs and all outputs."""

    of: Initializer
    matrix: tuple[int, int]

    def __post_init__(self) -> None:
        self.seed = self.of.seed

    def draw(self, shape: tuple[int, ...], dtype: DType, rng: np.random.Generator) -> Array:
        return self.of.draw(self.matrix, dtype, rng).reshape(shape)


def as_matrix(x: Array, axes: int) -> Array:
    """The first ``axes`` axes as one, and the others as one."""
    return x.reshape(math.prod(x.shape[:axes]), math.prod(x.shape[axes:]))
