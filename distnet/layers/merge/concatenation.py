"""Inputs concatenated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from distnet.errors import ArgumentError, ShapeError
from distnet.layers.engine.base import register_layer
from distnet.layers.engine.context import BackwardContext, ForwardContext
from distnet.layers.merge.base import Merge, trailing
from distnet.types import Array, Shape


@register_layer()
@dataclass(eq=False)
class Concatenate(Merge):
    """The inputs concatenated along an axis.

    Shapes:
        a list of (N, ...), equal but for ``axis`` -> the same, with the sum of the extents there.

    Args:
        axis: any but the batch axis.

    Source: ``keras.layers.Concatenate``.
    """

    repeats: ClassVar[bool] = True

    axis: int = -1

    def validate(self) -> None:
        if self.axis == 0:
            raise ArgumentError(
                f"{self.name}: axis: expected an integer other than 0, the batch axis, received {self.axis!r}."
            )

    def compute_mask(self, x: Any, mask: Any) -> Any:
        """The masks concatenated; along features, a time step counts if it counts in any input."""
        arrays, masks = self._several(x), self._several(mask)
        if all(m is None for m in masks):
            return None
        axes = min(arrays[0].ndim - 1, max(m.ndim for m in masks if m is not None))
        full = [
            np.broadcast_to(True if m is None else trailing(m, axes), a.shape[:axes])
            for a, m in zip(arrays, masks, strict=True)
        ]
        axis = self.axis % arrays[0].ndim
        return np.concatenate(full, axis=axis) if axis < axes else self._joined.reduce(full)

    def forward(self, x: Any, ctx: ForwardContext) -> tuple[Array, list[tuple[int, ...]]]:
        inputs = self._several(x)
        shapes = [a.shape for a in inputs]
        shape = self._merged_shape(shapes)
        y = ctx.workspace("y", tuple(int(n or 0) for n in shape), inputs[0].dtype)
        ctx.do(np.concatenate, inputs, axis=self.axis, out=y)
        return y, shapes

    def backward(self, dy: Array, saved: list[tuple[int, ...]], ctx: BackwardContext) -> Any:
        ends = np.cumsum([shape[self.axis] for shape in saved])[:-1]
        gradients = []
        for i, part in enumerate(np.split(dy, ends, axis=self.axis)):
            dx = ctx.workspace(f"dx {i}", part.shape, dy.dtype)
            ctx.do(np.copyto, dx, part)
            gradients.append(dx)
        return self._like_inputs(gradients)

    def _merged_shape(self, shapes: Sequence[Shape]) -> Shape:
        first = shapes[0]
        axis = self.axis + len(first) if self.axis < 0 else self.axis
        if not 0 < axis < len(first) or any(len(shape) != len(first) for shape in shapes):
            raise self._mismatch(shapes)
        merged: list[int | None] = []
        for i, extents in enumerate(zip(*shapes, strict=True)):
            known = {n for n in extents if n is not None}
            if i == axis:
                merged.append(None if None in extents else sum(n or 0 for n in extents))
            elif len(known) > 1:
                raise self._mismatch(shapes)
            else:
                merged.append(known.pop() if known else None)
        return tuple(merged)

    def _mismatch(self, shapes: Sequence[Shape]) -> ShapeError:
        return ShapeError(
            f"{self.name}: expected inputs whose shapes are equal but for axis {self.axis}, received {list(shapes)}."
        )


def concatenate(inputs: Sequence[Any], axis: int = -1, **options: Any) -> Any:
    """The inputs concatenated: ``Concatenate(axis, **options)(inputs)``."""
    return Concatenate(axis, **options)(inputs)
