"""What one layer leaves to the layer behind it, which needs no pass of its own for it."""

from __future__ import annotations

from dataclasses import dataclass

from distnet.activations import Activation
from distnet.variables import Variable


@dataclass(frozen=True)
class LeftWork:
    """The end of a layer.

    Args:
        bias: of the last axis; None if there is none.
        activation: applied after it.
    """

    bias: Variable | None
    activation: Activation
