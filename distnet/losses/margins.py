"""Losses of margins."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from distnet import criteria
from distnet.losses.kinds import LOSSES, CriterionLoss
from distnet.registry import BESIDE


@LOSSES.register()
@dataclass(eq=False)
class Hinge(CriterionLoss):
    """``mean(max(1 - t p, 0))`` over the last axis; t is -1 or 1, or 0 or 1.

    Args:
        plain_labels: whether labels 0 and 1 stay as they are, as in Keras up to 2.2, instead of meaning -1 and 1.
    """

    criterion: ClassVar = criteria.hinge
    plain_labels: bool = field(default=False, kw_only=True, metadata=BESIDE)


@LOSSES.register()
@dataclass(eq=False)
class SquaredHinge(CriterionLoss):
    """``mean(max(1 - t p, 0)^2)`` over the last axis; t is -1 or 1, or 0 or 1.

    Args:
        plain_labels: as in ``Hinge``.
    """

    criterion: ClassVar = criteria.squared_hinge
    plain_labels: bool = field(default=False, kw_only=True, metadata=BESIDE)


@LOSSES.register()
@dataclass(eq=False)
class CategoricalHinge(CriterionLoss):
    """``max(worst - right + 1, 0)``: the largest wrong score against the right one."""

    criterion: ClassVar = criteria.categorical_hinge
