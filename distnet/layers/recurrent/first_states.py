"""The states that a cell of one's own begins with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from distnet.layers.engine.base import Layer
from distnet.layers.engine.context import BackwardContext, ForwardContext
from distnet.layers.engine.on_tensors import as_tensor
from distnet.layers.engine.structures import leaves
from distnet.ops import tape
from distnet.ops.tape import following, node_of
from distnet.ops.tensor import Tensor
from distnet.types import Array


@dataclass
class FirstStates:
    """What ``get_initial_state`` of a cell gave; it may have been computed from the cell's weights.

    Args:
        tensors: the states.
    """

    tensors: list[Tensor]

    @classmethod
    def of(cls, cell: Any, rows: int, ctx: ForwardContext) -> FirstStates:
        """The states of the ``rows`` at hand; none, where the cell does not say them."""
        if not hasattr(cell, "get_initial_state"):
            return cls([])
        with ctx.running(rows, "initial state"), following(ctx.is_recorded, is_call=True):
            return cls([as_tensor(state) for state in leaves(cell.get_initial_state(batch_size=rows))])

    @property
    def arrays(self) -> list[Array]:
        """The states."""
        return [tensor.value for tensor in self.tensors]

    def add_gradients(self, d: Sequence[Array], cell: Layer, ctx: BackwardContext) -> None:
        """Hand the weights that the states came from their gradients, given those of the states."""
        results = [(t, part) for t, part in zip(self.tensors, d, strict=False) if t.node is not None]
        trained = [v for v in cell.unfrozen_weights if v.is_trained] if results else []
        sources = [(node_of(v), 0) for v in trained]
        made = tape.gradients(results, sources) if sources else None
        for variable, key in zip(trained, sources, strict=True):
            for part in (made.own, made.shared) if made else ():
                if key in part:
                    ctx.add(variable, part[key])
