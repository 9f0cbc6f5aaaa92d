"""Noise in training, by addressed random numbers: the same on any number of ranks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from distnet.arguments import BELOW_ONE, FRACTION, NOT_NEGATIVE, number, required_number, whole_number
from distnet.layers.engine.base import Layer, register_layer
from distnet.layers.engine.context import BackwardContext, ForwardContext
from distnet.layers.engine.declared import as_shape
from distnet.layers.regularization.dropout import draw_mask, threshold
from distnet.registry import IF_SET
from distnet.regularizers import L1L2
from distnet.types import Array, Json

_ALPHA_P = -1.6732632423543772848170429916717 * 1.0507009873554804934193349852946
"""SELU's limit for very negative inputs."""


@register_layer()
@dataclass(eq=False)
class GaussianNoise(Layer):
    """Adds normal noise of mean 0 in training.

    Shapes:
        (N, ...) -> the same.

    Args:
        stddev: their standard deviation, in [0, 1].
        seed: takes the place of the global seed in the noise's address.

    Source: ``keras.layers.GaussianNoise``.
    """

    supports_masking: ClassVar[bool] = True

    stddev: float = required_number(FRACTION)
    seed: int | None = whole_number(None, 0, IF_SET)

    def forward(self, x: Array, ctx: ForwardContext) -> tuple[Array, None]:
        if not ctx.training or self.stddev == 0:
            return x, None
        y = ctx.workspace("y", x.shape, x.dtype)
        y[...] = _normals(x, self.seed, ctx)
        y *= x.dtype.type(self.stddev)
        y += x
        return y, None

    def backward(self, dy: Array, saved: None, ctx: BackwardContext) -> Array:
        return dy


@register_layer()
@dataclass(eq=False)
class GaussianDropout(Layer):
    """Multiplies by normal noise of mean 1 and variance ``rate / (1 - rate)`` in training.

    Shapes:
        (N, ...) -> the same.

    Args:
        rate: rate of a Dropout with as much noise, in [0, 1).
        seed: takes the place of the global seed in the noise's address.

    Source: Srivastava et al., JMLR 15 (2014), section 10; ``keras.layers.GaussianDropout``.
    """

    supports_masking: ClassVar[bool] = True

    rate: float = required_number(BELOW_ONE)
    seed: int | None = whole_number(None, 0, IF_SET)

    def forward(self, x: Array, ctx: ForwardContext) -> tuple[Array, Array | None]:
        if not ctx.training or self.rate == 0:
            return x, None
        noise = ctx.workspace("noise", x.shape, x.dtype)
        noise[...] = _normals(x, self.seed, ctx)
        noise *= x.dtype.type(math.sqrt(self.rate / (1 - self.rate)))
        noise += 1
        y = ctx.workspace("y", x.shape, x.dtype)
        return np.multiply(x, noise, out=y), noise

    def backward(self, dy: Array, saved: Array | None, ctx: BackwardContext) -> Array:
        if saved is None:
            return dy
        return np.multiply(dy, saved, out=ctx.workspace("dx", dy.shape, dy.dtype))


@register_layer()
@dataclass(eq=False)
class AlphaDropout(Layer):
    """Sets entries to SELU's limit in training, with probability ``rate``, then restores mean and variance.

    Shapes:
        (N, ...) -> the same.

    Args:
        rate: probability in [0, 1) with which an entry is dropped.
        noise_shape: shape of the mask, broadcast against the input; None entries mean the input's extent.
        seed: takes the place of the global seed in the masks' address.

    Source: Klambauer et al., 2017 (arXiv:1706.02515), appendix A; ``keras.layers.AlphaDropout``.
    """

    supports_masking: ClassVar[bool] = True

    rate: float = required_number(BELOW_ONE)
    noise_shape: tuple[int | None, ...] | None = None
    seed: int | None = whole_number(None, 0)

    def validate(self) -> None:
        if self.noise_shape is not None:
            self.noise_shape = as_shape(self.noise_shape, f"{self.name}: noise_shape")

    def forward(self, x: Array, ctx: ForwardContext) -> tuple[Array, Array | None]:
        if not ctx.training or self.rate == 0:
            return x, None
        bits = np.empty(x.shape, np.uint32)
        draw_mask(bits, self.noise_shape, self.seed, ctx, self.name)
        is_kept = bits < threshold(self.rate)
        scale = self._scale
        y = ctx.workspace("y", x.shape, x.dtype)
        np.subtract(x, x.dtype.type(_ALPHA_P), out=y)
        y *= is_kept
        y *= scale
        y += scale * _ALPHA_P * (1 - self.rate)
        return y, is_kept

    def backward(self, dy: Array, saved: Array | None, ctx: BackwardContext) -> Array:
        if saved is None:
            return dy
        dx = ctx.workspace("dx", dy.shape, dy.dtype)
        np.multiply(dy, saved, out=dx)
        dx *= self._scale
        return dx

    @property
    def _scale(self) -> float:
        return 1 / math.sqrt((1 - self.rate) * (1 + self.rate * _ALPHA_P**2))


@register_layer()
@dataclass(eq=False)
class ActivityRegularization(Layer):
    """Adds ``l1 sum(|x|) + l2 sum(x^2)``, divided by the batch size, to the loss; passes x on.

    Shapes:
        (N, ...) -> the same.

    Args:
        l1: at least 0.
        l2: at least 0.

    Source: ``keras.layers.ActivityRegularization``.
    """

    supports_masking: ClassVar[bool] = True

    l1: float = number(0.0, NOT_NEGATIVE)
    l2: float = number(0.0, NOT_NEGATIVE)

    def validate(self) -> None:
        self.activity_regularizer = L1L2(self.l1, self.l2)

    def get_config(self) -> dict[str, Json]:
        """The arguments, without the regularizer made from them."""
        return {key: value for key, value in super().get_config().items() if key != "activity_regularizer"}

    def forward(self, x: Array, ctx: ForwardContext) -> tuple[Array, None]:
        return x, None

    def backward(self, dy: Array, saved: None, ctx: BackwardContext) -> Array:
        return dy


def _normals(x: Array, seed: int | None, ctx: ForwardContext) -> Array:
    return ctx.row_normals("noise", len(x), math.prod(x.shape[1:]), seed).reshape(x.shape)
