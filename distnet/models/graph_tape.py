"""What a run of a graph forward leaves for its run backward; and the penalties of layers' activities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from distnet.activations import Activation
from distnet.layers.engine.base import Layer
from distnet.layers.engine.context import BackwardContext, Turn
from distnet.layers.engine.left_work import LeftWork
from distnet.layers.engine.plan import WholeCall
from distnet.ops.tensor import Rows
from distnet.types import Array


@dataclass
class Tape:
    """What a forward run saves for its backward run.

    Args:
        global_rows: rows of the global batch.
        saved: for each node, what its layer's forward returned besides the output.
        outputs: for each node with several outputs or an activity regularizer, its outputs.
        masks: of the graph's outputs.
        logits: of those outputs of which the context wanted them, by number.
        apart: for each node whose layer left out its activation, the activation, and what its backward is handed.
        penalty: sum of the activity penalties over the rows at hand, each divided as its layer says.
        given_shapes: of the inputs, before they got as many axes as the model's placeholders have.
        rows: which rows of the global batch are at hand; None if all are.
        done: numbers of the nodes whose work the layer before did, and which input that layer made.
        left: by the number of a node, what the layer before left to its layer.
        added: numbers of the nodes whose layers also added another tensor.
        graph: that ran, where a model's text says it.
    """

    global_rows: int
    saved: list[Any] = field(default_factory=list)
    outputs: dict[int, list[Array]] = field(default_factory=dict)
    masks: list[Array | None] = field(default_factory=list)
    logits: dict[int, Array] = field(default_factory=dict)
    apart: dict[int, tuple[Activation, Array]] = field(default_factory=dict)
    penalty: float = 0.0
    given_shapes: list[tuple[int, ...]] = field(default_factory=list)
    rows: Rows | None = None
    done: dict[int, int] = field(default_factory=dict)
    left: dict[int, LeftWork] = field(default_factory=dict)
    added: set[int] = field(default_factory=set)
    graph: Any = None

    def forget_penalties(self) -> None:
        """Begin the sum of the penalties anew."""
        self.penalty = 0.0

    def penalize(self, number: int, layer: Layer, made: list[Array], turn: Turn | None) -> None:
        """Add the activity penalties of a layer, which is that of node ``number``, and of those within it."""
        regularizer = layer.activity_regularizer
        if regularizer is not None and self.global_rows:
            scale = layer.activity_scale(self.global_rows)
            penalties = [regularizer.value_of_rows(part, self.rows) * scale for part in made]
            self.penalty += sum(penalties)
            if turn is not None:
                turn.penalties += [(layer, penalty) for penalty in penalties]
        saved = saved_by(self.saved[number])
        self.penalty += type(layer).penalty(layer, saved)  # a user's attribute may have that name

    def keep_logits(self, numbers: Sequence[int], within: Tape) -> None:
        """Take the logits of these outputs from those of a graph within, in their order."""
        self.logits.update(zip(numbers, (within.logits[k] for k in sorted(within.logits)), strict=True))

    def with_penalty(
        self, number: int, layer: Layer, parts: list[Array | None], ctx: BackwardContext
    ) -> list[Array | None]:
        """The gradients of a node's outputs with the activity penalty's; zeros for outputs that nothing read."""
        if number not in self.outputs:
            return parts
        return [
            self._with_penalty(layer, dy, y, f"penalized {k}", ctx)
            for k, (dy, y) in enumerate(zip(parts, self.outputs[number], strict=True))
        ]

    def _with_penalty(self, layer: Layer, dy: Array | None, y: Array, name: str, ctx: BackwardContext) -> Array:
        if dy is None:
            dy = ctx.workspace(f"no {name}", y.shape, y.dtype)
            ctx.do(dy.fill, 0)
        regularizer = layer.activity_regularizer
        if regularizer is None:
            return dy
        scale, rows = layer.activity_scale(self.global_rows), self.rows
        total = ctx.workspace(name, y.shape, np.result_type(dy, y))

        def add_penalty() -> None:
            np.add(dy, regularizer.gradient_of_rows(y, rows) * scale, out=total)

        ctx.do(add_penalty)
        return total

    def of_logits(
        self, number: int, layer: Layer, parts: list[Array | None], ctx: BackwardContext
    ) -> list[Array | None]:
        """The gradient of the logits with that of the activity penalty, which is of what the activation made."""
        if number not in self.outputs:
            return parts
        (dy,), (activation, saved) = self.with_penalty(number, layer, [None], ctx), self.apart[number]
        dz = ctx.workspace("dz of penalty", saved.shape, saved.dtype)
        ctx.do(activation.backward, dy, saved, out=dz)
        if parts[0] is not None:
            ctx.do(np.add, dz, parts[0], out=dz)
        return [dz]


def saved_by(kept: Any) -> Any:
    """What a layer's forward saved in the present run, of what a tape keeps of its call."""
    return kept.saved if isinstance(kept, WholeCall) else kept
