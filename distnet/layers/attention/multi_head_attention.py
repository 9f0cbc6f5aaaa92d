"""The attention of transformers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np

from distnet import kernels
from distnet.arguments import FRACTION, as_numbers, number
from distnet.constraints import CONSTRAINTS, Constraint
from distnet.errors import ArgumentError, ShapeError
from distnet.initializers import INITIALIZERS, Initializer
from distnet.layers.attention.probabilities import (
    MASKED,
    Probabilities,
    as_list,
    both,
    causal,
    dropped,
    score_gradient,
    softmax,
)
from distnet.layers.base import Layer, positive_int, register_layer
from distnet.layers.context import BackwardContext, BuildContext, ForwardContext
from distnet.layers.sliding import extents
from distnet.layers.symbolic import KerasTensor
from distnet.registry import IF_SET, Resolved
from distnet.regularizers import REGULARIZERS, Regularizer
from distnet.types import Array, DType, Json
from distnet.variables import Variable


@dataclass
class Projection:
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
        y = np.matmul(x, kernel, out=ctx.workspace(name, (len(x), kernel.shape[1]), x.dtype))
        if self.bias is not None:
            kernels.current().bias_activation(y, self.bias.value.reshape(-1), "linear")
        return y

    def backward(self, name: str, dy: Array, x: Array, ctx: BackwardContext, needs_dx: bool) -> Array:
        """The gradient of ``x`` in memory called ``name``; just ``x`` where nobody needs it."""
        ctx.add_product(self.kernel, x.T, dy)
        if self.bias is not None:
            ctx.add_sum(self.bias, dy.reshape(len(dy), *self.bias.shape), axis=0)
        if not needs_dx:
            return x
        kernel = self.kernel.value.reshape(x.shape[1], dy.shape[1])
        return np.matmul(dy, kernel.T, out=ctx.workspace(name, x.shape, x.dtype))


@dataclass
class Run:
    """What a forward run leaves for backward.

    Args:
        inputs: query, value, key, and the attention mask if it is an input.
        query, key, value: (N, T, H, K), (N, S, H, K), (N, S, H, V), projected; the query scaled.
        probabilities: (N, H, T, S).
        refused: bool, broadcast against the probabilities; None where everything is allowed.
        mixed: (N, T, H, V) what the output is a projection of.
    """

    inputs: list[Array]
    query: Array
    key: Array
    value: Array
    probabilities: Probabilities
    refused: Array | None
    mixed: Array


@register_layer()
@dataclass(eq=False)
class MultiHeadAttention(Layer):
    """Several attentions side by side: ``concat_h(softmax(Q_h K_h^T / sqrt(key_dim)) V_h) W``.

    ``Q_h, K_h, V_h`` are affine maps of query, key and value. Called as ``layer(query, value, key=value,
    attention_mask=None, return_attention_scores=False, use_causal_mask=False)``; the inputs' own masks and an
    ``attention_mask`` (N, T, S), true where the query's step t may look at the key's step s, are joined by "and".

    Shapes:
        query (N, T, D), value (N, S, E), key (N, S, F) -> (N, T, D), or (N, T, *output_shape); and
        (N, num_heads, T, S) with ``return_attention_scores``.

    Args:
        num_heads, key_dim, value_dim: heads, and extents of each head's keys and values (as its keys').
        dropout: rate for the weights of the means.
        attention_axes: must be None or (1,), the axis of the steps.
        sliding_window: how near a key's step must be to the query's: closer than this.
        flash_attention: without effect. use_gate: must be False.

    Source: Vaswani et al., 2017 (arXiv:1706.03762); ``keras.layers.MultiHeadAttention``.
    """

    supports_masking: ClassVar[bool] = True
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
        "value": "value_dense",
        "attention_output": "output_dense",
    }

    num_heads: int
    key_dim: int
    value_dim: int | None = None
    dropout: float = number(0.0, FRACTION)
    use_bias: bool = True
    output_shape: tuple[int, ...] | None = None
    attention_axes: tuple[int, ...] | None = field(default=None, metadata=IF_SET)
    sliding_window: int | None = field(default=None, metadata=IF_SET)
    flash_attention: bool | None = field(default=None, metadata=IF_SET)
    kernel_initializer: Resolved[Initializer] = INITIALIZERS.field("glorot_uniform")
    bias_initializer: Resolved[Initializer] = INITIALIZERS.field("zeros")
    kernel_regularizer: Resolved[Regularizer | None] = REGULARIZERS.optional_field()
    bias_regularizer: Resolved[Regularizer | None] = REGULARIZERS.optional_field()
    kernel_constraint: Resolved[Constraint | None] = CONSTRAINTS.optional_field()
    bias_constraint: Resolved[Constraint | None] = CONSTRAINTS.optional_field()
    use_gate: bool = field(default=False, metadata=IF_SET)
    seed: int | None = field(default=None, metadata=IF_SET)

    def validate(self) -> None:
        self.num_heads = positive_int(self.num_heads, f"{self.name}: num_heads")
        self.key_dim = positive_int(self.key_dim, f"{self.name}: key_dim")
        self.value_dim = positive_int(
            self.key_dim if self.value_dim is None else self.value_dim, f"{self.name}: value_dim"
        )
        if self.sliding_window is not None:
            self.sliding_window = positive_int(self.sliding_window, f"{self.name}: sliding_window")
        self.output_shape = _extents(self.output_shape, f"{self.name}: output_shape")
        self.attention_axes = _extents(self.attention_axes, f"{self.name}: attention_axes")
        if self.attention_axes not in (None, (1,)):
            raise ArgumentError(
                f"{self.name}: attention_axes must be None or (1,), received {self.attention_axes}. Reshape the inputs "
                "to (N, T, features)."
            )
        if self.use_gate:
            raise ArgumentError(f"{self.name}: use_gate=True is not supported.")

    def bind(self, inputs: Any, *args: Any, **kwargs: Any) -> tuple[list[Any], dict[str, Any]]:
        """Besides query and value: see ``call_arguments``."""
        named = {**dict(zip(self.call_arguments[1:], args, strict=False)), **kwargs}
        value = named.pop("value", None)
        if value is None:
            raise ArgumentError(f"{self.name}: expected (query, value), received the query alone.")
        key = named.pop("key", None)
        masks = [named.pop(f"{part}_mask", None) for part in ("query", "value", "key")]
        masks[0] = None  # Keras takes the query's own mask, whatever it is given (3.15.1, tf_keras 2.21)
        attention_mask = named.pop("attention_mask", None)
        own = {flag: True for flag in ("return_attention_scores", "use_causal_mask") if named.pop(flag, False)}
        if any(mask is not None for mask in masks):
            named["mask"] = masks
        tensors, options = super().bind([inputs, value, value if key is None else key], **named)
        if isinstance(attention_mask, KerasTensor):
            tensors.append(attention_mask)
        elif attention_mask is not None:
            options["attention_mask"] = self._constant_mask(attention_mask, tensors)
        return tensors, {**options, **own}

    def all_shapes(self, given: Any) -> Any:
        """The key's shape is the value's where it is left out."""
        return [*given, given[1]] if isinstance(given, list) and len(given) == 2 else given

    def build(self, shape: Any, ctx: BuildContext) -> None:
        self._check(shape)
        of_query, of_value, of_key = (int(part[-1]) for part in shape[:3])
        heads, value_dim = self.num_heads, int(self.value_dim or 0)
        self.query_dense = self._projection("query", (of_query,), (heads, self.key_dim), ctx)
        self.key_dense = self._projection("key", (of_key,), (heads, self.key_dim), ctx)
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
        """Of the output, for the shapes of query, value and key one by one, as Keras has it, or in a list."""
        query = query_shape[0] if isinstance(query_shape, list) and value_shape is None else tuple(query_shape)
        return (*query[:-1], *(self.output_shape or query[-1:]))

    def compute_call_shape(self, shape: Any, options: Mapping[str, Any]) -> Any:
        y, (rows, steps, _), of_keys = self.compute_output_shape(shape), shape[0], shape[1][1]
        return [y, (rows, self.num_heads, steps, of_keys)] if options.get("return_attention_scores") else y

    def compute_mask(self, x: Any, mask: Any) -> Any:
        return None if mask is None else mask[0]

    def forward(self, x: list[Array], ctx: ForwardContext) -> tuple[Any, Run]:
        query, key, value = self._projected(x, ctx)
        shape = (len(query), self.num_heads, query.shape[1], key.shape[1])
        scores = ctx.workspace("scores", shape, query.dtype)
        np.matmul(_by_head(query), _by_head(key).swapaxes(2, 3), out=scores)
        allowed = self._allowed(x, ctx)
        refused = None if allowed is None else ~allowed
        if refused is not None:
            np.copyto(scores, scores.dtype.type(MASKED), where=refused)
        softmax(scores)
        returns_scores = ctx.options.get("return_attention_scores", False)
        if refused is not None and (self.dropout or returns_scores):
            # Only where Keras makes the scores does a query that may look at nothing give 0, not the values' mean.
            np.copyto(scores, 0, where=refused)
        probabilities = dropped(scores, self.dropout, self.seed, ctx, self.name)
        mixed = ctx.workspace("mixed", (*query.shape[:3], value.shape[3]), query.dtype)
        np.matmul(probabilities.used, _by_head(value), out=_by_head(mixed))
        y = self.output_dense.forward("y", _of_steps(mixed), ctx)
        y = y.reshape(self.compute_output_shape([part.shape for part in x]))
        run = Run(x, query, key, value, probabilities, refused, mixed)
        return [y, scores] if returns_scores else y, run

    def backward(self, dy: Any, saved: Run, ctx: BackwardContext) -> list[Array | None]:
        dy, *of_scores = as_list(dy)
        query, key, value, p = saved.query, saved.key, saved.value, saved.probabilities
        dmixed = self.output_dense.backward("dmixed", _of_steps(dy), _of_steps(saved.mixed), ctx, True)
        dmixed = dmixed.reshape(saved.mixed.shape)
        d = ctx.workspace("d", p.used.shape, query.dtype)
        np.matmul(_by_head(dmixed), _by_head(value).swapaxes(2, 3), out=d)
        dquery, dkey, dvalue = (
            ctx.workspace(name, part.shape, query.dtype)
            for name, part in (("dquery", query), ("dkey", key), ("dvalue", value))
        )
        np.matmul(p.used.swapaxes(2, 3), _by_head(dmixed), out=_by_head(dvalue))
        score_gradient(d, p, of_scores[0] if of_scores else None)
        if saved.refused is not None:
            np.copyto(d, 0, where=saved.refused)
        np.matmul(d, _by_head(key), out=_by_head(dquery))
        dquery *= self._scale(query.dtype)
        np.matmul(d.swapaxes(2, 3), _by_head(query), out=_by_head(dkey))
        parts = ((self.query_dense, dquery), (self.value_dense, dvalue), (self.key_dense, dkey))
        dx: list[Array | None] = []
        for i, (projection, part) in enumerate(parts):
            x = saved.inputs[i]
            back = projection.backward(f"dx {i}", _of_steps(part), _of_steps(x), ctx, ctx.needs_input_gradient)
            dx.append(back.reshape(x.shape))
        return [*dx, *[None] * (len(saved.inputs) - 3)]

    @classmethod
    def from_config(cls, config: Mapping[str, Json]) -> Self:
        """Make the layer that ``get_config`` described; Keras 2 also wrote the shapes it was built with."""
        built = ("query_shape", "key_shape", "value_shape")
        return super().from_config({key: value for key, value in config.items() if key not in built})

    def _projection(self, name: str, given: tuple[int, ...], made: tuple[int, ...], ctx: BuildContext) -> Projection:
        matrix = (math.prod(given), math.prod(made))
        initializer = AsMatrix(self.kernel_initializer, matrix)
        kernel = ctx.variable(
            f"{name}/kernel", (*given, *made), initializer, self.kernel_regularizer, self.kernel_constraint
        )
        if not self.use_bias:
            return Projection(kernel, None)
        bias = ctx.variable(f"{name}/bias", made, self.bias_initializer, self.bias_regularizer, self.bias_constraint)
        return Projection(kernel, bias)

    def _projected(self, x: list[Array], ctx: ForwardContext) -> tuple[Array, Array, Array]:
        """Query (scaled), key and value of all heads."""
        made = []
        named = (("query", self.query_dense, x[0]), ("key", self.key_dense, x[2]), ("value", self.value_dense, x[1]))
        for name, projection, part in named:
            y = projection.forward(name, _of_steps(part), ctx)
            made.append(y.reshape(*part.shape[:2], self.num_heads, y.shape[1] // self.num_heads))
        query, key, value = made
        query *= self._scale(query.dtype)
        return query, key, value

    def _scale(self, dtype: DType) -> Any:
        return dtype.type(1 / math.sqrt(self.key_dim))

    def _allowed(self, x: list[Array], ctx: ForwardContext) -> Array | None:
        """Which steps may look at which, broadcast against (N, H, T, S)."""
        steps, of_keys = x[0].shape[1], x[1].shape[1]
        allowed = None
        if ctx.mask is not None:
            query_mask, value_mask, key_mask = ctx.mask[:3]
            if query_mask is not None:
                allowed = query_mask[:, None, :, None]
            for mask in (value_mask, key_mask):
                allowed = both(allowed, None if mask is None else mask[:, None, None, :])
        if ctx.options.get("use_causal_mask"):
            allowed = both(allowed, causal(steps, of_keys)[None, None])
        if self.sliding_window is not None:
            distance = np.abs(np.arange(steps)[:, None] - np.arange(of_keys))
            allowed = both(allowed, (distance < self.sliding_window)[None, None])
        given = x[3] if len(x) > 3 else ctx.options.get("attention_mask")
        return both(allowed, None if given is None else _with_heads(np.asarray(given) != 0))

    def _constant_mask(self, mask: Any, tensors: list[Any]) -> Array:
        array = as_numbers(f"{self.name}: attention_mask", mask)
        wanted = (*tensors[0].shape[1:2], *tensors[1].shape[1:2])
        fits = all(m is None or n in (1, m) for n, m in zip(array.shape[-2:], wanted, strict=False))
        if array.ndim < 2 or not fits:
            raise ShapeError(f"{self.name}: expected an attention_mask that ends in {wanted}, received {array.shape}.")
        is_within_model = any(isinstance(t, KerasTensor) for t in tensors)
        if is_within_model and array.ndim > 2 and len(array) != 1:
            raise ArgumentError(
                f"{self.name}: within a model an attention_mask is an Input, or the same for all rows, (T, S) or "
                f"(1, T, S); received an array of shape {array.shape}."
            )
        return array

    def _check(self, shape: Any) -> None:
        for part in shape[:3]:
            if len(part) != 3 or part[-1] is None:
                raise ShapeError(
                    f"{self.name}: expected query, value and key of shape (N, T, features), received {shape[:3]}."
                )
        if None not in (shape[1][1], shape[2][1]) and shape[1][1] != shape[2][1]:
            raise ShapeError(
                f"{self.name}: value and key need as many steps, received {shape[1][1]} and {shape[2][1]}."
            )


@dataclass(eq=False)
class AsMatrix(Initializer):
    """Draws a matrix and gives it another shape, so that a random scale counts all inputs and all outputs."""

    of: Initializer
    matrix: tuple[int, int]

    def __post_init__(self) -> None:
        self.seed = self.of.seed

    def draw(self, shape: tuple[int, ...], dtype: DType, rng: np.random.Generator) -> Array:
        return self.of.draw(self.matrix, dtype, rng).reshape(shape)


def _of_steps(x: Array) -> Array:
    """(N, T, ...) as a matrix, one step a row."""
    return x.reshape(x.shape[0] * x.shape[1], math.prod(x.shape[2:]))


def _by_head(x: Array) -> Array:
    """(N, T, H, K) as (N, H, T, K): a view."""
    return x.swapaxes(1, 2)


def _with_heads(mask: Array) -> Array:
    """A mask (T, S), (N, T, S) or (N, H, T, S) with all four axes."""
    return mask[None, None] if mask.ndim == 2 else mask[:, None] if mask.ndim == 3 else mask


def _extents(value: Any, what: str) -> tuple[int, ...] | None:
    return None if value is None else extents(value, None, what)
