"""Layers that compute with the channels last, whichever axis of their inputs holds them."""

from __future__ import annotations

import dataclasses
from abc import abstractmethod
from collections.abc import Mapping, Set
from typing import Any, ClassVar, Self

from distnet import config
from distnet.errors import ShapeError
from distnet.layers.engine.base import Layer
from distnet.layers.engine.context import BackwardContext, BuildContext, ForwardContext
from distnet.types import Array, Json, Shape

AXES: Mapping[int, tuple[str, ...]] = {1: ("steps",), 2: ("height", "width"), 3: ("depth", "height", "width")}
"""Names of the axes of sequences, images and volumes."""


class Channelled(Layer):
    """A layer with a ``data_format``. A subclass sees arrays (N, ..., C) alone, in methods named ``..._last``.

    With the channels first the inputs and outputs are views (N, C, ...) of memory (N, ..., C): layers in a row hand
    each other memory with the channels last, and nothing is copied between them.
    """

    takes_views: ClassVar[bool] = True
    rank: ClassVar[int | None] = None
    """Number of axes besides those of batch and channels; None where any number will do."""

    data_format: str | None

    def validate(self) -> None:
        self.data_format = config.data_format(self.data_format, self.name)

    def build_last(self, shape: Shape, ctx: BuildContext) -> None:
        """``build`` for inputs of ``shape`` (None, ..., C)."""

    @abstractmethod
    def shape_last(self, shape: Shape) -> Shape:
        """``compute_output_shape`` for inputs of ``shape`` (N, ..., C)."""

    @abstractmethod
    def forward_last(self, x: Array, ctx: ForwardContext) -> tuple[Array, Any]:
        """``forward`` of ``x`` (N, ..., C), contiguous."""

    @abstractmethod
    def backward_last(self, dy: Array, saved: Any, ctx: BackwardContext) -> Array | None:
        """``backward`` of ``dy`` (N, ..., C), contiguous."""

    def build(self, shape: Shape, ctx: BuildContext) -> None:
        self.check_rank(shape)
        self.build_last(self.moved_last(shape), ctx)

    def compute_output_shape(self, shape: Shape) -> Shape:
        if len(shape) == self.row_rank and shape[0] is not None:
            return self.compute_output_shape((None, *shape))[1:]
        self.check_rank(shape)
        made = self.shape_last(self.moved_last(shape))
        return (made[0], made[-1], *made[1:-1]) if self.is_channels_first and len(made) > 2 else made

    def forward(self, x: Array, ctx: ForwardContext) -> tuple[Array, Any]:
        self.check_rank(x.shape)
        y, saved = self.forward_last(ctx.contiguous("x last", to_last(x) if self.is_channels_first else x), ctx)
        return (to_first(y) if self.is_channels_first else y), saved

    def backward(self, dy: Array, saved: Any, ctx: BackwardContext) -> Array | None:
        dx = self.backward_last(ctx.contiguous("dy last", to_last(dy) if self.is_channels_first else dy), saved, ctx)
        return to_first(dx) if dx is not None and self.is_channels_first else dx

    @property
    def is_channels_first(self) -> bool:
        """Whether inputs are (N, C, ...)."""
        return self.data_format == "channels_first"

    def moved_last(self, shape: Shape) -> Shape:
        """``shape`` of an input with the channels last."""
        return (shape[0], *shape[2:], shape[1]) if self.is_channels_first and len(shape) > 2 else shape

    def check_rank(self, shape: Shape) -> None:
        """Fail unless an input of ``shape`` has as many axes as the layer takes.

        Raises:
            ShapeError: it has not.
        """
        if self.rank is None or len(shape) == self.rank + 2:
            return
        names = ("channels", *AXES[self.rank]) if self.is_channels_first else (*AXES[self.rank], "channels")
        raise ShapeError(
            f"{self.name}: expected an input of shape (batch, {', '.join(names)}), received {tuple(shape)}. "
            "Add the missing axes with Reshape."
        )

    @classmethod
    def from_config(cls, config: Mapping[str, Json]) -> Self:
        """Make the layer from a configuration; one without a format is from a Keras that had only one."""
        has_format = any(f.name == "data_format" and f.init for f in dataclasses.fields(cls))
        return super().from_config({"data_format": "channels_last", **config} if has_format else config)

    def _needs_written(self) -> Set[str]:
        return {"data_format"} if self.is_channels_first else super()._needs_written()


def to_last(x: Array) -> Array:
    """View (N, ..., C) of ``x`` (N, C, ...); arrays of fewer than three axes as they are."""
    return x.transpose(0, *range(2, x.ndim), 1) if x.ndim > 2 else x


def to_first(x: Array) -> Array:
    """View (N, C, ...) of ``x`` (N, ..., C); arrays of fewer than three axes as they are."""
    return x.transpose(0, x.ndim - 1, *range(1, x.ndim - 1)) if x.ndim > 2 else x
