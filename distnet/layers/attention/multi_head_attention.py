"""The attention of transformers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self, cast

import numpy as np

from distnet.activations import sigmoid
from distnet.arguments import COUNT, FRACTION, as_numbers, is_integer, number, whole_number
from distnet.errors import ArgumentError, ShapeError
from distnet.kernels.matrix_products import by_blas
from distnet.layers.attention.attended_axes import AttendedAxes, agree, resolved_axes
from distnet.layers.attention.probabilities import (
    MASKED,
    Probabilities,
    as_list,
    dropped,
    score_gradient,
)
from distnet.layers.attention.projection import AsMatrix, HeadProjection, as_matrix
from distnet.layers.attention.refused_steps import refused_steps
from distnet.layers.engine.base import KerasTensor, Layer, register_layer
from distnet.layers.engine.context import BackwardContext, BuildContext, ForwardContext
from distnet.layers.engine.field_blocks import OfKernelAndBias
from distnet.layers.engine.plan import Planned
from distnet.layers.engine.sliding import extents
from distnet.ops.nn.simplex import write_softmax
from distnet.ops.tensor import Tensor
from distnet.registry import IF_SET
from distnet.types import Array, DType, Json


@dataclass
class AttendedHeads:
    """What forward saves for backward.

    Args:
        inputs: query, value, key, and the attention mask if it is an input.
        query, key, value: (N, T, H, K), (N, S, H, K), (N, S, H, V), projected; the query scaled.
        attended: the axes along which they attend, counted in these arrays.
        probabilities: (N, G, T, S), folded.
        refused: bool, broadcast against the probabilities; None if everything is allowed.
        zeroes_refused: whether what is refused has the probability 0, even where nothing is allowed.
        mixed: (N, T, H, V), the heads' results, which are projected to the output.
        gate: (N, T, H, V), factor of ``mixed``, or None.
    """

    inputs: list[Array]
    query: Array
    key: Array
    value: Array
    attended: AttendedAxes
    probabilities: Probabilities
    refused: Array | None
    zeroes_refused: bool
    mixed: Array
    gate: Array | None


@dataclass(eq=False)
class SizesOfHeads:
    """Fields that only a ``MultiHeadAttention`` has."""

    num_heads: int = field(metadata=COUNT)
    key_dim: int = field(metadata=COUNT)
    value_dim: int | None = whole_number(None, 1)
    dropout: float = number(0.0, FRACTION)
    use_bias: bool = True
    output_shape: tuple[int, ...] | None = None
    attention_axes: int | tuple[int, ...] | None = field(default=None, metadata=IF_SET)


@dataclass(eq=False)
class Looks:
    """Fields of all attention of several heads: how far they look."""

    sliding_window: int | None = whole_number(None, 1, IF_SET)
    flash_attention: bool | None = field(default=None, metadata=IF_SET)


@dataclass(eq=False)
class GateAndSeed:
    """Fields of all attention of several heads, the last ones."""

    use_gate: bool = field(default=False, metadata=IF_SET)
    seed: int | None = field(default=None, metadata=IF_SET)


@register_layer()
@dataclass(eq=False)
class MultiHeadAttention(GateAndSeed, OfKernelAndBias, Looks, SizesOfHeads, Layer):
    """Attention with several heads: ``concat_h(softmax(Q_h K_h^T / sqrt(key_dim)) V_h) W``.

    ``Q_h, K_h, V_h`` are affine maps of query, key and value. Called as ``layer(query, value, key=value,
    attention_mask=None, return_attention_scores=False, use_causal_mask=False)``; the inputs' own masks and an
    ``attention_mask`` (N, T, S), true where the query's step t may look at the key's step s, are joined by "and".

    Shapes:
        query (N, T, D), value (N, S, E), key (N, S, F) -> (N, T, D), or (N, T, *output_shape); and
        (N, num_heads, T, S) with ``return_attention_scores``. T and S may be several axes. Those not attended are
        the same in all three, and stand before num_heads in the scores.

    Args:
        num_heads, key_dim, value_dim: number of heads, and size of each head's keys and values (by default key_dim).
        dropout: rate for the attention weights.
        attention_axes: axes of the inputs along which steps attend; by default all.
        sliding_window: a query attends only to keys that are fewer steps away than this.
        flash_attention: ignored.
        use_gate: whether the heads' results are multiplied by the sigmoid of another projection of the query.

    Source: Vaswani et al., 2017 (arXiv:1706.03762); ``keras.layers.MultiHeadAttention``.
    """

    supports_masking: ClassVar[bool] = True
    repeats: ClassVar[bool] = True
    passes_given_masks: ClassVar[bool] = False
    call_arguments: ClassVar[tuple[str, ...]] = (
        "query",
        "value",
        "key",
        "query_mask",
        "value_mask",
        "key_mask",
        "attention_mask",
        "return_attention_scores",
        "training",
        "use_causal_mask",
    )

    keras_objects: ClassVar[Mapping[str, str]] = {
        "query": "query_dense",
        "key": "key_dense",
        "gate": "_gate_dense",
        "value": "value_dense",
        "attention_output": "output_dense",
    }

    def validate(self) -> None:
        self.value_dim = self.key_dim if self.value_dim is None else self.value_dim
        self.output_shape = _extents(self.output_shape, f"{self.name}: output_shape")
        if self.attention_axes is not None:
            self.attention_axes = _axes(self.attention_axes, f"{self.name}: attention_axes")
        if self.activity_regularizer is not None:
            raise ArgumentError(
                f"{self.name}: activity_regularizer: expected none, because Keras penalizes each projection "
                "within the layer. Leave it out, or put layers.ActivityRegularization after it to penalize its output."
            )

    def bind(self, inputs: Any, *args: Any, **kwargs: Any) -> tuple[list[Any], dict[str, Any]]:
        """Accepts ``call_arguments`` besides query and value."""
        named = {**dict(zip(self.call_arguments[1:], args, strict=False)), **kwargs}
        value = named.pop("value", None)
        if value is None:
            raise ArgumentError(f"{self.name}: expected (query, value), received the query alone.")
        key = named.pop("key", None)
        masks = [named.pop(f"{part}_mask", None) for part in ("query", "value", "key")]
        masks[0] = None  # Keras takes the query's own mask, whatever it is given (3.15.1, tf_keras 2.21)
        if key is None and masks[2] is None:
            masks[2] = masks[1]  # without a key the value has no second mask, its own
        attention_mask = named.pop("attention_mask", None)
        own = {flag: True for flag in ("return_attention_scores", "use_causal_mask") if named.pop(flag, False)}
        if any(mask is not None for mask in masks):
            named["mask"] = masks
        tensors, options = super().bind([inputs, value, value if key is None else key], **named)
        if attention_mask is not None:
            if self._is_of_rows(attention_mask, tensors):
                tensors.append(attention_mask)
            else:
                options["attention_mask"] = self._constant_mask(attention_mask, tensors)
        return tensors, {**options, **own}

    def _is_of_rows(self, mask: Any, tensors: list[Any]) -> bool:
        """Whether the mask is an input like the others: a placeholder, or beside tensors one mask for each row."""
        if isinstance(mask, KerasTensor) or not any(isinstance(t, Tensor) for t in tensors):
            return isinstance(mask, KerasTensor)
        rank = len(tensors[0].shape) + 1
        axes = 2 * len(self._attended(rank, scored=rank != 4).attended)
        return np.ndim(mask) > axes and np.shape(mask)[0] != 1

    def all_shapes(self, given: Any) -> Any:
        """If the key is left out, its shape is the value's."""
        return [*given, given[1]] if isinstance(given, list) and len(given) == 2 else given

    def build(self, shape: Any, ctx: BuildContext) -> None:
        self._check(shape)
        of_query, of_value, of_key = (int(part[-1]) for part in shape[:3])
        heads, value_dim = self.num_heads, int(self.value_dim or 0)
        self.query_dense = self._projection("query", (of_query,), (heads, self.key_dim), ctx)
        self.key_dense = self._projection("key", (of_key,), (heads, self.key_dim), ctx)
        if self.use_gate:
            self.gate_dense = self._projection("gate", (of_query,), (heads, value_dim), ctx)
        self.value_dense = self._projection("value", (of_value,), (heads, value_dim), ctx)
        output_shape = self.output_shape or (of_query,)
        self.output_dense = self._projection("attention_output", (heads, value_dim), output_shape, ctx)

    def check_shape(self, shape: Any) -> None:
        self._check(shape)
        for part, projection in zip(shape, (self.query_dense, self.value_dense, self.key_dense), strict=False):
            if part[-1] != projection.kernel.shape[0]:
                raise ShapeError(
                    f"{self.name}: has weights for {projection.kernel.shape[0]} features and cannot take {part[-1]}."
                )

    def compute_output_shape(self, query_shape: Any, value_shape: Any = None, key_shape: Any = None) -> Any:
        """Shape of the output, from the shapes of query, value and key: one by one, as in Keras, or in a list."""
        query = query_shape[0] if isinstance(query_shape, list) and value_shape is None else tuple(query_shape)
        return (*query[:-1], *(self.output_shape or query[-1:]))

    def compute_call_shape(self, shape: Any, options: Mapping[str, Any]) -> Any:
        y = self.compute_output_shape(shape)
        if not options.get("return_attention_scores"):
            return y
        query, key = ((*part[:-1], self.num_heads, self.key_dim) for part in (shape[0], shape[2]))
        return [y, self._attended(len(query), scored=True).scores_shape(query, key)]

    def compute_mask(self, x: Any, mask: Any) -> Any:
        return None if mask is None else mask[0]

    def forward(self, x: list[Array], ctx: ForwardContext) -> tuple[Any, AttendedHeads]:
        query, key, value = self._projected(x, ctx)
        returns_scores = bool(ctx.options.get("return_attention_scores"))
        makes_scores = bool(self.dropout) or returns_scores or query.ndim != 4
        attended = self._attended(query.ndim, makes_scores)
        shape = cast("tuple[int, ...]", attended.scores_shape(query.shape, key.shape))
        q, k, v = (attended.fold(part, name, ctx) for part, name in ((query, "query"), (key, "key"), (value, "value")))
        scores = ctx.workspace("scores", (*q.shape[:3], k.shape[2]), query.dtype)
        ctx.do(by_blas, q, k.swapaxes(2, 3), out=scores)
        refused = refused_steps(x, ctx, attended, shape, self.sliding_window)
        if refused is not None:
            ctx.do(np.copyto, scores, scores.dtype.type(MASKED), where=refused)
        ctx.do(write_softmax, scores, scores, -1)
        if refused is not None and makes_scores:
            # Only if Keras computes the scores does a query that attends to nothing give 0; else the values' mean.
            ctx.do(np.copyto, scores, 0, where=refused)
        probabilities = dropped(scores, self.dropout, self.seed, ctx, self.name)
        mixed = ctx.workspace("mixed", (*query.shape[:-1], value.shape[-1]), query.dtype)
        attended.product(probabilities.used, v, mixed, ctx)
        gate = self._gate(x[0], ctx) if self.use_gate else None
        y = self.output_dense.forward("y", as_matrix(_gated(mixed, gate, ctx), x[0].ndim - 1), ctx)
        y = y.reshape(self.compute_output_shape([part.shape for part in x]))
        run = AttendedHeads(x, query, key, value, attended, probabilities, refused, makes_scores, mixed, gate)
        return [y, scores.reshape(shape)] if returns_scores else y, run

    def backward(self, dy: Any, saved: AttendedHeads, ctx: BackwardContext) -> list[Array | None]:
        dy, *of_scores = as_list(dy)
        query, key, value, p = saved.query, saved.key, saved.value, saved.probabilities
        product = saved.attended.product
        dmixed, dgate = self._through_output(dy, saved, ctx)
        named = ((query, "query"), (key, "key"), (value, "value"), (dmixed, "dmixed"))
        q, k, v, slope = (saved.attended.fold(part, name, ctx) for part, name in named)
        d = ctx.workspace("d", p.used.shape, query.dtype)
        ctx.do(by_blas, slope, v.swapaxes(2, 3), out=d)
        dquery, dkey, dvalue = (
            ctx.workspace(name, part.shape, query.dtype)
            for name, part in (("dquery", query), ("dkey", key), ("dvalue", value))
        )
        product(p.used.swapaxes(2, 3), slope, dvalue, ctx)
        score_gradient(d, p, ctx, of_scores[0].reshape(d.shape) if of_scores else None)
        if saved.refused is not None:
            ctx.do(np.copyto, d, 0, where=saved.refused)
        product(d, k, dquery, ctx)
        ctx.do(np.multiply, dquery, self._scale(query.dtype), out=dquery)
        product(d.swapaxes(2, 3), q, dkey, ctx)
        parts = [(self.query_dense, dquery, 0), (self.value_dense, dvalue, 1), (self.key_dense, dkey, 2)]
        if dgate is not None:
            parts.append((self.gate_dense, dgate, 0))
        dx: list[Array | None] = [None] * len(saved.inputs)
        for i, (projection, part, place) in enumerate(parts):
            x = saved.inputs[place]
            slopes, rows = as_matrix(part, x.ndim - 1), as_matrix(x, x.ndim - 1)
            projection.add_gradients(slopes, rows, ctx)
            if ctx.needs_input_gradient:
                before, back = dx[place], projection.input_gradient(f"dx {i}", slopes, rows, ctx).reshape(x.shape)
                if before is None:
                    dx[place] = back
                else:
                    ctx.do(np.add, before, back, out=before)
        return dx

    @classmethod
    def from_config(cls, config: Mapping[str, Json]) -> Self:
        """Make the layer that ``get_config`` described; Keras 2 also wrote the shapes it was built with."""
        built = ("query_shape", "key_shape", "value_shape")
        return super().from_config({key: value for key, value in config.items() if key not in built})

    def _projection(
        self, name: str, given: tuple[int, ...], made: tuple[int, ...], ctx: BuildContext
    ) -> HeadProjection:
        matrix = (math.prod(given), math.prod(made))
        initializer = AsMatrix(self.kernel_initializer, matrix)
        kernel = ctx.variable(
            f"{name}/kernel", (*given, *made), initializer, self.kernel_regularizer, self.kernel_constraint
        )
        if not self.use_bias:
            return HeadProjection(kernel, None)
        bias = ctx.weight(self, "bias", made, f"{name}/bias")
        return HeadProjection(kernel, bias)

    def _projected(self, x: list[Array], ctx: ForwardContext) -> tuple[Array, Array, Array]:
        """Query (scaled), key and value of all heads."""
        made = []
        named = (("query", self.query_dense, x[0]), ("key", self.key_dense, x[2]), ("value", self.value_dense, x[1]))
        for name, projection, part in named:
            y = projection.forward(name, as_matrix(part, part.ndim - 1), ctx)
            made.append(y.reshape(*part.shape[:-1], self.num_heads, y.shape[1] // self.num_heads))
        query, key, value = made
        ctx.do(np.multiply, query, self._scale(query.dtype), out=query)
        return query, key, value

    def _gate(self, query: Array, ctx: ForwardContext) -> Array:
        """(N, T, H, V) for the query (N, T, D)."""
        z = self.gate_dense.forward("gate", as_matrix(query, query.ndim - 1), ctx)
        ctx.do(sigmoid.forward, z, z)
        return z.reshape(*query.shape[:-1], self.num_heads, z.shape[1] // self.num_heads)

    def _through_output(self, dy: Array, saved: AttendedHeads, ctx: BackwardContext) -> tuple[Array, Array | None]:
        """The gradients of the heads' results and of the gate's input, before the sigmoid."""
        mixed, gate, axes = saved.mixed, saved.gate, saved.inputs[0].ndim - 1
        gated = as_matrix(_gated(mixed, gate, ctx), axes)
        self.output_dense.add_gradients(as_matrix(dy, axes), gated, ctx)
        dmixed = self.output_dense.input_gradient("dmixed", as_matrix(dy, axes), gated, ctx).reshape(mixed.shape)
        if gate is None:
            return dmixed, None
        dgate = ctx.workspace("dgate", gate.shape, gate.dtype)
        ctx.do(np.multiply, dmixed, mixed, out=dgate)
        ctx.do(sigmoid.backward, dgate, gate, dgate)
        ctx.do(np.multiply, dmixed, gate, out=dmixed)
        return dmixed, dgate

    def _scale(self, dtype: DType) -> Any:
        return dtype.type(1 / math.sqrt(self.key_dim))

    def _attended(self, rank: int, scored: bool) -> AttendedAxes:
        """The axes along which arrays (N, ..., H, K) of this rank attend."""
        axes = resolved_axes(self.name, cast("tuple[int, ...] | None", self.attention_axes), rank)
        # Keras gives sequences whose scores nobody asks for to JAX's attention, which knows no axes.
        return AttendedAxes(self.name, (1,) if rank == 4 and not scored else axes, rank)

    def _constant_mask(self, mask: Any, tensors: list[Any]) -> Array:
        array = as_numbers(f"{self.name}: attention_mask", mask.numpy() if isinstance(mask, Tensor) else mask)
        query, key = ((*tensors[i].shape[:-1], 1, 1) for i in (0, 2))
        attended = self._attended(len(query), scored=len(query) != 4)
        count = 2 * len(attended.attended)
        wanted = attended.scores_shape(query, key)[-count:]
        fits = all(m is None or n in (1, m) for n, m in zip(array.shape[-count:], wanted, strict=False))
        if array.ndim < count or not fits:
            raise ShapeError(f"{self.name}: expected an attention_mask that ends in {wanted}, received {array.shape}.")
        is_within_model = any(isinstance(t, KerasTensor) for t in tensors)
        if is_within_model and array.ndim > count and len(array) != 1:
            raise ArgumentError(
                f"{self.name}: within a model an attention_mask is an Input, or the same for all rows, (T, S) or "
                f"(1, T, S); received an array of shape {array.shape}."
            )
        return array

    def _check(self, shape: Any) -> None:
        query, value, key = shape[:3]
        if len(query) < 3 or len({len(part) for part in shape[:3]}) > 1 or None in (query[-1], value[-1], key[-1]):
            raise ShapeError(
                f"{self.name}: expected query, value and key of shape (N, T, features), with as many axes T in each, "
                f"received {shape[:3]}."
            )
        if not agree(value[1:-1], key[1:-1]):
            raise ShapeError(f"{self.name}: value and key need as many steps, received {value[1:-1]} and {key[1:-1]}.")
        attended = self._attended(len(query) + 1, scored=True)
        apart = [axis for axis in attended.apart if axis < len(query) - 1] if len(query) > 3 else []
        if not agree([query[axis] for axis in apart], [key[axis] for axis in apart]):
            raise ShapeError(
                f"{self.name}: query and key need the same extents of axes that are not attended, {apart}, received "
                f"{query} and {key}."
            )


def _gated(mixed: Array, gate: Array | None, ctx: Planned) -> Array:
    """What is projected to the output."""
    if gate is None:
        return mixed
    gated = ctx.workspace("gated", mixed.shape, mixed.dtype)
    ctx.do(np.multiply, mixed, gate, out=gated)
    return gated


def _axes(value: object, what: str) -> tuple[int, ...]:
    axes = tuple(value) if isinstance(value, list | tuple) else (value,)
    if not axes or not all(is_integer(axis) for axis in axes):
        raise ArgumentError(f"{what}: expected None, an integer or several, received {value!r}.")
    return tuple(int(cast(int, axis)) for axis in axes)


def _extents(value: Any, what: str) -> tuple[int, ...] | None:
    return None if value is None else extents(value, None, what)
