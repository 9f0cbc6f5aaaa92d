"""The plain recurrent layer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from distnet.activations import ACTIVATIONS, Activation
from distnet.arguments import COUNT, FRACTION, number, whole_number
from distnet.constraints import CONSTRAINTS, Constraint
from distnet.initializers import INITIALIZERS, Initializer
from distnet.layers.engine.base import register_layer
from distnet.layers.engine.context import ForwardContext
from distnet.layers.recurrent.base import Recurrent
from distnet.layers.recurrent.time_steps import Steps
from distnet.registry import IF_SET, LEFT_OUT, Resolved
from distnet.regularizers import REGULARIZERS, Regularizer
from distnet.types import Array


@register_layer()
@dataclass(eq=False)
class SimpleRNN(Recurrent):
    """A dense layer fed with its own last output: ``h' = f(x W + h U + b)``.

    Shapes:
        (N, T, I) -> (N, units), or (N, T, units) with ``return_sequences``; the state h is (N, units).

    Args:
        units: extent of the output's last axis.
        dropout, recurrent_dropout: rates for x and for h; one mask serves all steps.
        return_sequences: whether to give the outputs of all steps, in the order of the steps.
        return_state: whether to give the last state too.
        go_backwards: whether to take the steps from the last to the first.
        stateful: must be False. unroll, implementation: taken so that scripts run, without effect.

    Source: ``keras.layers.SimpleRNN``.
    """

    gates: ClassVar[int] = 1
    cell_name: ClassVar[str] = "simple_rnn_cell"

    units: int = field(metadata=COUNT)
    activation: Resolved[Activation] = ACTIVATIONS.field("tanh")
    use_bias: bool = True
    kernel_initializer: Resolved[Initializer] = INITIALIZERS.field("glorot_uniform")
    recurrent_initializer: Resolved[Initializer] = INITIALIZERS.field("orthogonal")
    bias_initializer: Resolved[Initializer] = INITIALIZERS.field("zeros")
    kernel_regularizer: Resolved[Regularizer | None] = REGULARIZERS.optional_field()
    recurrent_regularizer: Resolved[Regularizer | None] = REGULARIZERS.optional_field()
    bias_regularizer: Resolved[Regularizer | None] = REGULARIZERS.optional_field()
    kernel_constraint: Resolved[Constraint | None] = CONSTRAINTS.optional_field()
    recurrent_constraint: Resolved[Constraint | None] = CONSTRAINTS.optional_field()
    bias_constraint: Resolved[Constraint | None] = CONSTRAINTS.optional_field()
    dropout: float = number(0.0, FRACTION)
    recurrent_dropout: float = number(0.0, FRACTION)
    return_sequences: bool = False
    return_state: bool = False
    go_backwards: bool = False
    stateful: bool = False
    unroll: bool = False
    seed: int | None = whole_number(None, 0, IF_SET)
    zero_output_for_mask: bool = field(default=False, kw_only=True, metadata=IF_SET)
    implementation: int = field(default=2, kw_only=True, metadata=LEFT_OUT)
    time_major: bool = field(default=False, kw_only=True, metadata=LEFT_OUT)

    def steps(self, z: Array, states: list[Array], factors: Array | None, ctx: ForwardContext) -> Steps:
        return SimpleSteps(self, z, states, factors, ctx)


class SimpleSteps(Steps):
    """The steps of a ``SimpleRNN``."""

    def __init__(
        self, layer: SimpleRNN, z: Array, states: list[Array], factors: Array | None, ctx: ForwardContext
    ) -> None:
        super().__init__(layer, z, states, factors, ctx)
        self.activation = layer.activation

    def forward(self, t: int) -> None:
        self.z[t] += self.recur(t)
        self.activation.forward(self.z[t], out=self.h[t + 1])

    def backward(self, t: int, d: list[Array]) -> None:
        saved = self.z[t] if self.activation.saves_input else self.h[t + 1]
        self.activation.backward(d[0], saved, out=self.dz[t])
        self.through_feed(self.dz[t], self.kernel.value, out=d[0])
