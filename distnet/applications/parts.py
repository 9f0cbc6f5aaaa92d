"""Layers as the families of networks make them: small pieces of which their tables are built."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from distnet import config, layers
from distnet.applications.imagenet_utils import correct_pad
from distnet.errors import ShapeError
from distnet.layers.engine.base import KerasTensor
from distnet.types import Json

Sides = int | tuple[int, int]
"""Extents of a kernel or window: one for both axes, or each."""
NUMBERED = cast(str, None)
"""The name of a layer that is called after its class, with a number."""


def channel_axis() -> int:
    """The axis of channels, in the data format in use."""
    return 1 if config.image_data_format() == "channels_first" else -1


def channels(x: KerasTensor) -> int:
    """Number of channels."""
    count = x.shape[channel_axis()]
    if count is None:
        raise ShapeError(f"expected images with a known number of channels, received shape {x.shape}.")
    return count


def relu(x: KerasTensor, name: str = NUMBERED) -> KerasTensor:
    """A layer ``Activation("relu")``."""
    return activated(x, "relu", name)


def activated(x: KerasTensor, activation: str, name: str = NUMBERED) -> KerasTensor:
    """A layer ``Activation``."""
    y: KerasTensor = layers.Activation(activation, name=name)(x)
    return y


def relu6(x: KerasTensor, name: str = NUMBERED) -> KerasTensor:
    """A layer ``ReLU(6)``."""
    y: KerasTensor = layers.ReLU(6.0, name=name)(x)
    return y


def padded(x: KerasTensor, zeros: Any, name: str = NUMBERED) -> KerasTensor:
    """A layer ``ZeroPadding2D``."""
    y: KerasTensor = layers.ZeroPadding2D(zeros, name=name)(x)
    return y


def padded_for(x: KerasTensor, kernel: Sides, name: str) -> KerasTensor:
    """Zeros around images before a convolution of strides 2 that has none."""
    return padded(x, correct_pad(x, kernel), name)


def joined(tensors: list[KerasTensor], name: str = NUMBERED) -> KerasTensor:
    """The channels of all, a layer ``Concatenate``."""
    y: KerasTensor = layers.Concatenate(axis=channel_axis(), name=name)(tensors)
    return y


def added(tensors: list[KerasTensor], name: str = NUMBERED) -> KerasTensor:
    """The sum, a layer ``Add``."""
    y: KerasTensor = layers.Add(name=name)(tensors)
    return y


def divisible(value: float, divisor: int = 8) -> int:
    """The multiple of ``divisor`` next to ``value``, not more than a tenth below it.

    Source: Sandler et al., 2018 (arXiv:1801.04381), as their code and Keras's round channels.
    """
    rounded = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * value else rounded


@dataclass(frozen=True)
class Parts:
    """Convolutions and normalizations with what all those of a family have in common.

    Args:
        epsilon, momentum: of BatchNormalization.
        scales: whether it multiplies by a weight.
        kernel_initializer: of convolutions.
    """

    epsilon: float = 1e-3
    momentum: float = 0.99
    scales: bool = True
    kernel_initializer: Json = "glorot_uniform"

    def normalized(self, x: KerasTensor, name: str = NUMBERED) -> KerasTensor:
        """A layer ``BatchNormalization``."""
        y: KerasTensor = layers.BatchNormalization(
            axis=channel_axis(), momentum=self.momentum, epsilon=self.epsilon, scale=self.scales, name=name
        )(x)
        return y

    def convolved(
        self,
        x: KerasTensor,
        filters: int,
        kernel: Sides = 1,
        name: str = NUMBERED,
        *,
        strides: int = 1,
        padding: str = "same",
        use_bias: bool = False,
        activation: str | None = None,
    ) -> KerasTensor:
        """A layer ``Conv2D``."""
        y: KerasTensor = layers.Conv2D(
            filters, kernel, strides=strides, padding=padding, use_bias=use_bias, activation=activation,
            kernel_initializer=self.kernel_initializer, name=name,
        )(x)  # fmt: skip
        return y

    def depthwise(
        self, x: KerasTensor, kernel: int, name: str, *, strides: int = 1, padding: str = "same", multiplier: int = 1
    ) -> KerasTensor:
        """A layer ``DepthwiseConv2D`` without biases."""
        y: KerasTensor = layers.DepthwiseConv2D(
            kernel, strides=strides, padding=padding, depth_multiplier=multiplier, use_bias=False,
            depthwise_initializer=self.kernel_initializer, name=name,
        )(x)  # fmt: skip
        return y

    def separable(
        self, x: KerasTensor, filters: int, kernel: int, name: str, *, strides: int = 1, padding: str = "same"
    ) -> KerasTensor:
        """A layer ``SeparableConv2D`` without biases."""
        y: KerasTensor = layers.SeparableConv2D(
            filters, kernel, strides=strides, padding=padding, use_bias=False, name=name
        )(x)
        return y
