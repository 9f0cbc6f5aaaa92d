"""Attention over the steps of a sequence, without heads or projections."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from distnet.arguments import FRACTION, number
from distnet.errors import ArgumentError, ShapeError
from distnet.initializers import INITIALIZERS
from distnet.kernels.matrix_products import by_blas
from distnet.layers.attention.probabilities import (
    MASKED,
    Probabilities,
    as_list,
    both,
    causal,
    dropped,
    score_gradient,
)
from distnet.layers.attention.scores import dot_gradients, dot_scores, tanh_gradients, tanh_scores
from distnet.layers.engine.base import Layer, register_layer
from distnet.layers.engine.context import BackwardContext, BuildContext, ForwardContext
from distnet.ops.nn.simplex import write_softmax
from distnet.registry import IF_SET
from distnet.types import Array
from distnet.variables import Variable


@dataclass
class Attended:
    """What forward saves for backward.

    Args:
        inputs: query, value and, if given, key.
        probabilities: of the value's steps, for each of the query's.
        of_scores: what the scores' own gradient needs.
        query_mask: (N, Tq, 1) bool or None.
    """

    inputs: list[Array]
    probabilities: Probabilities
    of_scores: Any
    query_mask: Array | None


class ScoredAttention(Layer, ABC):
    """``softmax(scores(query, key)) value``. A subclass has the fields, and the scores with their gradient."""

    supports_masking: ClassVar[bool] = True
    call_arguments: ClassVar[tuple[str, ...]] = (
        "inputs",
        "mask",
        "training",
        "return_attention_scores",
        "use_causal_mask",
    )

    use_scale: bool
    dropout: float
    seed: int | None
    scale: Variable | None

    @abstractmethod
    def scores(self, query: Array, key: Array, ctx: ForwardContext) -> tuple[Array, Any]:
        """(N, Tq, Tv) scores, in new memory, and what their gradient needs."""

    @abstractmethod
    def scores_gradient(
        self, d: Array, query: Array, key: Array, saved: Any, ctx: BackwardContext
    ) -> tuple[Array, Array]:
        """Gradients of query and key; those of the variables go to ``ctx``."""

    def bind(self, inputs: Any, *args: Any, **kwargs: Any) -> tuple[list[Any], dict[str, Any]]:
        """Accepts ``call_arguments`` besides ``[query, value]`` or ``[query, value, key]``."""
        if not isinstance(inputs, list | tuple) or len(inputs) not in (2, 3):
            raise ArgumentError(f"{self.name}: expected [query, value] or [query, value, key], received {inputs!r}.")
        named = {**dict(zip(self.call_arguments[1:], args, strict=False)), **kwargs}
        own = {key: True for key in self.call_arguments[3:] if named.pop(key, False)}
        tensors, options = super().bind(inputs, **named)
        return tensors, {**options, **own}

    def compute_output_shape(self, shape: Any) -> Any:
        self._check(shape)
        return (*shape[0][:-1], shape[1][-1])

    def compute_call_shape(self, shape: Any, options: Mapping[str, Any]) -> Any:
        y = self.compute_output_shape(shape)
        return [y, (*shape[0][:-1], shape[1][1])] if options.get("return_attention_scores") else y

    def compute_mask(self, x: Any, mask: Any) -> Any:
        return None if mask is None else mask[0]

    def forward(self, x: list[Array], ctx: ForwardContext) -> tuple[Any, Attended]:
        query, value, key = x[0], x[1], x[-1]
        query_mask = (ctx.mask or [None])[0]
        scores, of_scores = self.scores(query, key, ctx)
        if self.allowed(query.shape[1], value.shape[1], ctx) is not None:
            ctx.do(self._refuse, scores, ctx.here())
        ctx.do(write_softmax, scores, scores, -1)
        probabilities = dropped(scores, self.dropout, self.seed, ctx, self.name)
        y = ctx.workspace("y", (*query.shape[:2], value.shape[2]), value.dtype)
        ctx.do(by_blas, probabilities.used, value, out=y)
        if query_mask is not None:
            query_mask = query_mask[:, :, None]
            ctx.do(np.multiply, y, query_mask, out=y)
        run = Attended(x, probabilities, of_scores, query_mask)
        return [y, probabilities.used] if ctx.options.get("return_attention_scores") else y, run

    @staticmethod
    def allowed(count: int, of: int, ctx: ForwardContext) -> Array | None:
        """Where each of ``count`` steps of the query may look at each ``of`` the value's; None allows everything."""
        value_mask = (ctx.mask or [None, None])[1]
        allowed = None if value_mask is None else value_mask[:, None, :]
        return both(allowed, causal(count, of)) if ctx.options.get("use_causal_mask") else allowed

    def _refuse(self, scores: Array, ctx: ForwardContext) -> None:
        _, count, of = scores.shape
        allowed = self.allowed(count, of, ctx)
        scores += np.where(allowed is None or allowed, 0, scores.dtype.type(MASKED))

    def backward(self, dy: Any, saved: Attended, ctx: BackwardContext) -> list[Array | None]:
        query, value, key = saved.inputs[0], saved.inputs[1], saved.inputs[-1]
        p = saved.probabilities
        dy, *of_probabilities = as_list(dy)
        if saved.query_mask is not None:
            counted = ctx.workspace("counted", dy.shape, dy.dtype)
            ctx.do(np.multiply, dy, saved.query_mask, out=counted)
            dy = counted
        d, dvalue = (ctx.workspace(name, a.shape, dy.dtype) for name, a in (("d", p.used), ("dvalue", value)))
        ctx.do(by_blas, dy, value.swapaxes(1, 2), out=d)
        if of_probabilities:
            ctx.do(np.add, d, of_probabilities[0], out=d)
        ctx.do(by_blas, p.used.swapaxes(1, 2), dy, out=dvalue)
        score_gradient(d, p, ctx)
        dquery, dkey = self.scores_gradient(d, query, key, saved.of_scores, ctx)
        if not ctx.needs_input_gradient:
            return [None] * len(saved.inputs)
        if len(saved.inputs) == 3:
            return [dquery, dvalue, dkey]
        ctx.do(np.add, dvalue, dkey, out=dvalue)
        return [dquery, dvalue]

    def _check(self, shape: Any) -> None:
        shapes = as_list(shape)
        if any(len(s) != 3 for s in shapes):
            raise ShapeError(f"{self.name}: expected query, value and key of shape (N, T, D), received {shapes}.")
        (_, _, of_query), (_, of_steps, _), (_, of_keys, of_key) = shapes[0], shapes[1], shapes[-1]
        if None not in (of_query, of_key) and of_query != of_key:
            raise ShapeError(f"{self.name}: query and key need the same last extent, received {of_query} and {of_key}.")
        if None not in (of_steps, of_keys) and of_steps != of_keys:
            raise ShapeError(f"{self.name}: value and key need as many steps, received {of_steps} and {of_keys}.")


