"""Images rotated, zoomed and moved at random in training.

The random numbers of an image are addressed by step and row of the global batch: they are the same on any number
of ranks.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from distnet.arguments import whole_number
from distnet.errors import ArgumentError
from distnet.kernels.warp import warp, warp_gradient
from distnet.layers.engine.base import register_layer
from distnet.layers.engine.channels import Channelled
from distnet.layers.engine.context import BackwardContext, ForwardContext
from distnet.layers.image.factors import between, limits, uniform
from distnet.registry import LEFT_OUT
from distnet.types import Array, Shape

FILL_MODES = {"reflect": "reflect", "wrap": "grid-wrap", "constant": "grid-constant", "nearest": "nearest"}
"""Keras's names -> SciPy's."""
_ORDERS = {"nearest": 0, "bilinear": 1}


@dataclass(eq=False)
class _RandomWarp(Channelled):
    """Warps images in training by random affine maps, which say where each pixel is taken from."""

    rank: ClassVar[int] = 2
    row_rank: ClassVar[int] = 3

    @abstractmethod
    def _maps(self, ctx: ForwardContext, rows: int, height: int, width: int) -> Array:
        """(N, 2, 3) maps from row and column of the result to those of the image."""

    def _set_filling(self, fill_mode: str, interpolation: str, fill_value: float) -> None:
        if fill_mode not in FILL_MODES:
            raise ArgumentError(f"{self.name}: expected a fill_mode of {list(FILL_MODES)}, received {fill_mode!r}.")
        if interpolation not in _ORDERS:
            raise ArgumentError(
                f"{self.name}: expected an interpolation of {list(_ORDERS)}, received {interpolation!r}."
            )
        self._order, self._mode, self._filler = _ORDERS[interpolation], FILL_MODES[fill_mode], fill_value

    def shape_last(self, shape: Shape) -> Shape:
        return shape

    def forward_last(self, x: Array, ctx: ForwardContext) -> tuple[Array, Array | None]:
        if not ctx.augments:
            return x, None
        maps = self._maps(ctx, len(x), *x.shape[1:3])
        return warp(x, maps, self._order, self._mode, self._filler), maps

    def backward_last(self, dy: Array, saved: Array | None, ctx: BackwardContext) -> Array:
        return dy if saved is None else warp_gradient(dy, saved, self._order, self._mode)


@register_layer()
@dataclass(eq=False)
class RandomRotation(_RandomWarp):
    """Rotates each image at random around its centre in training.

    Shapes:
        (N, H, W, C) -> the same.

    Args:
        factor: smallest and largest angle in full turns, or the largest to either side.
        fill_mode: what lies outside the image: ``"reflect"``, ``"wrap"``, ``"constant"`` or ``"nearest"``.
        interpolation: ``"nearest"`` or ``"bilinear"``.
        seed: takes the place of the global seed.
        fill_value: fill value of ``"constant"``.

    Source: ``keras.layers.RandomRotation``.
    """

    factor: float | Sequence[float]
    fill_mode: str = "reflect"
    interpolation: str = "bilinear"
    seed: int | None = whole_number(None, 0)
    fill_value: float = 0.0
    data_format: str | None = field(default=None, metadata=LEFT_OUT)

    def validate(self) -> None:
        super().validate()
        self.factor = limits(self, self.factor, "factor", -1, 1)
        self._set_filling(self.fill_mode, self.interpolation, self.fill_value)

    def _maps(self, ctx: ForwardContext, rows: int, height: int, width: int) -> Array:
        return self._turned(between(uniform(self, ctx, rows, 1, self.seed)[0], self.factor), height, width)

    @staticmethod
    def _turned(turns: Array, height: int, width: int) -> Array:
        cosine, sine = np.cos(2 * np.pi * turns), np.sin(2 * np.pi * turns)
        middle_row, middle_column = (height - 1) / 2, (width - 1) / 2
        maps = np.empty((len(turns), 2, 3))
        maps[:, 0, 0], maps[:, 0, 1], maps[:, 1, 0], maps[:, 1, 1] = cosine, sine, -sine, cosine
        maps[:, 0, 2] = middle_row - middle_row * cosine - middle_column * sine
        maps[:, 1, 2] = middle_column + middle_row * sine - middle_column * cosine
        return maps


@register_layer()
@dataclass(eq=False)
class RandomZoom(_RandomWarp):
    """Zooms each image at random around its centre in training.

    Shapes:
        (N, H, W, C) -> the same.

    Args:
        height_factor: smallest and largest fraction, above -1, by which more is shown; below 0 the image grows.
        width_factor: the same for the width; None for the height's, so that nothing is distorted.
        fill_mode, interpolation, seed, fill_value: see ``RandomRotation``.

    Source: ``keras.layers.RandomZoom``.
    """

    height_factor: float | Sequence[float]
    width_factor: float | Sequence[float] | None = None
    fill_mode: str = "reflect"
    interpolation: str = "bilinear"
    seed: int | None = whole_number(None, 0)
    fill_value: float = 0.0
    data_format: str | None = field(default=None, metadata=LEFT_OUT)

    def validate(self) -> None:
        super().validate()
        self.height_factor = limits(self, self.height_factor, "height_factor", -1, 1, is_open=True)
        if self.width_factor is not None:
            self.width_factor = limits(self, self.width_factor, "width_factor", -1, 1, is_open=True)
        self._set_filling(self.fill_mode, self.interpolation, self.fill_value)

    def _maps(self, ctx: ForwardContext, rows: int, height: int, width: int) -> Array:
        u = uniform(self, ctx, rows, 2, self.seed)
        tall = 1 + between(u[0], self.height_factor)
        wide = tall if self.width_factor is None else 1 + between(u[1], self.width_factor)
        return self._zoomed(tall, wide, height, width)

    @staticmethod
    def _zoomed(tall: Array, wide: Array, height: int, width: int) -> Array:
        maps = np.zeros((len(tall), 2, 3))
        maps[:, 0, 0], maps[:, 1, 1] = tall, wide
        maps[:, 0, 2], maps[:, 1, 2] = (height - 1) / 2 * (1 - tall), (width - 1) / 2 * (1 - wide)
        return maps


@register_layer()
@dataclass(eq=False)
class RandomTranslation(_RandomWarp):
    """Moves each image at random in training.

    Shapes:
        (N, H, W, C) -> the same.

    Args:
        height_factor: smallest and largest fraction of the height, in [-1, 1], to move down by.
        width_factor: the same for the width, to move right by.
        fill_mode, interpolation, seed, fill_value: see ``RandomRotation``.

    Source: ``keras.layers.RandomTranslation``.
    """

    height_factor: float | Sequence[float]
    width_factor: float | Sequence[float]
    fill_mode: str = "reflect"
    interpolation: str = "bilinear"
    seed: int | None = whole_number(None, 0)
    fill_value: float = 0.0
    data_format: str | None = field(default=None, metadata=LEFT_OUT)

    def validate(self) -> None:
        super().validate()
        self.height_factor = limits(self, self.height_factor, "height_factor", -1, 1)
        self.width_factor = limits(self, self.width_factor, "width_factor", -1, 1)
        self._set_filling(self.fill_mode, self.interpolation, self.fill_value)

    def _maps(self, ctx: ForwardContext, rows: int, height: int, width: int) -> Array:
        u = uniform(self, ctx, rows, 2, self.seed)
        return self._moved(height * between(u[0], self.height_factor), width * between(u[1], self.width_factor))

    @staticmethod
    def _moved(down: Array, right: Array) -> Array:
        maps = np.tile(np.eye(3)[:2], (len(down), 1, 1))
        maps[:, 0, 2], maps[:, 1, 2] = -down, -right
        return maps
