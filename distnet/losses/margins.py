"""Losses of margins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from distnet import criteria
from distnet.losses.kinds import LOSSES, CriterionLoss


@LOSSES.register()
@dataclass(eq=False)
class Hinge(CriterionLoss):
    """``mean(max(1 - t p, 0))`` over the last axis; t is -1 or 1, or 0 or 1."""

    criterion: ClassVar = criteria.hinge


@LOSSES.register()
@dataclass(eq=False)
class SquaredHinge(CriterionLoss):
    """``mean(max(1 - t p, 0)^2)`` over the last axis; t is -1 or 1, or 0 or 1."""

    criterion: ClassVar = criteria.squared_hinge


@LOSSES.register()
@dataclass(eq=False)
class CategoricalHinge(CriterionLoss):
    """``max(worst - right + 1, 0)``: the largest wrong score against the right one."""

    criterion: ClassVar = criteria.categorical_hinge
