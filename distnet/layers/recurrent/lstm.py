"""Long short-term memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import numpy as np

from distnet.activations import Activation
from distnet.arguments import check_option
from distnet.layers.engine.base import register_layer
from distnet.layers.engine.context import BackwardContext, BuildContext, ForwardContext
from distnet.layers.engine.field_blocks import Units
from distnet.layers.recurrent.base import Recurrent
from distnet.layers.recurrent.cell_fields import Forgetting, Gated, Restrained, Seeded, Unrolled
from distnet.layers.recurrent.gate_activations import gates
from distnet.layers.recurrent.time_steps import CellWeights, TimeSteps, are_sigmoid_and_tanh
from distnet.registry import LEFT_OUT
from distnet.types import Array


@register_layer("CuDNNLSTM")
@dataclass(eq=False)
class LSTM(Unrolled, Seeded, Restrained, Forgetting, Gated, Units, Recurrent):
    """A cell that keeps a state c beside its output h, and gates what enters, stays and leaves.

    ``i, f, o = s(x W + h U + b)``, ``g = a(x W + h U + b)``, ``c' = f c + i g``, ``h' = o a(c')``; the columns
    of W, U and b are those of i, f, g, o.

    Shapes:
        (N, T, I) -> (N, units), or (N, T, units) with ``return_sequences``; the states h, c are (N, units).

    Args:
        activation, recurrent_activation: a and s.
        use_cudnn: ignored.

    Source: Hochreiter and Schmidhuber, 1997; ``keras.layers.LSTM``.
    """

    gates: ClassVar[int] = 4
    state_count: ClassVar[int] = 2
    cell_name: ClassVar[str] = "lstm_cell"

    use_cudnn: bool | str = field(default="auto", metadata=LEFT_OUT)

    def validate(self) -> None:
        super().validate()
        check_option(f"{self.name}: use_cudnn", self.use_cudnn, ("auto", True, False))

    def build(self, shape: Any, ctx: BuildContext) -> None:
        super().build(shape, ctx)
        if self.bias is not None and self.unit_forget_bias:
            self.bias.value[self.units : 2 * self.units] = 1

    def steps(self, z: Array, states: list[Array], factors: Array | None, ctx: ForwardContext) -> TimeSteps:
        return LSTMSteps(self, z, states, factors, ctx)


CuDNNLSTM = LSTM
"""Keras 2's name for the layer as NVIDIA's library computes it; files store its weights in another layout."""


class GatedWeights(CellWeights, Protocol):
    """What the steps need of their layer."""

    @property
    def activation(self) -> Activation: ...

    @property
    def recurrent_activation(self) -> Activation: ...


class LSTMSteps(TimeSteps):
    """The steps of an ``LSTM``."""

    def __init__(
        self, layer: GatedWeights, z: Array, states: list[Array], factors: Array | None, ctx: ForwardContext
    ) -> None:
        super().__init__(layer, z, states, factors, ctx)
        u = layer.units
        self.c, self.a, s = states[1], layer.activation, layer.recurrent_activation
        self.of_gates = gates("gates", z, (s, s, self.a, s), ctx)
        self.i, self.f, self.g, self.o = (slice(k * u, (k + 1) * u) for k in range(4))
        self.squashed = ctx.workspace("squashed", (self.count, z.shape[1], u), z.dtype)

    def is_compiled(self, layer: Any) -> bool:
        return are_sigmoid_and_tanh(layer)

    def run(self, bias: Array | None, skipped: Array | None, ctx: ForwardContext) -> None:
        if self.cells is None:
            return super().run(bias, skipped, ctx)
        self.cells.lstm(
            self.z, bias, self.kernel.value, self.h, self.c, self.squashed, self.factors, self.fed, skipped, ctx
        )

    def run_back(self, d: list[Array], dy: Array | None, skipped: Array | None, ctx: BackwardContext) -> None:
        if self.cells is None:
            return super().run_back(d, dy, skipped, ctx)
        y, kernel = self.of_gates.y, self.kernel.value
        self.cells.lstm_back(y, dy, kernel, self.c, self.squashed, self.factors, skipped, d, self.dz, ctx)

    def forward(self, t: int) -> None:
        self.z[t] += self.recur(t)
        y = self.of_gates.forward(t)
        c = np.multiply(y[:, self.f], self.c[t], out=self.c[t + 1])
        c += np.multiply(y[:, self.i], y[:, self.g], out=self.scratch)
        self.a.forward(c, out=self.squashed[t])
        np.multiply(y[:, self.o], self.squashed[t], out=self.h[t + 1])

    def backward(self, t: int, d: list[Array]) -> None:
        (dh, dc), dz, y = d, self.dz[t], self.of_gates.y[t]
        np.multiply(dh, self.squashed[t], out=dz[:, self.o])
        dh *= y[:, self.o]
        self.a.backward(dh, self.c[t + 1] if self.a.saves_input else self.squashed[t], out=dh)
        dc += dh
        np.multiply(dc, y[:, self.g], out=dz[:, self.i])
        np.multiply(dc, self.c[t], out=dz[:, self.f])
        np.multiply(dc, y[:, self.i], out=dz[:, self.g])
        dc *= y[:, self.f]
        self.of_gates.backward(t, dz)
        self.through_feed(dz, self.kernel.value, out=dh)
