"""Fields that several layers have side by side, in the order of Keras's constructors.

A layer lists the blocks it is made of last to first, for a dataclass takes the fields of its last base first:
``class Dense(KernelAndBias, Units, Activated)`` has ``units``, then ``activation`` and what follows it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from distnet.activations import ACTIVATIONS, Activation
from distnet.arguments import COUNT
from distnet.constraints import CONSTRAINTS, Constraint
from distnet.initializers import INITIALIZERS, Initializer
from distnet.registry import Resolved
from distnet.regularizers import REGULARIZERS, Regularizer


@dataclass(eq=False)
class Units:
    """The width of the output.

    Args:
        units: extent of the output's last axis.
    """

    units: int = field(metadata=COUNT)


@dataclass(eq=False)
class ActivationAndBias:
    """How what the kernel gives is added to and activated.

    Args:
        activation: name or object; linear by default.
        use_bias: whether there is a bias.
    """

    activation: Resolved[Activation] = ACTIVATIONS.field("linear")
    use_bias: bool = True


@dataclass(eq=False)
class OfKernelAndBias:
    """How the weights ``kernel`` and ``bias`` begin, are penalized, and held."""

    kernel_initializer: Resolved[Initializer] = INITIALIZERS.field("glorot_uniform")
    bias_initializer: Resolved[Initializer] = INITIALIZERS.field("zeros")
    kernel_regularizer: Resolved[Regularizer | None] = REGULARIZERS.optional_field()
    bias_regularizer: Resolved[Regularizer | None] = REGULARIZERS.optional_field()
    kernel_constraint: Resolved[Constraint | None] = CONSTRAINTS.optional_field()
    bias_constraint: Resolved[Constraint | None] = CONSTRAINTS.optional_field()


@dataclass(eq=False)
class KernelAndBias(OfKernelAndBias, ActivationAndBias):
    """An activation, and the weights ``kernel`` and ``bias``."""
