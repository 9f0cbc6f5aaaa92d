"""The blocks of both EfficientNets: widened, convolved channel by channel, weighed and narrowed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from distnet import layers
from distnet.applications.parts import Parts, activated, added, channel_axis, padded_for
from distnet.layers.engine.base import KerasTensor
from distnet.types import Json

ACTIVATION = "swish"
CONVOLUTIONS: Mapping[str, Json] = {
    "class_name": "VarianceScaling",
    "config": {"scale": 2.0, "mode": "fan_out", "distribution": "truncated_normal"},
}
"""Initializer of convolutions."""
CLASSIFIER: Mapping[str, Json] = {
    "class_name": "VarianceScaling",
    "config": {"scale": 1.0 / 3.0, "mode": "fan_out", "distribution": "uniform"},
}
"""Initializer of the classifier."""


@dataclass(frozen=True)
class MBStage:
    """Blocks of one kind.

    Args:
        kernel: size of the large convolution.
        repeats: number of blocks.
        filters_in, filters_out: of the first block's input, and of all outputs.
        expansion: factor of the filters within.
        strides: of the first block.
        se_ratio: filters between the means of all channels and their weights, as a share of ``filters_in``; 0: channels
            are not weighed.
        is_fused: whether one convolution of all channels takes the place of two.
    """

    kernel: int
    repeats: int
    filters_in: int
    filters_out: int
    expansion: int
    strides: int
    se_ratio: float = 0.25
    is_fused: bool = False


@dataclass(frozen=True)
class MBBlock:
    """One block.

    Args:
        parts: what its layers have in common.
        stage: it is of this one.
        filters_in, filters_out: of its input and output.
        strides: of its large convolution.
        drop: rate at which rows are dropped in training.
        name: begins the names of its layers.
        pads: whether zeros are a layer of their own where strides are 2.
        depthwise: the name of the convolution channel by channel.
    """

    parts: Parts
    stage: MBStage
    filters_in: int
    filters_out: int
    strides: int
    drop: float
    name: str
    pads: bool
    depthwise: str
    NOISE: ClassVar[tuple[int | None, ...]] = (None, 1, 1, 1)
    """Shape of the dropout's mask: whole rows."""

    def __call__(self, x: KerasTensor) -> KerasTensor:
        """The block's output."""
        start = x
        x = self._fused(x) if self.stage.is_fused else self._large(self._widened(x, 1, 1))
        if self.stage.se_ratio:
            x = self._weighed(x)
        narrowing = self.stage.is_fused and self.stage.expansion == 1  # then the large one
        x = self.parts.convolved(
            x, self.filters_out, self.stage.kernel if narrowing else 1, f"{self.name}project_conv",
            strides=self.strides if narrowing else 1,
        )  # fmt: skip
        x = self.parts.normalized(x, f"{self.name}project_bn")
        if narrowing:
            x = activated(x, ACTIVATION, f"{self.name}project_activation")
        if self.strides != 1 or self.filters_in != self.filters_out:
            return x
        if self.drop > 0:
            x = layers.Dropout(self.drop, noise_shape=self.NOISE, name=f"{self.name}drop")(x)
        return added([x, start], f"{self.name}add")

    @property
    def _wide(self) -> int:
        return self.filters_in * self.stage.expansion

    def _fused(self, x: KerasTensor) -> KerasTensor:
        return self._widened(x, self.stage.kernel, self.strides)

    def _widened(self, x: KerasTensor, kernel: int, strides: int) -> KerasTensor:
        if self.stage.expansion == 1:
            return x
        x = self.parts.convolved(x, self._wide, kernel, f"{self.name}expand_conv", strides=strides)
        return activated(self.parts.normalized(x, f"{self.name}expand_bn"), ACTIVATION, f"{self.name}expand_activation")

    def _large(self, x: KerasTensor) -> KerasTensor:
        padding = "same"
        if self.strides == 2 and self.pads:
            x, padding = padded_for(x, self.stage.kernel, f"{self.name}dwconv_pad"), "valid"
        x = self.parts.depthwise(
            x, self.stage.kernel, f"{self.name}{self.depthwise}", strides=self.strides, padding=padding
        )
        return activated(self.parts.normalized(x, f"{self.name}bn"), ACTIVATION, f"{self.name}activation")

    def _weighed(self, x: KerasTensor) -> KerasTensor:
        """Each channel times a weight that depends on the means of all channels."""
        weights = layers.GlobalAveragePooling2D(name=f"{self.name}se_squeeze")(x)
        weights = layers.Reshape(self._as_image, name=f"{self.name}se_reshape")(weights)
        few = max(1, int(self.filters_in * self.stage.se_ratio))
        for filters, activation, name in ((few, ACTIVATION, "se_reduce"), (self._wide, "sigmoid", "se_expand")):
            weights = self.parts.convolved(
                weights, filters, 1, f"{self.name}{name}", use_bias=True, activation=activation
            )
        y: KerasTensor = layers.Multiply(name=f"{self.name}se_excite")([x, weights])
        return y

    @property
    def _as_image(self) -> tuple[int, int, int]:
        return (self._wide, 1, 1) if channel_axis() == 1 else (1, 1, self._wide)
