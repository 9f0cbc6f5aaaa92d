"""Fields of recurrent layers, in blocks: see ``engine.field_blocks`` for how a layer is made of them."""

from __future__ import annotations

from dataclasses import dataclass, field

from distnet.activations import ACTIVATIONS, Activation
from distnet.arguments import FRACTION, number, whole_number
from distnet.constraints import CONSTRAINTS, Constraint
from distnet.initializers import INITIALIZERS, Initializer
from distnet.registry import IF_SET, LEFT_OUT, Resolved
from distnet.regularizers import REGULARIZERS, Regularizer


@dataclass(eq=False)
class Gated:
    """The activations of a cell with gates.

    Args:
        activation: activation of what enters the state.
        recurrent_activation: activation of the gates.
    """

    activation: Resolved[Activation] = ACTIVATIONS.field("tanh")
    recurrent_activation: Resolved[Activation] = ACTIVATIONS.field("sigmoid")


@dataclass(eq=False)
class Initialized:
    """Initial values of the weights."""

    use_bias: bool = True
    kernel_initializer: Resolved[Initializer] = INITIALIZERS.field("glorot_uniform")
    recurrent_initializer: Resolved[Initializer] = INITIALIZERS.field("orthogonal")
    bias_initializer: Resolved[Initializer] = INITIALIZERS.field("zeros")


@dataclass(eq=False)
class Forgetting(Initialized):
    """Initial values of the weights of a cell with a forget gate.

    Args:
        unit_forget_bias: whether the bias of the forget gate starts at 1.
    """

    unit_forget_bias: bool = True


@dataclass(eq=False)
class Restrained:
    """Regularization: penalties, constraints and dropout.

    Args:
        dropout, recurrent_dropout: rates for x and for h; one mask serves all steps and gates.
    """

    kernel_regularizer: Resolved[Regularizer | None] = REGULARIZERS.optional_field()
    recurrent_regularizer: Resolved[Regularizer | None] = REGULARIZERS.optional_field()
    bias_regularizer: Resolved[Regularizer | None] = REGULARIZERS.optional_field()
    kernel_constraint: Resolved[Constraint | None] = CONSTRAINTS.optional_field()
    recurrent_constraint: Resolved[Constraint | None] = CONSTRAINTS.optional_field()
    bias_constraint: Resolved[Constraint | None] = CONSTRAINTS.optional_field()
    dropout: float = number(0.0, FRACTION)
    recurrent_dropout: float = number(0.0, FRACTION)


@dataclass(eq=False)
class Seeded:
    """The seed of dropout.

    Args:
        seed: takes the place of the global seed in the address of dropout's masks.
    """

    seed: int | None = whole_number(None, 0, IF_SET)


@dataclass(eq=False)
class OutputFields:
    """How the cell is run, and what is returned.

    Args:
        return_sequences: whether to return the outputs of all steps, in order.
        return_state: whether to return the last states, too.
        go_backwards: whether to run from the last step to the first.
        stateful: whether a row of a batch begins with the states that the same row of the batch before ended with.
        zero_output_for_mask: whether a masked step outputs 0 instead of the previous output.
        time_major: must be False.
    """

    return_sequences: bool = False
    return_state: bool = False
    go_backwards: bool = False
    stateful: bool = False
    zero_output_for_mask: bool = field(default=False, kw_only=True, metadata=IF_SET)
    time_major: bool = field(default=False, kw_only=True, metadata=LEFT_OUT)


@dataclass(eq=False)
class Unrolled(OutputFields):
    """Like ``OutputFields``, with options of Keras that change nothing here.

    Args:
        unroll, implementation: ignored.
    """

    unroll: bool = False
    implementation: int = field(default=2, kw_only=True, metadata=LEFT_OUT)
