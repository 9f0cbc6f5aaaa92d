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
        activation: of what enters the state.
        recurrent_activation: of the gates.
    """

    activation: Resolved[Activation] = ACTIVATIONS.field("tanh")
    recurrent_activation: Resolved[Activation] = ACTIVATIONS.field("sigmoid")


@dataclass(eq=False)
class Initialized:
    """Where the weights start."""

    use_bias: bool = True
    kernel_initializer: Resolved[Initializer] = INITIALIZERS.field("glorot_uniform")
    recurrent_initializer: Resolved[Initializer] = INITIALIZERS.field("orthogonal")
    bias_initializer: Resolved[Initializer] = INITIALIZERS.field("zeros")


@dataclass(eq=False)
class Forgetting(Initialized):
    """Where the weights of a cell with a forget gate start.

    Args:
        unit_forget_bias: whether the bias of the forget gate starts at 1.
    """

    unit_forget_bias: bool = True


@dataclass(eq=False)
class Restrained:
    """What keeps the weights small, and dropout.

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
    """Whose random numbers dropout takes.

    Args:
        seed: takes the place of the global seed in the address of dropout's masks.
    """

    seed: int | None = whole_number(None, 0, IF_SET)


@dataclass(eq=False)
class Outputs:
    """How the cell is run, and what comes out.

    Args:
        return_sequences: whether to give the outputs of all steps, in the order of the steps.
        return_state: whether to give the last states too.
        go_backwards: whether to take the steps from the last to the first.
        stateful: must be False.
        zero_output_for_mask: whether a step that is masked gives 0, not the output before it.
        time_major: must be False.
    """

    return_sequences: bool = False
    return_state: bool = False
    go_backwards: bool = False
    stateful: bool = False
    zero_output_for_mask: bool = field(default=False, kw_only=True, metadata=IF_SET)
    time_major: bool = field(default=False, kw_only=True, metadata=LEFT_OUT)


@dataclass(eq=False)
class Unrolled(Outputs):
    """As ``Outputs``; whether the steps are written out one after the other changes nothing here.

    Args:
        unroll, implementation: without effect, so that scripts run.
    """

    unroll: bool = False
    implementation: int = field(default=2, kw_only=True, metadata=LEFT_OUT)
