"""Sums, differences, means and products of inputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, ClassVar

import numpy as np

from distnet.layers.engine.base import register_layer
from distnet.layers.engine.context import BackwardContext, ForwardContext
from distnet.layers.engine.plan import Planned
from distnet.layers.merge.base import Elementwise
from distnet.types import Array

Masks = list[Array | None]


@register_layer()
@dataclass(eq=False)
class Add(Elementwise):
    """The sum of the inputs.

    Shapes:
        a list of (N, ...) -> the same; rows are broadcast against each other.

    Source: ``keras.layers.Add``.
    """

    repeats: ClassVar[bool] = True

    def _merge(self, inputs: list[Array], masks: Masks, shape: tuple[int, ...], ctx: ForwardContext) -> Array:
        return _folded(ctx, np.add, inputs, ctx.workspace("y", shape, inputs[0].dtype))

    def _gradients(self, dy: Array, inputs: list[Array], masks: Masks, ctx: BackwardContext) -> list[Array]:
        return [dy] * len(inputs)


@register_layer()
@dataclass(eq=False)
class Subtract(Elementwise):
    """The first input less the second.

    Shapes:
        a list of two (N, ...) -> the same; rows are broadcast against each other.

    Source: ``keras.layers.Subtract``.
    """

    inputs_wanted: ClassVar[int | None] = 2
    repeats: ClassVar[bool] = True

    def _merge(self, inputs: list[Array], masks: Masks, shape: tuple[int, ...], ctx: ForwardContext) -> Array:
        return _folded(ctx, np.subtract, inputs, ctx.workspace("y", shape, inputs[0].dtype))

    def _gradients(self, dy: Array, inputs: list[Array], masks: Masks, ctx: BackwardContext) -> list[Array]:
        negative = ctx.workspace("dx", dy.shape, dy.dtype)
        ctx.do(np.negative, dy, out=negative)
        return [dy, negative]


@register_layer()
@dataclass(eq=False)
class Average(Elementwise):
    """The mean of the inputs.

    Shapes:
        a list of (N, ...) -> the same; rows are broadcast against each other.

    Source: ``keras.layers.Average``.
    """

    repeats: ClassVar[bool] = True

    def _merge(self, inputs: list[Array], masks: Masks, shape: tuple[int, ...], ctx: ForwardContext) -> Array:
        y = _folded(ctx, np.add, inputs, ctx.workspace("y", shape, inputs[0].dtype))
        ctx.do(np.divide, y, len(inputs), out=y)
        return y

    def _gradients(self, dy: Array, inputs: list[Array], masks: Masks, ctx: BackwardContext) -> list[Array]:
        share = ctx.workspace("dx", dy.shape, dy.dtype)
        ctx.do(np.divide, dy, len(inputs), out=share)
        return [share] * len(inputs)


@register_layer()
@dataclass(eq=False)
class Multiply(Elementwise):
    """The product of the inputs.

    A time step that an input's mask excludes counts as 1; if all masks exclude it, the product is 0.

    Shapes:
        a list of (N, ...) -> the same; rows are broadcast against each other.

    Source: ``keras.layers.Multiply`` of Keras 3.
    """

    repeats: ClassVar[bool] = True

    def _merge(self, inputs: list[Array], masks: Masks, shape: tuple[int, ...], ctx: ForwardContext) -> Array:
        y = _folded(ctx, np.multiply, _factors(inputs, masks), ctx.workspace("y", shape, inputs[0].dtype))
        counts = counting(masks)
        if counts is not None:
            y *= counts
        return y

    def _gradients(self, dy: Array, inputs: list[Array], masks: Masks, ctx: BackwardContext) -> list[Array]:
        factors, counts, gradients = _factors(inputs, masks), counting(masks), []
        for i, mask in enumerate(masks):
            others = [*factors[:i], *factors[i + 1 :], *(m for m in (counts, mask) if m is not None)]
            gradients.append(_folded(ctx, np.multiply, [dy, *others], ctx.workspace(f"dx {i}", dy.shape, dy.dtype)))
        return gradients


def _folded(ctx: Planned, function: np.ufunc, arrays: Sequence[Array], out: Array) -> Array:
    """``function`` of the first two arrays, of that and the third, and so on, written to ``out``."""
    if len(arrays) == 1:
        ctx.do(np.copyto, out, arrays[0])
        return out
    ctx.do(function, arrays[0], arrays[1], out=out)
    for array in arrays[2:]:
        ctx.do(function, out, array, out=out)
    return out


def _factors(inputs: list[Array], masks: Masks) -> list[Array]:
    return [x if m is None else np.where(m, x, x.dtype.type(1)) for x, m in zip(inputs, masks, strict=True)]


def counting(masks: Masks) -> Array | None:
    """Where any input counts; None unless all inputs have a mask."""
    given = [mask for mask in masks if mask is not None]
    return reduce(np.logical_or, given) if len(given) == len(masks) else None


def add(inputs: Sequence[Any], **options: Any) -> Any:
    """The sum of the inputs: ``Add(**options)(inputs)``."""
    return Add(**options)(inputs)


def subtract(inputs: Sequence[Any], **options: Any) -> Any:
    """The first input less the second: ``Subtract(**options)(inputs)``."""
    return Subtract(**options)(inputs)


def average(inputs: Sequence[Any], **options: Any) -> Any:
    """The mean of the inputs: ``Average(**options)(inputs)``."""
    return Average(**options)(inputs)


def multiply(inputs: Sequence[Any], **options: Any) -> Any:
    """The product of the inputs: ``Multiply(**options)(inputs)``."""
    return Multiply(**options)(inputs)
