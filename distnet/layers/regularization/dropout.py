"""Dropout, by addressed random numbers: the same mask on any number of ranks."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from distnet import config
from distnet.arguments import FRACTION, is_integer, required_number, whole_number
from distnet.errors import ArgumentError, ShapeError
from distnet.kernels.readying import Call, readied_by
from distnet.layers.activation import bias_activation
from distnet.layers.activation.bias_activation import Kept
from distnet.layers.engine.base import Layer, register_layer
from distnet.layers.engine.context import BackwardContext, ForwardContext
from distnet.layers.engine.declared import as_shape
from distnet.layers.engine.left_work import LeftWork
from distnet.registry import IF_SET, LEFT_OUT
from distnet.types import Array, Json, Shape

_ALL_BITS = 2**32


Saved = tuple[Array | None, tuple[LeftWork, Kept, float] | None]
"""The mask's bits, if there is one; what the layer before left, what became of it, and what its slopes are scaled by.

Where bias, ReLU and mask are applied in one pass, what became of it tells where its gradient passes.
"""


class Dropping(Layer):
    """Sets entries to 0 in training, with probability ``rate``, and divides the others by ``1 - rate``."""

    supports_masking: ClassVar[bool] = True
    repeats: ClassVar[bool] = True

    rate: float
    seed: int | None

    @property
    @abstractmethod
    def mask_shape(self) -> Shape | None:
        """Shape of the mask, where None is the input's extent; None for a mask of the input's shape."""

    def forward(self, x: Array, ctx: ForwardContext) -> tuple[Array, Saved]:
        left, drops = ctx.left, bool(ctx.training) and self.rate != 0
        if left is not None and drops and self.mask_shape is None:
            bias = None if left.bias is None else left.bias.value
            ctx.do(drop_left, flat(x), bias, self.seed, ctx.here(), threshold(self.rate), self._scale)
            return x, (None, (left, x, self._scale))
        activated = None
        if left is not None:
            x, kept = bias_activation.forward(x, left.bias, left.activation, ctx)
            activated = left, kept, 1.0
        if not drops:
            return x, (None, activated)
        bits, y = ctx.workspace("bits", x.shape, np.dtype(np.uint32)), ctx.workspace("y", x.shape, x.dtype)
        ctx.do(draw_mask, bits, self.mask_shape, self.seed, ctx.here(), self.name)
        ctx.do(ctx.kernels.dropout, flat(x), flat(bits), threshold(self.rate), self._scale, flat(y))
        return y, (bits, activated)

    def backward(self, dy: Array, saved: Saved, ctx: BackwardContext) -> Array:
        bits, activated = saved
        if bits is not None:
            dx = ctx.workspace("dx", dy.shape, dy.dtype)
            ctx.do(ctx.kernels.dropout, flat(dy), flat(bits), threshold(self.rate), self._scale, flat(dx))
            dy = dx
        if activated is not None:
            left, kept, scale = activated
            dy = bias_activation.backward(dy, kept, left.bias, left.activation, ctx, scale=scale)
        return dy

    @property
    def _scale(self) -> float:
        """What kept entries are multiplied by."""
        return 0.0 if self.rate == 1 else 1.0 / (1.0 - self.rate)


@register_layer()
@dataclass(eq=False)
class Dropout(Dropping):
    """Sets entries to 0 in training, with probability ``rate``, and divides the others by ``1 - rate``.

    Shapes:
        (N, ...) -> the same.

    Args:
        rate: probability in [0, 1] with which an entry is dropped.
        noise_shape: shape of the mask, broadcast against the input; None entries mean the input's
            extent. A leading 1 gives all rows of the global batch one mask.
        seed: takes the place of the global seed in the masks' address.

    Source: Srivastava et al., JMLR 15 (2014); ``keras.layers.Dropout``.
    """

    takes_left: ClassVar[bool] = True

    rate: float = required_number(FRACTION)
    noise_shape: tuple[int | None, ...] | None = None
    seed: int | None = whole_number(None, 0)

    def validate(self) -> None:
        super().validate()
        if is_integer(self.noise_shape):
            raise ArgumentError(f"{self.name}: noise_shape: expected a tuple, received {self.noise_shape!r}.")
        if self.noise_shape is not None:
            self.noise_shape = as_shape(self.noise_shape, f"{self.name}: noise_shape")

    @property
    def mask_shape(self) -> Shape | None:
        return self.noise_shape


class SpatialDropout(Dropping):
    """Drops whole channels: all positions of a row share one mask."""

    rank: ClassVar[int]
    """Number of axes of an input besides the batch's and the channels'."""

    data_format: str | None

    def validate(self) -> None:
        super().validate()
        self.data_format = config.data_format(self.data_format, self.name)

    @property
    def mask_shape(self) -> Shape:
        ones = (1,) * self.rank
        return (None, None, *ones) if self.data_format == "channels_first" else (None, *ones, None)

    def compute_output_shape(self, shape: Shape) -> Shape:
        if len(shape) != self.rank + 2:
            raise ShapeError(f"{self.name}: expected an input of {self.rank + 2} axes, received {shape}.")
        return shape

    def get_config(self) -> dict[str, Json]:
        """The arguments that every Keras accepts: Keras 3 refuses ``trainable`` here."""
        return {key: value for key, value in super().get_config().items() if key != "trainable"}


@register_layer()
@dataclass(eq=False)
class SpatialDropout1D(SpatialDropout):
    """Sets whole channels to 0 in training, with probability ``rate``, and divides the others by ``1 - rate``.

    Shapes:
        (N, T, C) -> the same.

    Args:
        rate: probability in [0, 1] with which a channel is dropped.
        seed: takes the place of the global seed in the masks' address.

    Source: Tompson et al., 2015 (arXiv:1411.4280); ``keras.layers.SpatialDropout1D``.
    """

    rank: ClassVar[int] = 1

    rate: float = required_number(FRACTION)
    seed: int | None = whole_number(None, 0, IF_SET)
    data_format: str | None = field(default="channels_last", init=False, metadata=LEFT_OUT)


@register_layer()
@dataclass(eq=False)
class SpatialDropout2D(SpatialDropout):
    """Sets whole channels to 0 in training, with probability ``rate``, and divides the others by ``1 - rate``.

    Shapes:
        (N, H, W, C) -> the same.

    Args:
        rate: probability in [0, 1] with which a channel is dropped.
        data_format: ``"channels_last"`` or ``"channels_first"``; by default ``keras.config.image_data_format()``.
        seed: takes the place of the global seed in the masks' address.

    Source: Tompson et al., 2015 (arXiv:1411.4280); ``keras.layers.SpatialDropout2D``.
    """

    rank: ClassVar[int] = 2

    rate: float = required_number(FRACTION)
    data_format: str | None = None
    seed: int | None = whole_number(None, 0, IF_SET)


@register_layer()
@dataclass(eq=False)
class SpatialDropout3D(SpatialDropout):
    """Sets whole channels to 0 in training, with probability ``rate``, and divides the others by ``1 - rate``.

    Shapes:
        (N, D, H, W, C) -> the same.

    Args:
        rate: probability in [0, 1] with which a channel is dropped.
        data_format: ``"channels_last"`` or ``"channels_first"``; by default ``keras.config.image_data_format()``.
        seed: takes the place of the global seed in the masks' address.

    Source: Tompson et al., 2015 (arXiv:1411.4280); ``keras.layers.SpatialDropout3D``.
    """

    rank: ClassVar[int] = 3

    rate: float = required_number(FRACTION)
    data_format: str | None = None
    seed: int | None = whole_number(None, 0, IF_SET)


def threshold(rate: float) -> int:
    """The threshold: random bits are below it with probability ``1 - rate``."""
    return round((1.0 - rate) * _ALL_BITS)


def flat(a: Array) -> Array:
    """(N, F)."""
    return a.reshape(len(a), math.prod(a.shape[1:]))


def _ready_drop_left(
    z: Array, bias: Array | None, seed: int | None, ctx: ForwardContext, threshold: int, scale: float
) -> Call | None:
    """With the address of the bits looked up; that of a call by hand is another each time."""
    if ctx.turn is not None:
        return None
    drop = ctx.kernels.ready_relu_dropout(z, bias, ctx.draw("dropout", seed).key, threshold, scale)
    return lambda: drop(ctx.step, ctx.first_row)


@readied_by(_ready_drop_left)
def drop_left(
    z: Array, bias: Array | None, seed: int | None, ctx: ForwardContext, threshold: int, scale: float
) -> None:
    """Apply a bias, a ReLU and a mask of the rows' own to ``z`` (N, F)."""
    ctx.kernels.relu_dropout(z, bias, ctx.draw("dropout", seed), threshold, scale)


