"""Changes of images written with functions of ``ops``, which give them their gradients."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np

from distnet import ops
from distnet.layers.engine.context import BackwardContext, ForwardContext
from distnet.layers.image.image_layer import ImageLayer, Transformation
from distnet.ops.recording import paused
from distnet.ops.tape import following, gradients, watched
from distnet.ops.tensor import Tensor
from distnet.types import Array


class DerivedChange(ImageLayer):
    """A change of images that says what it computes; its gradient is derived from that."""

    @abstractmethod
    def changed(self, x: Any, transformation: Transformation, ctx: ForwardContext) -> Any:
        """The images ``x`` (N, H, W, C) changed; of a tensor a tensor."""

    def change(
        self, x: Array, transformation: Transformation, ctx: ForwardContext
    ) -> tuple[Array, tuple[Tensor, Tensor, Transformation]]:
        source = watched(Tensor(x)) if ctx.is_recorded else Tensor(x)
        with following(is_recorded=ctx.is_recorded), np.errstate(all="ignore"):
            y = self.in_dtype(self.changed(source, transformation, ctx))
        return y.value, (source, y, transformation)

    def change_back(self, dy: Array, saved: tuple[Tensor, Tensor, Transformation], ctx: BackwardContext) -> Array:
        source, y, _ = saved
        if source.node is None or y.node is None:
            return np.zeros_like(source.value)
        with paused():
            dx = gradients([(y, dy)], [(source.node, 0)]).shared.get((source.node, 0))
        return np.zeros_like(source.value) if dx is None else np.asarray(dx, source.dtype)

    def in_dtype(self, y: Tensor) -> Tensor:
        """The tensor in the layer's dtype."""
        return y if y.dtype == np.dtype(self.dtype) else ops.cast(y, self.dtype)
