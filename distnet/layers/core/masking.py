"""Time steps that do not count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from distnet.errors import ShapeError
from distnet.layers.engine.base import KerasTensor, Layer, register_layer
from distnet.layers.engine.context import BackwardContext, ForwardContext
from distnet.layers.operations import applied
from distnet.types import Array, Shape


@register_layer()
@dataclass(eq=False)
class Masking(Layer):
    """Masks the time steps whose features all equal ``mask_value``, and sets them to 0.

    Shapes:
        (N, T, ..., F) -> the same; the mask is (N, T, ...).

    Source: ``keras.layers.Masking``.
    """

    supports_masking: ClassVar[bool] = True
    makes_masks: ClassVar[bool] = True

    mask_value: float = 0.0

    def compute_output_shape(self, shape: Shape) -> Shape:
        if len(shape) < 2:
            raise ShapeError(f"{self.name}: expected an input of at least 2 axes, received {shape}.")
        return shape

    def compute_mask(self, x: Any, mask: Any = None) -> Any:
        if isinstance(x, KerasTensor):
            return applied("Any", applied("NotEqual", x, self.mask_value), axis=-1)
        return np.asarray(np.any(x != self.mask_value, axis=-1))

    def forward(self, x: Array, ctx: ForwardContext) -> tuple[Array, Array]:
        counts = self.compute_mask(x, None)[..., np.newaxis]
        y = ctx.workspace("y", x.shape, x.dtype)
        y[...] = 0
        np.copyto(y, x, where=counts)
        return y, counts

    def backward(self, dy: Array, saved: Array, ctx: BackwardContext) -> Array:
        return np.multiply(dy, saved, out=ctx.workspace("dx", dy.shape, dy.dtype))
