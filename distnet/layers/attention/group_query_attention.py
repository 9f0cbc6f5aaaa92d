"""Attention whose keys and values have fewer heads than its queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

import numpy as np

from distnet.arguments import COUNT, FRACTION, number
from distnet.errors import ArgumentError
from distnet.layers.attention.multi_head_attention import GateAndSeed, Looks, MultiHeadAttention
from distnet.layers.attention.projection import HeadProjection
from distnet.layers.engine.base import Layer, register_layer
from distnet.layers.engine.context import BackwardContext, BuildContext, ForwardContext
from distnet.layers.engine.field_blocks import OfKernelAndBias
from distnet.types import Array


@dataclass
class RepeatedProjection(HeadProjection):
    """An affine map for some heads, each of which stands for several in a row.

    Args:
        heads: of the map.
        times: how many each stands for.
    """

    heads: int
    times: int

    def forward(self, name: str, x: Array, ctx: ForwardContext) -> Array:
        made = super().forward(f"{name} of groups", x, ctx)
        y = made.reshape(len(x), self.heads, made.shape[1] // self.heads)
        repeated = ctx.workspace(name, (len(x), self.heads, self.times, y.shape[2]), x.dtype)
        ctx.do(np.copyto, repeated, y[:, :, None])
        return repeated.reshape(len(x), self.heads * self.times * y.shape[2])

    def add_gradients(self, dy: Array, x: Array, ctx: BackwardContext) -> None:
        super().add_gradients(self._summed(dy, "to add", ctx), x, ctx)

    def input_gradient(self, name: str, dy: Array, x: Array, ctx: BackwardContext) -> Array:
        return super().input_gradient(name, self._summed(dy, name, ctx), x, ctx)

    def _summed(self, dy: Array, name: str, ctx: BackwardContext) -> Array:
        width = dy.shape[1] // (self.heads * self.times)
        of_heads = ctx.workspace(f"{name} of groups", (len(dy), self.heads, width), dy.dtype)
        ctx.do(np.sum, dy.reshape(len(dy), self.heads, self.times, width), axis=2, out=of_heads)
        return of_heads.reshape(len(dy), self.heads * width)


_SHARED = ("dropout", "use_bias", *(f.name for block in (Looks, OfKernelAndBias, GateAndSeed) for f in fields(block)))
"""The fields that are those of ``MultiHeadAttention``."""


class GroupedHeads(MultiHeadAttention):
    """A ``MultiHeadAttention`` in which groups of heads share keys and values."""

    groups: int

    def _projection(
        self, name: str, given: tuple[int, ...], made: tuple[int, ...], ctx: BuildContext
    ) -> HeadProjection:
        if name not in ("key", "value"):
            return super()._projection(name, given, made, ctx)
        heads, width = made
        shared = super()._projection(name, given, (self.groups, width), ctx)
        return RepeatedProjection(shared.kernel, shared.bias, self.groups, heads // self.groups)


@dataclass(eq=False)
class SizesOfGroups:
    """Fields that only a ``GroupedQueryAttention`` has."""

    head_dim: int = field(metadata=COUNT)
    num_query_heads: int = field(metadata=COUNT)
    num_key_value_heads: int = field(metadata=COUNT)
    dropout: float = number(0.0, FRACTION)
    use_bias: bool = True


@register_layer("GroupQueryAttention")
@dataclass(eq=False)
class GroupedQueryAttention(GateAndSeed, OfKernelAndBias, Looks, SizesOfGroups, Layer):
    """A ``MultiHeadAttention`` in which groups of query heads share a head of keys and values; it is called like one.

    Shapes:
        query (N, T, D), value (N, S, E), key (N, S, F) -> (N, T, D), and (N, num_query_heads, T, S) with
        ``return_attention_scores``.

    Args:
        head_dim: size of each head's queries, keys and values.
        num_query_heads: a multiple of num_key_value_heads.
        num_key_value_heads: heads of keys and values.
        dropout: rate for the attention weights.
        sliding_window: a query attends only to keys that are fewer steps away than this.
        flash_attention: ignored.
        use_gate: whether the heads' results are multiplied by the sigmoid of another projection of the query.

    Source: Ainslie et al., 2023 (arXiv:2305.13245); ``keras.layers.GroupQueryAttention``.
    """

    supports_masking: ClassVar[bool] = True
    passes_given_masks: ClassVar[bool] = False
    repeats: ClassVar[bool] = True
    call_arguments: ClassVar[tuple[str, ...]] = MultiHeadAttention.call_arguments
    keras_objects: ClassVar[Mapping[str, str]] = {
        name: f"_{attribute.removeprefix('_')}" for name, attribute in MultiHeadAttention.keras_objects.items()
    }

    def validate(self) -> None:
        if self.num_query_heads % self.num_key_value_heads:
            raise ArgumentError(
                f"{self.name}: expected num_query_heads to be a multiple of num_key_value_heads, received "
                f"{self.num_query_heads} and {self.num_key_value_heads}."
            )
        self.heads = GroupedHeads(
            self.num_query_heads,
            self.head_dim,
            **{name: getattr(self, name) for name in _SHARED},
            activity_regularizer=self.activity_regularizer,
            name=self.name,
            dtype=self.dtype,
        )
        self.heads.groups = self.num_key_value_heads

    def bind(self, inputs: Any, *args: Any, **kwargs: Any) -> tuple[list[Any], dict[str, Any]]:
        """As ``MultiHeadAttention``."""
        return self.heads.bind(inputs, *args, **kwargs)

    def all_shapes(self, given: Any) -> Any:
        return self.heads.all_shapes(given)

    def build(self, shape: Any, ctx: BuildContext) -> None:
        if any(len(part) != 3 for part in shape[:3]):
            raise ArgumentError(f"{self.name}: expected query, value and key of shape (N, T, D), received {shape}.")
        self.heads.build(shape, ctx)

    def check_shape(self, shape: Any) -> None:
        self.heads.check_shape(shape)

    def compute_output_shape(self, query_shape: Any, value_shape: Any = None, key_shape: Any = None) -> Any:
        """Shape of the output: that of the query."""
        return self.heads.compute_output_shape(query_shape, value_shape, key_shape)

    def compute_call_shape(self, shape: Any, options: Mapping[str, Any]) -> Any:
        return self.heads.compute_call_shape(shape, options)

    def compute_mask(self, x: Any, mask: Any) -> Any:
        return self.heads.compute_mask(x, mask)

    def forward(self, x: Sequence[Array], ctx: ForwardContext) -> tuple[Any, Any]:
        return self.heads.forward(list(x), ctx)

    def backward(self, dy: Any, saved: Any, ctx: BackwardContext) -> list[Array | None]:
        return self.heads.backward(dy, saved, ctx)


GroupQueryAttention = GroupedQueryAttention
"""Keras's name for those who import it; its files have the other one."""
