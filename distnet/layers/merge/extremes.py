"""Largest and smallest of several inputs."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from distnet.layers.engine.base import register_layer
from distnet.layers.engine.context import BackwardContext, ForwardContext
from distnet.layers.merge.base import Elementwise
from distnet.types import Array

Masks = list[Array | None]


class Extreme(Elementwise):
    """The inputs compared one after the other: ``y = pick(... pick(x_1, x_2) ..., x_n)``.

    Where a mask excludes a time step of one side, the other side is picked. Ties share the
    gradient in halves, as on JAX.
    """

    @abstractmethod
    def _pick(self, a: Array, b: Array) -> Array:
        """The picked entries."""

    @abstractmethod
    def _is_picked(self, a: Array, b: Array) -> Array:
        """Where a is picked and differs from b."""

    def _merge(self, inputs: list[Array], masks: Masks, shape: tuple[int, ...], ctx: ForwardContext) -> Array:
        y = ctx.workspace("y", shape, inputs[0].dtype)
        y[...] = self._results(inputs, masks)[-1]
        return y

    def _gradients(self, dy: Array, inputs: list[Array], masks: Masks, ctx: BackwardContext) -> list[Array]:
        return self.shares(dy, inputs, masks)

    def shares(self, dy: Array, inputs: list[Array], masks: Masks) -> list[Array]:
        """What each of the inputs gets of ``dy``, entry by entry."""
        results, so_far = self._results(inputs, masks), _masks_so_far(masks)
        gradients, rest = [], dy
        for i in range(len(inputs) - 1, 0, -1):
            left_mask, right_mask = so_far[i - 1], masks[i]
            left, right = _replaced(results[i - 1], inputs[i], left_mask, right_mask)
            share = self._is_picked(right, left) + (right == left) * dy.dtype.type(0.5)
            if left_mask is not None:
                share = np.where(left_mask, share, dy.dtype.type(1))
            if right_mask is not None:
                share = share * right_mask
            gradients.append(rest * share)
            rest = rest - gradients[-1]
        return [rest, *reversed(gradients)]

    def _results(self, inputs: list[Array], masks: Masks) -> list[Array]:
        """What was picked of the first input, of the first two, of the first three ..."""
        results, so_far = [inputs[0]], _masks_so_far(masks)
        for i in range(1, len(inputs)):
            results.append(self._pick(*_replaced(results[-1], inputs[i], so_far[i - 1], masks[i])))
        return results


@register_layer()
@dataclass(eq=False)
class Maximum(Extreme):
    """The largest of the inputs, entry by entry.

    Shapes:
        a list of (N, ...) -> the same; rows are broadcast against each other.

    Source: ``keras.layers.Maximum``; with masks, that of Keras 3.
    """

    def _pick(self, a: Array, b: Array) -> Array:
        return np.maximum(a, b)

    def _is_picked(self, a: Array, b: Array) -> Array:
        return a > b


@register_layer()
@dataclass(eq=False)
class Minimum(Extreme):
    """The smallest of the inputs, entry by entry.

    Shapes:
        a list of (N, ...) -> the same; rows are broadcast against each other.

    Source: ``keras.layers.Minimum``; with masks, that of Keras 3.
    """

    def _pick(self, a: Array, b: Array) -> Array:
        return np.minimum(a, b)

    def _is_picked(self, a: Array, b: Array) -> Array:
        return a < b


def _masks_so_far(masks: Masks) -> Masks:
    """The masks of the first input, of the first two, of the first three ...; None once an input has none."""
    so_far = [masks[0]]
    for mask in masks[1:]:
        last = so_far[-1]
        so_far.append(None if last is None or mask is None else last | mask)
    return so_far


def _replaced(left: Array, right: Array, left_mask: Array | None, right_mask: Array | None) -> tuple[Array, Array]:
    """Both sides, each replaced by the other where its mask excludes it; where both do, by the left one."""
    if right_mask is not None:
        right = np.where(right_mask, right, left)
    if left_mask is not None:
        left = np.where(left_mask, left, right)
    return left, right


def maximum(inputs: Sequence[Any], **options: Any) -> Any:
    """The largest of the inputs: ``Maximum(**options)(inputs)``."""
    return Maximum(**options)(inputs)


def minimum(inputs: Sequence[Any], **options: Any) -> Any:
    """The smallest of the inputs: ``Minimum(**options)(inputs)``."""
    return Minimum(**options)(inputs)
