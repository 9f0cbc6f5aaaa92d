"""Indices turned into vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from distnet.arguments import COUNT
from distnet.constraints import CONSTRAINTS, Constraint
from distnet.errors import DataError
from distnet.initializers import INITIALIZERS, Initializer
from distnet.layers.engine.base import KerasTensor, Layer, register_layer
from distnet.layers.engine.context import BackwardContext, BuildContext, ForwardContext
from distnet.layers.engine.declared import as_shape
from distnet.layers.operations import applied
from distnet.registry import LEFT_OUT, Resolved
from distnet.regularizers import REGULARIZERS, Regularizer
from distnet.types import Array, Shape


@register_layer()
@dataclass(eq=False)
class Embedding(Layer):
    """A vector for each index: row i of a matrix of weights.

    Shapes:
        (N, ...) integers in [0, input_dim) -> (N, ..., output_dim).

    Args:
        input_dim: size of the vocabulary.
        output_dim: entries of a vector.
        mask_zero: whether index 0 stands for a time step that does not count.
        input_length: Keras 2's way to say the length of a row, as ``input_shape`` does.

    Source: ``keras.layers.Embedding``.
    """

    takes_integers: ClassVar[bool] = True
    repeats: ClassVar[bool] = True

    input_dim: int = field(metadata=COUNT)  # not the length of a row, as on other layers
    output_dim: int = field(metadata=COUNT)
    embeddings_initializer: Resolved[Initializer] = INITIALIZERS.field("uniform")
    embeddings_regularizer: Resolved[Regularizer | None] = REGULARIZERS.optional_field()
    embeddings_constraint: Resolved[Constraint | None] = CONSTRAINTS.optional_field()
    mask_zero: bool = False
    input_length: int | Sequence[int | None] | None = field(default=None, kw_only=True, metadata=LEFT_OUT)

    def build(self, shape: Shape, ctx: BuildContext) -> None:
        self.embeddings = ctx.weight(self, "embeddings", (self.input_dim, self.output_dim))

    def check_shape(self, shape: Shape) -> None:
        """The weights fit indices of any shape."""

    def compute_output_shape(self, shape: Shape) -> Shape:
        return (*shape, self.output_dim)

    @property
    def supports_masking(self) -> bool:  # type: ignore[override]
        """Whether it makes a mask."""
        return self.mask_zero

    @property
    def makes_masks(self) -> bool:  # type: ignore[override]
        """Whether it makes a mask."""
        return self.mask_zero

    def compute_mask(self, x: Any, mask: Any = None) -> Any:
        if self.mask_zero and isinstance(x, KerasTensor):
            return applied("NotEqual", x, 0)
        return np.asarray(x).astype(np.int64) != 0 if self.mask_zero else None

    def forward(self, x: Array, ctx: ForwardContext) -> tuple[Array, Array]:
        indices = ctx.workspace("indices", x.shape, np.dtype(np.intp))
        ctx.do(np.copyto, indices, x, casting="unsafe")
        ctx.do(self._check_range, indices)
        y = ctx.workspace("y", (*x.shape, self.output_dim), self.embeddings.dtype)
        # With mode="raise" NumPy would write into a copy first.
        ctx.do(np.take, self.embeddings.value, indices, axis=0, out=y, mode="clip")
        return y, indices

    def backward(self, dy: Array, saved: Array, ctx: BackwardContext) -> None:
        ctx.add_rows(self.embeddings, saved.reshape(-1), dy.reshape(-1, self.output_dim))

    def _declared_shape(self) -> Shape | None:
        if self.batch_input_shape is not None or self.input_shape is not None:
            return super()._declared_shape()
        if self.input_length is None:
            return None
        return (None, *as_shape(self.input_length, f"{self.name}: input_length"))

    def _check_range(self, indices: Array) -> None:
        if not indices.size:
            return
        low, high = indices.min(), indices.max()
        if low < 0 or high >= self.input_dim:
            wrong = low if low < 0 else high
            place = np.argwhere(indices == wrong)[0].tolist()
            raise DataError(
                f"{self.name}: expected indices from 0 to {self.input_dim - 1}, a vocabulary of {self.input_dim}, "
                f"received {wrong} at {place} of the batch. Raise input_dim, or replace rare words by one index.",
                place[0],
            )
