"""The directed acyclic graph of a model's layers, run forward and backward."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from distnet.layers.base import Layer
from distnet.layers.context import BackwardContext, ForwardContext
from distnet.types import Array


@dataclass(frozen=True)
class Node:
    """One call of a layer.

    Args:
        layer: what is called.
        inputs: numbers of the tensors it takes; more than one are handed over as a list.
        output: number of the tensor it makes.
    """

    layer: Layer
    inputs: tuple[int, ...]
    output: int


@dataclass
class Tape:
    """What one forward run leaves for its backward run.

    Args:
        saved: for each node, what its layer's forward returned besides the output.
        outputs: for each node with an activity regularizer, its output.
        penalty: sum of the activity penalties over the rows at hand, divided by the global batch size.
        global_rows: rows of the global batch.
    """

    global_rows: int
    saved: list[Any] = field(default_factory=list)
    outputs: dict[int, Array] = field(default_factory=dict)
    penalty: float = 0.0


class Graph:
    """Layer calls in an order in which every input is made before it is used.

    Args:
        nodes: the calls, in that order.
        inputs: numbers of the tensors that the caller provides.
        outputs: numbers of the tensors that the caller gets.
    """

    def __init__(self, nodes: Sequence[Node], inputs: Sequence[int], outputs: Sequence[int]) -> None:
        self.nodes = tuple(nodes)
        self.inputs = tuple(inputs)
        self.outputs = tuple(outputs)

    @property
    def layers(self) -> list[Layer]:
        """The layers, each once, in the order of their first call."""
        return list(dict.fromkeys(node.layer for node in self.nodes))

    def forward(self, inputs: Sequence[Array], ctx: ForwardContext) -> tuple[list[Array], Tape]:
        """The outputs, and the tape for ``backward``."""
        path = ctx.call
        tensors = dict(zip(self.inputs, inputs, strict=True))
        tape = Tape(ctx.global_rows)
        for i, node in enumerate(self.nodes):
            ctx.call = (*path, i)
            y, saved = node.layer.forward(_one_or_list([tensors[t] for t in node.inputs]), ctx)
            regularizer = node.layer.activity_regularizer
            if regularizer is not None and len(y):
                tape.outputs[i] = y
                tape.penalty += regularizer.value(y) / ctx.global_rows
            if isinstance(saved, Tape):
                tape.penalty += saved.penalty
            tensors[node.output] = y
            tape.saved.append(saved)
        ctx.call = path
        return [tensors[t] for t in self.outputs], tape

    def backward(self, tape: Tape, output_gradients: Sequence[Array], ctx: BackwardContext) -> dict[int, Array]:
        """Hand every variable its gradient, the last layer's first; return those of the inputs, where asked for."""
        path, wants_inputs = ctx.call, ctx.needs_input_gradient
        needed = self._tensors_that_need_gradients(self.inputs if wants_inputs else ())
        gradients: dict[int, Array] = {}
        for tensor, dy in zip(self.outputs, output_gradients, strict=True):
            _accumulate(gradients, tensor, dy)
        for i in range(len(self.nodes) - 1, -1, -1):
            node = self.nodes[i]
            if node.output not in needed or node.output not in gradients:
                continue
            dy = gradients.pop(node.output)
            if i in tape.outputs and node.layer.activity_regularizer is not None:
                dy = dy + node.layer.activity_regularizer.gradient(tape.outputs[i]) / tape.global_rows
            ctx.call = (*path, i)
            ctx.needs_input_gradient = any(t in needed for t in node.inputs)
            dx = node.layer.backward(dy, tape.saved[i], ctx)
            if ctx.needs_input_gradient:
                for tensor, part in zip(node.inputs, [dx] if len(node.inputs) == 1 else dx, strict=True):
                    _accumulate(gradients, tensor, part)
        ctx.call, ctx.needs_input_gradient = path, wants_inputs
        return gradients

    def _tensors_that_need_gradients(self, inputs: Sequence[int]) -> set[int]:
        """These inputs, and the tensors that they or a variable being trained have a part in."""
        found = set(inputs)
        for node in self.nodes:
            if any(v.is_trained for v in node.layer.variables) or found.intersection(node.inputs):
                found.add(node.output)
        return found


def _one_or_list(tensors: list[Array]) -> Any:
    return tensors[0] if len(tensors) == 1 else tensors


def _accumulate(gradients: dict[int, Array], tensor: int, gradient: Array) -> None:
    """Add a consumer's gradient; the sum is a new array, since each part may be a layer's workspace."""
    gradients[tensor] = gradients[tensor] + gradient if tensor in gradients else gradient