def draw_mask(bits: Array, shape: Shape | None, seed: int | None, ctx: ForwardContext, where: str) -> None:
    """Overwrite ``bits``, contiguous uint32 of the input's shape, with bits drawn once for each entry of a mask.

    Args:
        shape: of the mask; None for the input's.

    Raises:
        ShapeError: ``shape`` and the input differ in their number of axes.
    """
    rows = len(bits)
    if shape is None:
        ctx.draw_row_bits("dropout", bits.reshape(rows, math.prod(bits.shape[1:])), seed)
        return
    if len(shape) != bits.ndim:
        raise ShapeError(f"{where}: noise_shape: expected as many axes as the input {bits.shape}, received {shape}.")
    extents = tuple(bits.shape[i] if n is None else n for i, n in enumerate(shape))
    if any(n not in (1, m) for n, m in zip(extents[1:], bits.shape[1:], strict=True)):
        raise ShapeError(
            f"{where}: noise_shape: expected extents of the input {bits.shape}, 1 or None, received {shape}."
        )
    width = math.prod(extents[1:])
    drawn = ctx.batch_bits("dropout", width, seed) if shape[0] == 1 else ctx.row_bits("dropout", rows, width, seed)
    bits[...] = drawn.reshape(len(drawn), *extents[1:])
