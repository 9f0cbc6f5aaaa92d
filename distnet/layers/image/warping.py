"""Images rotated, zoomed and moved at random in training.

The random numbers of an image are addressed by step and row of the global batch: they are the same on any number
of ranks.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from distnet.arguments import whole_number
from distnet.errors import ArgumentError
from distnet.kernels.warp import warp, warp_gradient
from distnet.layers.engine.base import register_layer
from distnet.layers.engine.context import BackwardContext, ForwardContext
from distnet.layers.image.factors import OneFactor, RandomChange, between, limits, uniform
from distnet.registry import LEFT_OUT
from distnet.types import Array

FILL_MODES = {"reflect": "reflect", "wrap": "grid-wrap", "constant": "grid-constant", "nearest": "nearest"}
"""Keras's names -> SciPy's."""
_ORDERS = {"nearest": 0, "bilinear": 1}


class _RandomWarp(RandomChange):
    """Warps images in training by random affine maps, which say where each pixel is taken from."""

    fill_mode: str
    interpolation: str
    seed: int | None
    fill_value: float

    @abstractmethod
    def _maps(self, ctx: ForwardContext, rows: int, height: int, width: int) -> Array:
        """(N, 2, 3) maps from row and column of the result to those of the image."""

    def validate(self) -> None:
        super().validate()
        if self.fill_mode not in FILL_MODES:
            raise ArgumentError(
                f"{self.name}: expected a fill_mode of {list(FILL_MODES)}, received {self.fill_mode!r}."
            )
        if self.interpolation not in _ORDERS:
            raise ArgumentError(
                f"{self.name}: expected an interpolation of {list(_ORDERS)}, received {self.interpolation!r}."
            )
        self._order, self._mode = _ORDERS[self.interpolation], FILL_MODES[self.fill_mode]

    def change(self, x: Array, ctx: ForwardContext) -> tuple[Array, Array]:
        maps = self._maps(ctx, len(x), *x.shape[1:3])
        return warp(x, maps, self._order, self._mode, self.fill_value), maps

    def change_back(self, dy: Array, saved: Array, ctx: BackwardContext) -> Array:
        return warp_gradient(dy, saved, self._order, self._mode)


@dataclass(eq=False)
class _Filled:
    """How pixels between and beyond those of an image are found.

    Args:
        fill_mode: what lies outside the image: ``"reflect"``, ``"wrap"``, ``"constant"`` or ``"nearest"``.
        interpolation: ``"nearest"`` or ``"bilinear"``.
        seed: takes the place of the global seed.
        fill_value: fill value of ``"constant"``.
    """

    fill_mode: str = "reflect"
    interpolation: str = "bilinear"
    seed: int | None = whole_number(None, 0)
    fill_value: float = 0.0
    data_format: str | None = field(default=None, metadata=LEFT_OUT)


@dataclass(eq=False)
class _Stretches:
    height_factor: float | Sequence[float]
    width_factor: float | Sequence[float] | None = None


@dataclass(eq=False)
class _Moves:
    height_factor: float | Sequence[float]
    width_factor: float | Sequence[float]


@register_layer()
@dataclass(eq=False)
class RandomRotation(_Filled, OneFactor, _RandomWarp):
    """Rotates each image at random around its centre in training.

    Shapes:
        (N, H, W, C) -> the same.

    Args:
        factor: smallest and largest angle in full turns, or the largest to either side.

    Source: ``keras.layers.RandomRotation``.
    """

    def validate(self) -> None:
        super().validate()
        self.factor = limits(self, self.factor, "factor", -1, 1)

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
class RandomZoom(_Filled, _Stretches, _RandomWarp):
    """Zooms each image at random around its centre in training.

    Shapes:
        (N, H, W, C) -> the same.

    Args:
        height_factor: smallest and largest fraction, above -1, by which more is shown; below 0 the image grows.
        width_factor: the same for the width; None for the height's, so that nothing is distorted.

    Source: ``keras.layers.RandomZoom``.
    """

    def validate(self) -> None:
        super().validate()
        self.height_factor = limits(self, self.height_factor, "height_factor", -1, 1, is_open=True)
        if self.width_factor is not None:
            self.width_factor = limits(self, self.width_factor, "width_factor", -1, 1, is_open=True)

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
class RandomTranslation(_Filled, _Moves, _RandomWarp):
    """Moves each image at random in training.

    Shapes:
        (N, H, W, C) -> the same.

    Args:
        height_factor: smallest and largest fraction of the height, in [-1, 1], to move down by.
        width_factor: the same for the width, to move right by.

    Source: ``keras.layers.RandomTranslation``.
    """

    def validate(self) -> None:
        super().validate()
        self.height_factor = limits(self, self.height_factor, "height_factor", -1, 1)
        self.width_factor = limits(self, self.width_factor, "width_factor", -1, 1)

    def _maps(self, ctx: ForwardContext, rows: int, height: int, width: int) -> Array:
        u = uniform(self, ctx, rows, 2, self.seed)
        return self._moved(height * between(u[0], self.height_factor), width * between(u[1], self.width_factor))

    @staticmethod
    def _moved(down: Array, right: Array) -> Array:
        maps = np.tile(np.eye(3)[:2], (len(down), 1, 1))
        maps[:, 0, 2], maps[:, 1, 2] = -down, -right
        return maps
