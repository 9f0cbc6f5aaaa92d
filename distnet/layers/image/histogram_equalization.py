"""Images whose values are spread by their histograms: those of the batch, or of tiles of each image."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from distnet.arguments import ANY, is_integer, number, whole_number
from distnet.errors import ArgumentError
from distnet.layers.engine.base import register_layer
from distnet.layers.engine.context import BackwardContext, ForwardContext
from distnet.layers.image.factors import pair, range_of_values, rescaled
from distnet.layers.image.image_layer import ImageLayer, Transformation
from distnet.layers.image.row_numbers import RowNumbers
from distnet.registry import LEFT_OUT
from distnet.types import Array

_BYTE = (0.0, 255.0)
_LEVELS = 256


@register_layer()
@dataclass(eq=False)
class Equalization(ImageLayer):
    """Spreads the values of each channel in training so that all are about equally frequent.

    The histogram is that of the global batch.

    Shapes:
        (N, H, W, C) -> the same.

    Args:
        value_range: the range of values.
        bins: of the histogram.

    Source: ``keras.layers.Equalization``.
    """

    couples_rows: ClassVar[bool] = True

    value_range: Sequence[float] = (0, 255)
    bins: int = whole_number(256, 1)
    data_format: str | None = field(default=None, metadata=LEFT_OUT)

    def validate(self) -> None:
        super().validate()
        self.value_range = range_of_values(self, self.value_range)

    def draw(self, shape: tuple[int, ...], numbers: RowNumbers) -> Transformation:
        return None

    def change(
        self, x: Array, transformation: Transformation, ctx: ForwardContext
    ) -> tuple[Array, tuple[Array, Array]]:
        last = self.bins - 1
        bytes_ = _scaled(x, pair(self.value_range), _BYTE)
        counts = self._histograms(bytes_.astype("float32"), ctx)
        is_flat = (counts > 0).sum(axis=1) <= 1
        at = np.clip(bytes_ / 255.0 * last, 0, last).astype(np.intp)
        tables = np.stack([_table(count) for count in counts], axis=1).astype(x.dtype)
        spread = np.take_along_axis(tables, at.reshape(-1, x.shape[3]), axis=0).reshape(x.shape)
        y = _scaled(np.where(is_flat, bytes_, spread), _BYTE, pair(self.value_range)).astype(x.dtype)
        return y, (is_flat, y)

    def change_back(self, dy: Array, saved: tuple[Array, Array], ctx: BackwardContext) -> Array:
        return np.asarray(np.where(saved[0], dy, np.zeros((), dy.dtype)))

    def _histograms(self, x: Array, ctx: ForwardContext) -> Array:
        """(C, bins) how often values occur in the global batch."""
        last = self.bins - 1
        at = np.clip((x * last / 255).astype(np.intp), 0, last).reshape(-1, x.shape[3])
        counts = np.stack([np.bincount(channel, minlength=self.bins) for channel in at.T]).astype(np.float64)
        ctx.sum_over_ranks(counts)
        return counts


def _scaled(x: Array, source: tuple[float, float], target: tuple[float, float]) -> Array:
    scale = (target[1] - target[0]) / (source[1] - source[0])
    return np.asarray(x * scale + (target[0] - source[0] * scale))


def _table(counts: Array) -> Array:
    """What each bin becomes: how many values lie below it, from 0 to 255."""
    below = np.cumsum(counts)
    first = below[np.argmax(below > 0)] if below.any() else 0.0
    return np.asarray(np.clip(np.round((below - first) * 255 / max(below[-1] - first, 1)), 0, 255))


@register_layer()
@dataclass(eq=False)
class ContrastLimitedAdaptiveHistogramEqualization(ImageLayer):
    """Spreads the values of each tile of an image, none too far, in training and without.

    Between the middles of tiles their tables are blended.

    Shapes:
        (N, H, W, C) -> the same.

    Args:
        value_range: the range of values.
        clip_limit: how often a value counts, at most, as a multiple of the mean of all 256; the rest is shared out
            over all of them. 0 and below for no limit.
        tile_grid_size: numbers of tiles along the rows and the columns.

    Source: K. Zuiderveld (1994), "Contrast Limited Adaptive Histogram Equalization";
    ``keras.layers.ContrastLimitedAdaptiveHistogramEqualization``.
    """

    changes_always: ClassVar[bool] = True
    integers_by: ClassVar[Callable[[Array], Array] | None] = np.trunc

    value_range: Sequence[float] = (0, 255)
    clip_limit: float = number(4.0, ANY)
    tile_grid_size: Sequence[int] = (8, 8)
    data_format: str | None = field(default=None, metadata=LEFT_OUT)

    def validate(self) -> None:
        super().validate()
        self.value_range = range_of_values(self, self.value_range)
        grid = self.tile_grid_size
        if not isinstance(grid, list | tuple) or len(grid) != 2 or not all(is_integer(n) and n > 0 for n in grid):
            raise ArgumentError(f"{self.name}: tile_grid_size must be two positive integers, received {grid!r}.")
        self.tile_grid_size = tuple(grid)

    def draw(self, shape: tuple[int, ...], numbers: RowNumbers) -> Transformation:
        return None

    def change(self, x: Array, transformation: Transformation, ctx: ForwardContext) -> tuple[Array, Array]:
        single = rescaled(x.astype("float32"), pair(self.value_range), _BYTE)
        y = rescaled(self._spread(single), _BYTE, pair(self.value_range)).astype(x.dtype)
        return y, y

    def change_back(self, dy: Array, saved: Array, ctx: BackwardContext) -> Array:
        return np.zeros_like(dy)

    def _spread(self, x: Array) -> Array:
        """The images with their values spread; in single precision, as in Keras."""
        rows, columns = x.shape[1:3]
        down, across = self.tile_grid_size
        tall, wide = -(-rows // down), -(-columns // across)
        margins = ((0, 0), (0, tall * down - rows), (0, wide * across - columns), (0, 0))
        levels = np.clip(np.pad(x, margins, mode="symmetric"), 0, 255).astype(np.intp)
        tables = self._tables(levels, tall, wide)
        total = np.zeros(levels.shape, np.float32)
        image, channel = np.arange(len(x))[:, None, None, None], np.arange(x.shape[3])
        sides = [
            [_between_tiles(length, count, right) for right in (False, True)]
            for length, count in ((tall, down), (wide, across))
        ]
        for tile_row, row_share in sides[0]:
            for tile_column, column_share in sides[1]:
                blended = tables[image, tile_row[:, None, None], tile_column[:, None], channel, levels]
                total += blended * row_share[:, None, None] * column_share[:, None]
        return total[:, :rows, :columns]

    def _tables(self, levels: Array, tall: int, wide: int) -> Array:
        """(N, rows of tiles, columns of tiles, C, 256): what each level becomes in each tile."""
        images, height, width, channels = levels.shape
        down, across = height // tall, width // wide
        tiles = levels.reshape(images, down, tall, across, wide, channels).transpose(0, 1, 3, 5, 2, 4)
        flat = tiles.reshape(-1, tall * wide)
        numbered = flat + _LEVELS * np.arange(len(flat))[:, None]
        counts = np.bincount(numbered.reshape(-1), minlength=_LEVELS * len(flat)).reshape(-1, _LEVELS).astype("float32")
        if self.clip_limit > 0:
            most = np.float32(self.clip_limit * (tall * wide) / 256.0)
            kept = np.minimum(counts, most)
            counts = kept + (counts - kept).sum(axis=-1, keepdims=True) / np.float32(256.0)
        below = np.cumsum(counts, axis=-1, dtype="float32")
        least = below.min(axis=-1, keepdims=True)
        rest = np.float32(tall * wide) - least
        spread = (below - least) * np.float32(255.0) / np.where(rest == 0, np.float32(1.0), rest)
        return np.asarray(np.clip(spread, 0, 255)).reshape(images, down, across, channels, _LEVELS)


def _between_tiles(length: int, count: int, is_next: bool) -> tuple[Array, Array]:
    """For each pixel along an axis the tile whose middle lies before it, or the next one, and that one's share."""
    at = (np.arange(length * count, dtype="float32") - np.float32(length / 2.0)) / np.float32(length)
    before = np.floor(at)
    share = at - before
    tile = np.clip(before + is_next, 0, count - 1).astype(np.intp)
    return tile, share if is_next else 1 - share
