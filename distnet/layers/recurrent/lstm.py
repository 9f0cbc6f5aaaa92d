"""Long short-term memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import numpy as np

from distnet.activations import ACTIVATIONS, Activation
from distnet.arguments import COUNT, FRACTION, check_option, number, whole_number
from distnet.constraints import CONSTRAINTS, Constraint
from distnet.initializers import INITIALIZERS, Initializer
from distnet.layers.engine.base import register_layer
from distnet.layers.engine.context import BuildContext, ForwardContext
from distnet.layers.recurrent.base import Recurrent
from distnet.layers.recurrent.gate_activations import gates
from distnet.layers.recurrent.time_steps import CellWeights, Steps
from distnet.registry import IF_SET, LEFT_OUT, Resolved
from distnet.regularizers import REGULARIZERS, Regularizer
from distnet.types import Array


@register_layer("CuDNNLSTM")
@dataclass(eq=False)
class LSTM(Recurrent):
    """A cell that keeps a state c beside its output h, and gates what enters, stays and leaves.

    ``i, f, o = s(x W + h U + b)``, ``g = a(x W + h U + b)``, ``c' = f c + i g``, ``h' = o a(c')``; the columns
    of W, U and b are those of i, f, g, o.

    Shapes:
        (N, T, I) -> (N, units), or (N, T, units) with ``return_sequences``; the states h, c are (N, units).

    Args:
        units: extent of the output's last axis.
        activation, recurrent_activation: a and s.
        unit_forget_bias: whether the bias of f starts at 1.
        dropout, recurrent_dropout: rates for x and for h; one mask serves all steps and gates.
        return_sequences: whether to give the outputs of all steps, in the order of the steps.
        return_state: whether to give the last states too.
        go_backwards: whether to take the steps from the last to the first.
        stateful: must be False. unroll, use_cudnn, implementation: without effect, so that scripts run.

    Source: Hochreiter and Schmidhuber, 1997; ``keras.layers.LSTM``.
    """

    gates: ClassVar[int] = 4
    state_count: ClassVar[int] = 2
    cell_name: ClassVar[str] = "lstm_cell"

    units: int = field(metadata=COUNT)
    activation: Resolved[Activation] = ACTIVATIONS.field("tanh")
    recurrent_activation: Resolved[Activation] = ACTIVATIONS.field("sigmoid")
    use_bias: bool = True
    kernel_initializer: Resolved[Initializer] = INITIALIZERS.field("glorot_uniform")
    recurrent_initializer: Resolved[Initializer] = INITIALIZERS.field("orthogonal")
    bias_initializer: Resolved[Initializer] = INITIALIZERS.field("zeros")
    unit_forget_bias: bool = True
    kernel_regularizer: Resolved[Regularizer | None] = REGULARIZERS.optional_field()
    recurrent_regularizer: Resolved[Regularizer | None] = REGULARIZERS.optional_field()
    bias_regularizer: Resolved[Regularizer | None] = REGULARIZERS.optional_field()
    kernel_constraint: Resolved[Constraint | None] = CONSTRAINTS.optional_field()
    recurrent_constraint: Resolved[Constraint | None] = CONSTRAINTS.optional_field()
    bias_constraint: Resolved[Constraint | None] = CONSTRAINTS.optional_field()
    dropout: float = number(0.0, FRACTION)
    recurrent_dropout: float = number(0.0, FRACTION)
    seed: int | None = whole_number(None, 0, IF_SET)
    return_sequences: bool = False
    return_state: bool = False
    go_backwards: bool = False
    stateful: bool = False
    unroll: bool = False
    use_cudnn: bool | str = field(default="auto", metadata=LEFT_OUT)
    zero_output_for_mask: bool = field(default=False, kw_only=True, metadata=IF_SET)
    implementation: int = field(default=2, kw_only=True, metadata=LEFT_OUT)
    time_major: bool = field(default=False, kw_only=True, metadata=LEFT_OUT)

    def validate(self) -> None:
        super().validate()
        check_option(f"{self.name}: use_cudnn", self.use_cudnn, ("auto", True, False))

    def build(self, shape: Any, ctx: BuildContext) -> None:
        super().build(shape, ctx)
        if self.bias is not None and self.unit_forget_bias:
            self.bias.value[self.units : 2 * self.units] = 1

    def steps(self, z: Array, states: list[Array], factors: Array | None, ctx: ForwardContext) -> Steps:
        return LSTMSteps(self, z, states, factors, ctx)


CuDNNLSTM = LSTM
"""Keras 2's name of the layer as NVIDIA's library computes it; files lay its weights out otherwise."""


class Gated(CellWeights, Protocol):
    """What the steps ask of their layer."""

    @property
    def activation(self) -> Activation: ...

    @property
    def recurrent_activation(self) -> Activation: ...


class LSTMSteps(Steps):
    """The steps of an ``LSTM``."""

    def __init__(self, layer: Gated, z: Array, states: list[Array], factors: Array | None, ctx: ForwardContext) -> None:
        super().__init__(layer, z, states, factors, ctx)
        u = layer.units
        self.c, self.a, s = states[1], layer.activation, layer.recurrent_activation
        self.of_gates = gates("gates", z, (s, s, self.a, s), ctx)
        self.i, self.f, self.g, self.o = (slice(k * u, (k + 1) * u) for k in range(4))
        self.squashed = ctx.workspace("squashed", (self.count, z.shape[1], u), z.dtype)

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
