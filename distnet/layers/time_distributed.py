"""A layer applied to every time step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from distnet.errors import ArgumentError, ShapeError
from distnet.layers import wrapper
from distnet.layers.base import LAYERS, Layer, register_layer
from distnet.layers.context import BackwardContext, BuildContext, ForwardContext
from distnet.layers.wrapper import Wrapper, WrapperRun
from distnet.registry import Resolved
from distnet.types import Array, Shape


@register_layer()
@dataclass(eq=False)
class TimeDistributed(Wrapper):
    """Applies a layer to every time step, with the same weights: to N T rows at once.

    Batch statistics within it are those of all steps together, as in Keras 2.

    Shapes:
        (N, T, ...) -> (N, T, ...), where the layer maps (N, ...) -> (N, ...).

    Args:
        layer: with one input and one output.

    Source: ``keras.layers.TimeDistributed``.
    """

    supports_masking: ClassVar[bool] = True
    attributes: ClassVar[tuple[str, ...]] = ("layer",)

    layer: Resolved[Layer] = LAYERS.field(None)

    @property
    def sublayers(self) -> list[Layer]:
        """The one layer."""
        return [self.layer]

    @property
    def takes_integers(self) -> bool:  # type: ignore[override]
        """Whether the layer takes integers."""
        return self.layer.takes_integers

    def validate(self) -> None:
        super().validate()
        if self.layer.has_penalty:
            raise ArgumentError(
                f"{self.name}: activity regularizers deep within {self.layer.name} are not supported, for their "
                "penalty would be divided by rows times steps. Put the regularizer on the layer itself."
            )

    def build(self, shape: Shape, ctx: BuildContext) -> None:
        self.layer.build_once(self._of_one_step(shape), ctx.within(self.layer.name))

    def check_shape(self, shape: Shape) -> None:
        self.layer.build_once(self._of_one_step(shape))

    def compute_output_shape(self, shape: Shape) -> Shape:
        rows, *extents = self.layer.compute_output_shape(self._of_one_step(shape))
        return (rows, shape[1], *extents)

    def forward(self, x: Array, ctx: ForwardContext) -> tuple[Array, WrapperRun]:
        rows, count = x.shape[:2]
        within = ctx.within(0, self._mask_of_steps(ctx.mask))
        within.first_row, within.global_rows = ctx.first_row * count, ctx.global_rows * count
        y, inner = wrapper.forward(self.layer, x.reshape(rows * count, *x.shape[2:]), within, ctx.global_rows)
        return y.reshape(rows, count, *y.shape[1:]), WrapperRun([inner], x.shape)

    def backward(self, dy: Array, saved: WrapperRun, ctx: BackwardContext) -> Array | None:
        flat = dy.reshape(dy.shape[0] * dy.shape[1], *dy.shape[2:])
        dx = wrapper.backward(self.layer, flat, saved.inner[0], ctx.within(0))
        return None if dx is None or not ctx.needs_input_gradient else dx.reshape(saved.own)

    def _of_one_step(self, shape: Shape) -> Shape:
        if len(shape) < 3:
            raise ShapeError(f"{self.name}: expected inputs of at least 3 axes, (N, T, ...), received {shape}.")
        return (shape[0], *shape[2:])

    @staticmethod
    def _mask_of_steps(mask: Any) -> Array | None:
        """What is left of a mask for the rows of the layer within; one of whole steps says nothing about them."""
        return None if mask is None or mask.ndim < 3 else mask.reshape(-1, *mask.shape[2:])
