"""Layers that Keras has for its applications alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from distnet.arguments import BELOW_ONE, required_number
from distnet.errors import ShapeError
from distnet.initializers import Constant
from distnet.layers.engine.base import Layer, register_layer
from distnet.layers.engine.context import BackwardContext, BuildContext, ForwardContext
from distnet.layers.merge.base import Elementwise
from distnet.layers.regularization.dropout import Dropping
from distnet.registry import LEFT_OUT
from distnet.types import Array, Shape


@register_layer()
@dataclass(eq=False)
class LayerScale(Layer):
    """``y = gamma x``, a weight for each channel.

    Shapes:
        (N, ..., projection_dim) -> the same.

    Args:
        init_values: what gamma starts from.
        projection_dim: number of channels.

    Source: Touvron et al., 2021 (arXiv:2103.17239); ``LayerScale`` of Keras's ConvNeXt.
    """

    keras_module: ClassVar[str] = "keras.src.applications.convnext"
    repeats: ClassVar[bool] = True

    init_values: float
    projection_dim: int

    def build(self, shape: Shape, ctx: BuildContext) -> None:
        if shape[-1] != self.projection_dim:
            raise ShapeError(f"{self.name}: expected {self.projection_dim} channels, received an input of {shape}.")
        self.gamma = ctx.variable("gamma", (self.projection_dim,), Constant(self.init_values))

    def forward(self, x: Array, ctx: ForwardContext) -> tuple[Array, Array]:
        y = ctx.workspace("y", x.shape, x.dtype)
        ctx.do(np.multiply, x, self.gamma.value, out=y)
        return y, x

    def backward(self, dy: Array, saved: Array, ctx: BackwardContext) -> Array | None:
        product = ctx.workspace("of gamma", dy.shape, dy.dtype)
        if self.gamma.is_trained:
            ctx.do(np.multiply, dy, saved, out=product)
            ctx.add_sum(self.gamma, product, axis=tuple(range(dy.ndim - 1)))
        if not ctx.needs_input_gradient:
            return None
        dx = ctx.workspace("dx", dy.shape, dy.dtype)
        ctx.do(np.multiply, dy, self.gamma.value, out=dx)
        return dx


@register_layer()
@dataclass(eq=False)
class StochasticDepth(Dropping):
    """Sets whole rows to 0 in training, with probability ``drop_path_rate``, and divides the others by the rest.

    Shapes:
        (N, ...) -> the same.

    Args:
        drop_path_rate: probability in [0, 1) with which a row is dropped.

    Source: Huang et al., 2016 (arXiv:1603.09382); ``StochasticDepth`` of Keras's ConvNeXt.
    """

    keras_module: ClassVar[str] = "keras.src.applications.convnext"
    supports_masking: ClassVar[bool] = False

    drop_path_rate: float = required_number(BELOW_ONE)
    rate: float = field(default=0.0, init=False, metadata=LEFT_OUT)
    seed: int | None = field(default=None, init=False, metadata=LEFT_OUT)

    def validate(self) -> None:
        super().validate()
        self.rate = self.drop_path_rate

    @property
    def mask_shape(self) -> Shape:
        return (None, *[1] * (len(self.built_shape) - 1))


@register_layer()
@dataclass(eq=False)
class CustomScaleLayer(Elementwise):
    """``y = a + scale b``.

    Shapes:
        a list of two (N, ...) -> the same; rows are broadcast against each other.

    Args:
        scale: factor of the second input.

    Source: ``CustomScaleLayer`` of Keras's InceptionResNetV2.
    """

    keras_module: ClassVar[str] = "keras.src.applications.inception_resnet_v2"
    supports_masking: ClassVar[bool] = False
    inputs_wanted: ClassVar[int | None] = 2
    repeats: ClassVar[bool] = True

    scale: float

    def _merge(
        self, inputs: list[Array], masks: list[Array | None], shape: tuple[int, ...], ctx: ForwardContext
    ) -> Array:
        first, second = inputs
        scaled, y = ctx.workspace("scaled", second.shape, second.dtype), ctx.workspace("y", shape, second.dtype)
        ctx.do(np.multiply, second, self.scale, out=scaled)
        ctx.do(np.add, first, scaled, out=y)
        return y

    def _gradients(
        self, dy: Array, inputs: list[Array], masks: list[Array | None], ctx: BackwardContext
    ) -> list[Array]:
        scaled = ctx.workspace("dx", dy.shape, dy.dtype)
        ctx.do(np.multiply, dy, self.scale, out=scaled)
        return [dy, scaled]
