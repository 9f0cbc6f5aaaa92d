"""Indices turned into vectors, and vectors into scores of indices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from distnet import ops
from distnet.arguments import POSITIVE, number
from distnet.errors import ArgumentError
from distnet.layers.core.embedding import Embedding
from distnet.layers.engine.base import register_layer
from distnet.layers.engine.context import BuildContext
from distnet.types import Shape


@register_layer()
@dataclass(eq=False)
class ReversibleEmbedding(Embedding):
    """A vector for each index; called with ``reverse=True``, a score of each index for a vector: ``y = x E^T``.

    Shapes:
        (N, ...) integers in [0, input_dim) -> (N, ..., output_dim);
        (N, ..., output_dim) -> (N, ..., input_dim) in reverse.

    Args:
        tie_weights: whether E is the matrix of the vectors; else it is another weight, ``reverse_embeddings``.
        mask_zero: whether index 0 stands for a time step that does not count; scores have no mask.
        reverse_dtype: computes the scores; they are returned in the layer's dtype.
        logit_soft_cap: if given, scores become ``c tanh(y / c)``.

    Source: ``keras.layers.ReversibleEmbedding``; Press and Wolf, 2016 (arXiv:1608.05859).
    """

    taken_by_name: ClassVar[tuple[str, ...]] = ("weights",)

    tie_weights: bool = True
    reverse_dtype: str | None = None
    logit_soft_cap: float | None = number(None, POSITIVE)

    def validate(self) -> None:
        if self.reverse_dtype not in (None, *self.dtypes):
            raise ArgumentError(
                f"{self.name}: reverse_dtype: expected one of {self.dtypes}, received {self.reverse_dtype!r}."
            )

    def build(self, shape: Shape, ctx: BuildContext) -> None:
        super().build(shape, ctx)
        if not self.tie_weights:
            turned = (self.output_dim, self.input_dim)
            self.reverse_embeddings = ctx.variable("reverse_embeddings", turned, self.embeddings_initializer)

    def call(self, inputs: Any, reverse: bool = False) -> Any:
        if reverse:
            return self._scores(inputs)
        y = super().call(inputs)
        if self.mask_zero:
            y._keras_mask = ops.not_equal(inputs, 0)
        return y

    def compute_mask(self, x: Any, mask: Any = None) -> None:
        """None: ``call`` says the mask of vectors, and scores have none."""

    def _scores(self, x: Any) -> Any:
        matrix: Any = ops.transpose(self.embeddings) if self.tie_weights else self.reverse_embeddings
        if self.reverse_dtype is not None:
            x, matrix = ops.cast(x, self.reverse_dtype), ops.cast(matrix, self.reverse_dtype)
        y = ops.matmul(x, matrix)
        cap = self.logit_soft_cap
        return y if cap is None else ops.tanh(y / cap) * cap