@register_layer()
@dataclass(eq=False)
class Attention(ScoredAttention):
    """Luong's attention: the mean of the value's steps, weighted by how well their keys fit the query.

    ``softmax(g q k^T) v`` with ``score_mode="dot"``, ``softmax(w sum(tanh(g (q + k)))) v`` with ``"concat"``; the
    numbers g (with ``use_scale``) and w are learned. Masked value steps get no weight, masked query steps give 0.

    Shapes:
        [query (N, Tq, D), value (N, Tv, V), key (N, Tv, D), by default the value] -> (N, Tq, V), and the weights
        (N, Tq, Tv) with ``return_attention_scores=True``.

    Args:
        score_mode: ``"dot"`` or ``"concat"``.
        dropout: rate for the weights.
        seed: takes the place of the global seed in the masks' address.

    Source: Luong et al., 2015 (arXiv:1508.04025); ``keras.layers.Attention``.
    """

    use_scale: bool = False
    score_mode: str = field(default="dot", metadata=IF_SET)  # Keras takes "dot" for its function of that name
    dropout: float = number(0.0, FRACTION)
    seed: int | None = field(default=None, metadata=IF_SET)

    def validate(self) -> None:
        super().validate()
        if self.score_mode not in ("dot", "concat"):
            raise ArgumentError(f"{self.name}: score_mode must be 'dot' or 'concat', received {self.score_mode!r}.")

    def build(self, shape: Any, ctx: BuildContext) -> None:
        self._check(shape)
        ones = INITIALIZERS.get("ones")
        self.scale = ctx.variable("scale", (), ones) if self.use_scale else None
        is_concat = self.score_mode == "concat"
        self.weight = ctx.variable("concat_score_weight", (), ones) if is_concat else None

    def check_shape(self, shape: Any) -> None:
        self._check(shape)

    def scores(self, query: Array, key: Array, ctx: ForwardContext) -> tuple[Array, Any]:
        if self.weight is not None:
            return tanh_scores(query, key, self._factors(query), self._scale(query), ctx)
        scores = dot_scores(query, key, ctx)
        if self.scale is not None:
            ctx.do(np.multiply, scores, self.scale.value, out=scores)
        return scores, None

    def scores_gradient(
        self, d: Array, query: Array, key: Array, saved: Any, ctx: BackwardContext
    ) -> tuple[Array, Array]:
        if self.weight is None:
            dquery, dkey = dot_gradients(d, query, key, ctx)
            dscale = np.vdot(dquery, query)
        else:
            dquery, dkey, dfactors = tanh_gradients(d, saved, self._factors(query), ctx)
            ctx.add(self.weight, dfactors.sum())
            dscale = np.vdot(dquery, query) + np.vdot(dkey, key)
        ctx.add(self.scale, np.asarray(dscale))
        dquery *= self._scale(query)
        dkey *= self._scale(query)
        return dquery, dkey

    def _scale(self, like: Array) -> Array:
        return np.ones((), like.dtype) if self.scale is None else self.scale.value

    def _factors(self, query: Array) -> Array:
        """(D,) the weight of each feature of the tanh: the same for all."""
        return np.full(query.shape[2], 0 if self.weight is None else self.weight.value, query.dtype)


