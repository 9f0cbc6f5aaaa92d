"""Losses of sequences of labels, and of embeddings that are compared with each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from distnet import criteria
from distnet.arguments import ANY, number
from distnet.losses.kinds import LOSSES, CriterionLoss
from distnet.types import Array


@LOSSES.register()
@dataclass(eq=False)
class CTC(CriterionLoss):
    """``-log p(labels | logits)`` of connectionist temporal classification; class 0 is the blank.

    Source: Graves et al. (2006), doi:10.1145/1143844.1143891; ``keras.losses.CTC``.
    """

    criterion: ClassVar = criteria.ctc


@LOSSES.register()
@dataclass(eq=False)
class Circle(CriterionLoss):
    """Draws embeddings of one label together, and those of different labels apart; rows of 0 do not count.

    Every row is compared with all rows of the global batch.

    Args:
        gamma: scale.
        margin: how far from 0 and 1 distances may be.
        remove_diagonal: whether a row is not compared with itself.

    Source: Sun et al. (2020), arXiv:2002.10857; ``keras.losses.Circle``.
    """

    criterion: ClassVar = criteria.circle
    gamma: float = number(80.0, ANY)
    margin: float = number(0.4, ANY)
    remove_diagonal: bool = field(default=True)

    @property
    def couples_rows(self) -> bool:
        """Always."""
        return True

    def valid(self, y_true: Array, values: Array) -> Array | None:
        return np.asarray(values > 0)
