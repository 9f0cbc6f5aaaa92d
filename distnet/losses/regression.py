"""Losses between numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from distnet import criteria
from distnet.arguments import POSITIVE, number
from distnet.losses.kinds import LOSSES, CriterionLoss
from distnet.registry import BESIDE


@LOSSES.register("mse")
@dataclass(eq=False)
class MeanSquaredError(CriterionLoss):
    """``mean((p - t)^2)`` over the last axis.

    >>> MeanSquaredError()([[0.0, 1.0]], [[1.0, 3.0]])
    2.5
    """

    criterion: ClassVar = criteria.mean_squared_error


@LOSSES.register("mae")
@dataclass(eq=False)
class MeanAbsoluteError(CriterionLoss):
    """``mean(|p - t|)`` over the last axis."""

    criterion: ClassVar = criteria.mean_absolute_error


@LOSSES.register("mape")
@dataclass(eq=False)
class MeanAbsolutePercentageError(CriterionLoss):
    """``100 mean(|p - t| / max(|t|, epsilon))`` over the last axis, in percent."""

    criterion: ClassVar = criteria.mean_absolute_percentage_error


@LOSSES.register("msle")
@dataclass(eq=False)
class MeanSquaredLogarithmicError(CriterionLoss):
    """``mean((log(1 + p) - log(1 + t))^2)`` over the last axis, p and t at least epsilon."""

    criterion: ClassVar = criteria.mean_squared_logarithmic_error


@LOSSES.register("huber_loss")
@dataclass(eq=False)
class Huber(CriterionLoss):
    """Squared error near 0, absolute error beyond ``delta``; mean over the last axis.

    Args:
        delta: where the one becomes the other, > 0.
    """

    criterion: ClassVar = criteria.huber
    delta: float = number(1.0, POSITIVE)
    name: str = field(default="huber_loss", kw_only=True)


@LOSSES.register()
@dataclass(eq=False)
class LogCosh(CriterionLoss):
    """``mean(log(cosh(p - t)))`` over the last axis."""

    criterion: ClassVar = criteria.log_cosh


@LOSSES.register("cosine_proximity")
@dataclass(eq=False)
class CosineSimilarity(CriterionLoss):
    """Minus the cosine of the angle between target and prediction: -1 where they agree.

    Args:
        axis: the axis that holds the vectors.
        mean_over_axis: whether the products are averaged, as in Keras up to 2.0.8, not summed.
    """

    criterion: ClassVar = criteria.cosine_similarity
    axis: int = -1
    mean_over_axis: bool = field(default=False, kw_only=True, metadata=BESIDE)