@register_layer()
@dataclass(eq=False)
class AdditiveAttention(ScoredAttention):
    """Bahdanau's attention: the mean of the value's steps, weighted by how well their keys fit the query.

    ``softmax(sum_d g_d tanh(q + k)_d) v``; g is learned with ``use_scale``, else 1. Masked value steps get no
    weight, masked query steps give 0.

    Shapes:
        [query (N, Tq, D), value (N, Tv, V), key (N, Tv, D), by default the value] -> (N, Tq, V), and the weights
        (N, Tq, Tv) with ``return_attention_scores=True``.

    Args:
        dropout: rate for the weights.
        seed: takes the place of the global seed in the masks' address.

    Source: Bahdanau et al., 2015 (arXiv:1409.0473); ``keras.layers.AdditiveAttention``.
    """

    use_scale: bool = True
    dropout: float = number(0.0, FRACTION)
    seed: int | None = field(default=None, kw_only=True, metadata=IF_SET)

    def build(self, shape: Any, ctx: BuildContext) -> None:
        self._check(shape)
        features = shape[0][-1]
        if features is None:
            raise ShapeError(f"{self.name}: the last extent of the query must be known, received {shape[0]}.")
        self.scale = ctx.variable("scale", (features,), INITIALIZERS.get("glorot_uniform")) if self.use_scale else None

    def scores(self, query: Array, key: Array, ctx: ForwardContext) -> tuple[Array, Any]:
        return tanh_scores(query, key, self._factors(query), np.ones((), query.dtype), ctx)

    def scores_gradient(
        self, d: Array, query: Array, key: Array, saved: Any, ctx: BackwardContext
    ) -> tuple[Array, Array]:
        dquery, dkey, dfactors = tanh_gradients(d, saved, self._factors(query), ctx)
        ctx.add(self.scale, dfactors)
        return dquery, dkey

    def _factors(self, query: Array) -> Array:
        return np.ones(query.shape[2], query.dtype) if self.scale is None else self.scale.value
