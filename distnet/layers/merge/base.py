"""What layers that merge several inputs share."""

from __future__ import annotations

import reprlib
from abc import abstractmethod
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, ClassVar

import numpy as np

from distnet.errors import ArgumentError, ShapeError
from distnet.layers.engine.base import Layer
from distnet.layers.engine.context import BackwardContext, BuildContext, ForwardContext
from distnet.registry import BESIDE
from distnet.types import Array, Shape


@dataclass(eq=False, kw_only=True)
class Merge(Layer):
    """A function of a list of inputs.

    Args:
        as_in_keras_2: whether masks mean what they did there: a time step counts if it counts in every input with a
            mask, and the computation ignores masks.
    """

    as_in_keras_2: bool = field(default=False, metadata=BESIDE)

    supports_masking: ClassVar[bool] = True
    inputs_wanted: ClassVar[int | None] = None
    """Number of inputs; None for any number."""

    def bind(self, inputs: Any, *args: Any, **kwargs: Any) -> tuple[list[Any], dict[str, Any]]:
        """The inputs, which must be a list even if there is only one.

        Raises:
            ArgumentError: they do not.
        """
        if not isinstance(inputs, list | tuple):
            raise ArgumentError(f"{self.name}: expected a list of inputs, received {reprlib.repr(inputs)} alone.")
        return super().bind(inputs, *args, **kwargs)

    def build(self, shape: Any, ctx: BuildContext) -> None:
        self.compute_output_shape(shape)

    def check_shape(self, shape: Any) -> None:
        """There are no weights that could not fit."""

    def compute_output_shape(self, shape: Any) -> Any:
        return self._merged_shape(self._several(shape))

    @abstractmethod
    def _merged_shape(self, shapes: list[Shape]) -> Shape:
        """Shape of the output; raises ``ShapeError`` if the inputs do not match."""

    def _several(self, inputs: Any) -> list[Any]:
        """The inputs, or their shapes or masks, as a list; a single one is passed without a list."""
        values = inputs if isinstance(inputs, list) else [inputs]
        if self.inputs_wanted not in (None, len(values)):
            raise ShapeError(f"{self.name}: expected a list of {self.inputs_wanted} inputs, received {len(values)}.")
        return values

    @property
    def _joined(self) -> np.ufunc:
        """The function that merges several masks into one."""
        return np.logical_and if self.as_in_keras_2 else np.logical_or

    def _like_inputs(self, gradients: list[Array]) -> Any:
        """The gradients, in the form in which the inputs were passed."""
        return gradients[0] if len(gradients) == 1 else gradients


class Elementwise(Merge):
    """A function of matching entries; inputs are broadcast, but never along the batch."""

    def compute_mask(self, x: Any, mask: Any) -> Any:
        """A time step counts if it counts in any input; None unless all inputs have a mask."""
        masks = self._several(mask)
        given = [m for m in masks if m is not None]
        if not given or (len(given) < len(masks) and not self.as_in_keras_2):
            return None
        most = max(m.ndim for m in given)
        return reduce(self._joined, [trailing(m, most) for m in given])

    def forward(self, x: Any, ctx: ForwardContext) -> tuple[Array, Any]:
        inputs = self._several(x)
        most = max(a.ndim for a in inputs)
        aligned = [a.reshape(len(a), *[1] * (most - a.ndim), *a.shape[1:]) for a in inputs]
        is_masked = ctx.mask is not None and not self.as_in_keras_2
        given = self._several(ctx.mask) if is_masked else [None] * len(inputs)
        masks = [
            None if mask is None or a.ndim < most else trailing(mask, most)
            for mask, a in zip(given, inputs, strict=True)
        ]
        shape = np.broadcast_shapes(*(a.shape for a in aligned))
        return self._merge(aligned, masks, shape, ctx), (aligned, masks, [a.shape for a in inputs])

    def backward(self, dy: Array, saved: Any, ctx: BackwardContext) -> Any:
        aligned, masks, shapes = saved
        parts = self._gradients(dy, aligned, masks, ctx)
        each = enumerate(zip(parts, aligned, shapes, strict=True))
        return self._like_inputs([_summed(part, a.shape, f"sum {i}", ctx).reshape(s) for i, (part, a, s) in each])

    @abstractmethod
    def _merge(
        self, inputs: list[Array], masks: list[Array | None], shape: tuple[int, ...], ctx: ForwardContext
    ) -> Array:
        """The output, of ``shape``, from inputs and masks that broadcast against it."""

    @abstractmethod
    def _gradients(
        self, dy: Array, inputs: list[Array], masks: list[Array | None], ctx: BackwardContext
    ) -> list[Array]:
        """Gradients of the inputs, in the shape of ``dy``."""

    def _merged_shape(self, shapes: list[Shape]) -> Shape:
        merged: Shape = ()
        for shape in shapes:
            row = shape[1:]
            short, long = sorted((merged, row), key=len)
            long, tail = long[: len(long) - len(short)], long[len(long) - len(short) :]
            merged = (*long, *(self._common(a, b, shapes) for a, b in zip(short, tail, strict=True)))
        batch = {shape[0] for shape in shapes} - {None}
        if len(batch) > 1:
            raise ShapeError(f"{self.name}: expected inputs of one batch size, received {shapes}.")
        return (batch.pop() if batch else None, *merged)

    def _common(self, a: int | None, b: int | None, shapes: list[Shape]) -> int | None:
        if a is None or b is None:
            return None
        if a != b and 1 not in (a, b):
            raise ShapeError(
                f"{self.name}: expected inputs whose rows have equal shapes, or extents of 1, received {shapes}."
            )
        return b if a == 1 else a


def trailing(mask: Array, ndim: int) -> Array:
    """``mask`` with trailing axes of extent 1, ``ndim`` in all."""
    return mask.reshape(mask.shape + (1,) * (ndim - mask.ndim))


def _summed(gradient: Array, shape: tuple[int, ...], name: str, ctx: BackwardContext) -> Array:
    """The gradient of an array of ``shape`` that was broadcast to the gradient's shape, in the workspace ``name``."""
    axes = tuple(i for i, (n, m) in enumerate(zip(shape, gradient.shape, strict=True)) if n == 1 != m)
    if not axes:
        return gradient
    summed = ctx.workspace(name, shape, gradient.dtype)
    ctx.do(np.sum, gradient, axis=axes, keepdims=True, out=summed)
    return summed
