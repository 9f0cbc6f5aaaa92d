"""Margins: 0 once a prediction is on the right side by 1."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from distnet.losses.kinds import LOSSES, BuiltInLoss
from distnet.losses.loss_function import Pullback, loss_function
from distnet.losses.slopes import step
from distnet.registry import BESIDE
from distnet.types import Array


def signs(y_true: Array) -> Array:
    """Labels 0 and 1 as -1 and 1; labels that are not all 0 or 1 stay as they are."""
    is_binary = ((y_true == 0) | (y_true == 1)).all()
    return 2.0 * y_true - 1.0 if is_binary else y_true


@loss_function()
def hinge(y_true: Array, y_pred: Array, plain_labels: bool = False) -> tuple[Array, Pullback]:
    """``mean(max(1 - t p, 0))`` over the last axis, t being -1 or 1 (0 and 1 are read as -1 and 1).

    Args:
        y_true: labels.
        y_pred: scores.
        plain_labels: whether labels 0 and 1 stay as they are.
    """
    t = y_true if plain_labels else signs(y_true)
    margin = 1.0 - t * y_pred
    return np.maximum(margin, 0.0).mean(axis=-1), lambda: -t * step(margin) * (1.0 / y_pred.shape[-1])


@loss_function()
def squared_hinge(y_true: Array, y_pred: Array, plain_labels: bool = False) -> tuple[Array, Pullback]:
    """``mean(max(1 - t p, 0)^2)`` over the last axis, arguments as in ``hinge``."""
    t = y_true if plain_labels else signs(y_true)
    margin = np.maximum(1.0 - t * y_pred, 0.0)
    return (margin * margin).mean(axis=-1), lambda: -t * margin * (2.0 / y_pred.shape[-1])


@loss_function()
def categorical_hinge(y_true: Array, y_pred: Array) -> tuple[Array, Pullback]:
    """``max(max((1 - t) p) - sum(t p) + 1, 0)`` over the last axis."""
    others = (1.0 - y_true) * y_pred
    worst = others.max(axis=-1, keepdims=True)
    margin = worst - (y_true * y_pred).sum(axis=-1, keepdims=True) + 1.0

    def gradient() -> Array:
        is_worst = (others == worst).astype(y_pred.dtype)
        is_worst /= is_worst.sum(axis=-1, keepdims=True)
        return np.asarray(((1.0 - y_true) * is_worst - y_true) * step(margin))

    return np.maximum(margin, 0.0)[..., 0], gradient


@LOSSES.register()
@dataclass(eq=False)
class Hinge(BuiltInLoss):
    """``mean(max(1 - t p, 0))`` over the last axis; t is -1 or 1, or 0 or 1.

    Args:
        plain_labels: whether labels 0 and 1 stay as they are, as in Keras up to 2.2, instead of meaning -1 and 1.
    """

    function: ClassVar = hinge
    plain_labels: bool = field(default=False, kw_only=True, metadata=BESIDE)


@LOSSES.register()
@dataclass(eq=False)
class SquaredHinge(BuiltInLoss):
    """``mean(max(1 - t p, 0)^2)`` over the last axis; t is -1 or 1, or 0 or 1.

    Args:
        plain_labels: as in ``Hinge``.
    """

    function: ClassVar = squared_hinge
    plain_labels: bool = field(default=False, kw_only=True, metadata=BESIDE)


@LOSSES.register()
@dataclass(eq=False)
class CategoricalHinge(BuiltInLoss):
    """``max(worst - right + 1, 0)``: the largest wrong score against the right one."""

    function: ClassVar = categorical_hinge
