"""A tensor of a functional model that is added to its loss, as Keras 2 has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from distnet.comm.scope import communicator
from distnet.errors import ShapeError
from distnet.layers import Layer
from distnet.layers.engine.context import BackwardContext, ForwardContext
from distnet.types import Array, Shape


@dataclass(eq=False)
class AddedLoss(Layer):
    """Adds its input, one number for the global batch, to the loss.

    Shapes:
        () -> ()

    Source: ``AddLoss`` of ``tensorflow.keras``.
    """

    takes_views: ClassVar[bool] = True

    def compute_output_shape(self, shape: Shape) -> Shape:
        """The same shape.

        Raises:
            ShapeError: it is not one number.
        """
        if len(shape):
            raise ShapeError(f"add_loss: expected one number, received a tensor of shape {shape}. Use ops.mean.")
        return shape

    def forward(self, x: Array, ctx: ForwardContext) -> tuple[Array, Array]:
        return x, x

    def backward(self, dy: Array | None, saved: Array, ctx: BackwardContext) -> Array:
        return np.ones_like(saved)

    def penalty(self, saved: Array) -> float:
        """The number, which all ranks have; one of them counts it."""
        return float(saved.sum()) if communicator().rank == 0 else 0.0

    @property
    def has_penalty(self) -> bool:
        return True
