"""The plain recurrent layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from distnet.activations import ACTIVATIONS, Activation, tanh
from distnet.arguments import whole_number
from distnet.layers.engine.base import register_layer
from distnet.layers.engine.context import BackwardContext, ForwardContext
from distnet.layers.engine.field_blocks import Units
from distnet.layers.recurrent.base import Recurrent
from distnet.layers.recurrent.cell_fields import Initialized, Restrained, Unrolled
from distnet.layers.recurrent.time_steps import TimeSteps
from distnet.registry import IF_SET, Resolved
from distnet.types import Array


@dataclass(eq=False)
class SingleActivation:
    """The activation of a cell without gates.

    Args:
        activation: of what becomes the state.
    """

    activation: Resolved[Activation] = ACTIVATIONS.field("tanh")


@register_layer()
@dataclass(eq=False)
class SimpleRNN(Unrolled, Restrained, Initialized, SingleActivation, Units, Recurrent):
    """A dense layer fed with its own last output: ``h' = f(x W + h U + b)``.

    Shapes:
        (N, T, I) -> (N, units), or (N, T, units) with ``return_sequences``; the state h is (N, units).

    Args:
        activation: f.

    Source: ``keras.layers.SimpleRNN``.
    """

    gates: ClassVar[int] = 1
    cell_name: ClassVar[str] = "simple_rnn_cell"

    seed: int | None = whole_number(None, 0, IF_SET)

    def steps(self, z: Array, states: list[Array], factors: Array | None, ctx: ForwardContext) -> TimeSteps:
        return SimpleSteps(self, z, states, factors, ctx)


class SimpleSteps(TimeSteps):
    """The steps of a ``SimpleRNN``."""

    def __init__(
        self, layer: SimpleRNN, z: Array, states: list[Array], factors: Array | None, ctx: ForwardContext
    ) -> None:
        super().__init__(layer, z, states, factors, ctx)
        self.activation = layer.activation

    def is_compiled(self, layer: Any) -> bool:
        return bool(layer.activation == tanh)

    def run(self, bias: Array | None, skipped: Array | None, ctx: ForwardContext) -> None:
        if self.cells is None:
            return super().run(bias, skipped, ctx)
        self.cells.simple(self.z, bias, self.kernel.value, self.h, self.factors, self.fed, skipped, ctx)

    def run_back(self, d: list[Array], dy: Array | None, skipped: Array | None, ctx: BackwardContext) -> None:
        if self.cells is None:
            return super().run_back(d, dy, skipped, ctx)
        self.cells.simple_back(self.z, dy, self.kernel.value, self.factors, skipped, d, self.dz, ctx)

    def forward(self, t: int) -> None:
        self.z[t] += self.recur(t)
        self.activation.forward(self.z[t], out=self.h[t + 1])

    def backward(self, t: int, d: list[Array]) -> None:
        saved = self.z[t] if self.activation.saves_input else self.h[t + 1]
        self.activation.backward(d[0], saved, out=self.dz[t])
        self.through_feed(self.dz[t], self.kernel.value, out=d[0])
