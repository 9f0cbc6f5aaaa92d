"""One minus the overlap of two sets of pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from distnet import config
from distnet.losses.kinds import LOSSES, BuiltInLoss
from distnet.losses.loss_function import Pullback, loss_function
from distnet.types import Array


def _axes(axis: int | Sequence[int] | None) -> int | tuple[int, ...] | None:
    return axis if axis is None or isinstance(axis, int) else tuple(axis)


@loss_function()
def dice(y_true: Array, y_pred: Array, axis: int | Sequence[int] | None = None) -> tuple[Array, Pullback]:
    """``1 - 2 sum(t p) / (sum(t) + sum(p) + epsilon)`` over ``axis``; None sums over the whole batch.

    Source: Milletari et al. (2016), arXiv:1606.04797.
    """
    axes = _axes(axis)
    both = (y_true * y_pred).sum(axis=axes, keepdims=True)
    total = y_true.sum(axis=axes, keepdims=True) + y_pred.sum(axis=axes, keepdims=True) + config.epsilon()
    values = np.asarray(1.0 - 2.0 * both / total)
    return values.squeeze(axis=axes), lambda: 2.0 * (both / total - y_true) / total


@loss_function()
def tversky(
    y_true: Array,
    y_pred: Array,
    alpha: float = 0.5,
    beta: float = 0.5,
    axis: int | Sequence[int] | None = None,
) -> tuple[Array, Pullback]:
    """``1 - both / (both + alpha sum(t (1 - p)) + beta sum(p (1 - t)) + epsilon)``, ``both = sum(t p)``.

    Source: Salehi et al. (2017), arXiv:1706.05721; ``alpha`` weighs the misses and ``beta`` the false
    alarms, as in Keras.
    """
    axes = _axes(axis)
    both = (y_true * y_pred).sum(axis=axes, keepdims=True)
    misses = (y_true * (1.0 - y_pred)).sum(axis=axes, keepdims=True)
    alarms = (y_pred * (1.0 - y_true)).sum(axis=axes, keepdims=True)
    total = both + alpha * misses + beta * alarms + config.epsilon()

    def gradient() -> Array:
        d_total = y_true * (1.0 - alpha) + beta * (1.0 - y_true)
        return np.asarray((both / total * d_total - y_true) / total)

    return np.asarray(1.0 - both / total).squeeze(axis=axes), gradient


@LOSSES.register()
@dataclass(eq=False)
class Dice(BuiltInLoss):
    """``1 - 2 |T and P| / (|T| + |P|)`` of masks.

    Args:
        axis: axes of one mask, for example (1, 2, 3); None takes the whole batch as one mask.
    """

    function: ClassVar = dice
    axis: int | Sequence[int] | None = field(default=None, kw_only=True)


@LOSSES.register()
@dataclass(eq=False)
class Tversky(BuiltInLoss):
    """Dice with misses weighed ``alpha`` and false alarms ``beta``.

    Args:
        alpha: weight of what P misses.
        beta: weight of what P has too much.
        axis: axes of one mask, for example (1, 2, 3); None takes the whole batch as one mask.

    Source: Salehi et al. (2017), arXiv:1706.05721.
    """

    function: ClassVar = tversky
    alpha: float = 0.5
    beta: float = 0.5
    axis: int | Sequence[int] | None = field(default=None, kw_only=True)
