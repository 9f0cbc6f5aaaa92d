"""Changes of images written with functions of ``ops``, which give them their gradients."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np

from distnet import ops
from distnet.layers.engine.context import BackwardContext, ForwardContext
from distnet.layers.engine.derived import Derived, derived
from distnet.layers.image.image_layer import ImageLayer, Transformation
from distnet.ops.tensor import Tensor
from distnet.types import Array


class DerivedChange(ImageLayer):
    """A change of images that says what it computes; its gradient is derived from that."""

    @abstractmethod
    def changed(self, x: Any, transformation: Transformation, ctx: ForwardContext) -> Any:
        """The images ``x`` (N, H, W, C) changed; of a tensor a tensor."""

    def change(
        self, x: Array, transformation: Transformation, ctx: ForwardContext
    ) -> tuple[Array, tuple[Derived, Transformation]]:
        made = derived(lambda source: self.in_dtype(self.changed(source, transformation, ctx)), [x], ctx)
        return made.result.value, (made, transformation)

    def change_back(self, dy: Array, saved: tuple[Derived, Transformation], ctx: BackwardContext) -> Array:
        return saved[0].gradients(dy)[0]

    def in_dtype(self, y: Tensor) -> Tensor:
        """The tensor in the layer's dtype."""
        return y if y.dtype == np.dtype(self.dtype) else ops.cast(y, self.dtype)
