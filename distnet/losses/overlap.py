"""Losses of segmentation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from distnet import criteria
from distnet.losses.kinds import LOSSES, CriterionLoss


@LOSSES.register()
@dataclass(eq=False)
class Dice(CriterionLoss):
    """``1 - 2 |T and P| / (|T| + |P|)`` of masks.

    Args:
        axis: axes of one mask, for example (1, 2, 3); None takes the whole batch as one mask.
    """

    criterion: ClassVar = criteria.dice
    axis: int | Sequence[int] | None = field(default=None, kw_only=True)


@LOSSES.register()
@dataclass(eq=False)
class Tversky(CriterionLoss):
    """Dice with misses weighed ``alpha`` and false alarms ``beta``.

    Args:
        alpha: weight of what P misses.
        beta: weight of what P has too much.
        axis: axes of one mask, for example (1, 2, 3); None takes the whole batch as one mask.

    Source: Salehi et al. (2017), arXiv:1706.05721.
    """

    criterion: ClassVar = criteria.tversky
    alpha: float = 0.5
    beta: float = 0.5
    axis: int | Sequence[int] | None = field(default=None, kw_only=True)
