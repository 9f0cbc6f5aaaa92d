"""Learning rates that are functions of the step."""

from __future__ import annotations

import bisect
import math
from collections.abc import Sequence
from dataclasses import dataclass

from distnet.arguments import (
    ANY,
    AT_LEAST_ONE,
    NOT_NEGATIVE,
    POSITIVE,
    check_number,
    number,
    required_number,
)
from distnet.errors import ArgumentError
from distnet.optimizers.learning_rate_schedule import SCHEDULES, LearningRateSchedule
from distnet.registry import functions_of

__all__ = [
    "SCHEDULES",
    "CosineDecay",
    "CosineDecayRestarts",
    "ExponentialDecay",
    "InverseTimeDecay",
    "LearningRateSchedule",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
    "deserialize",
    "serialize",
]


@dataclass(eq=False)
class _DecayByPeriods(LearningRateSchedule):
    """The learning rate falls by periods, ``step / decay_steps``.

    Args:
        initial_learning_rate: at step 0.
        decay_steps: steps of a period.
        decay_rate: at least 0.
        staircase: whether only whole periods count.
        name: for the record.
    """

    initial_learning_rate: float = required_number(NOT_NEGATIVE)
    decay_steps: float = required_number(POSITIVE)
    decay_rate: float = required_number(NOT_NEGATIVE)
    staircase: bool = False
    name: str | None = None

    def periods(self, step: int) -> float:
        """How many periods are over."""
        periods = step / self.decay_steps
        return math.floor(periods) if self.staircase else periods


@SCHEDULES.register()
@dataclass(eq=False)
class ExponentialDecay(_DecayByPeriods):
    """``initial_learning_rate * decay_rate ** (step / decay_steps)``.

    Source: ``keras.optimizers.schedules.ExponentialDecay``.
    """

    name: str | None = "ExponentialDecay"

    def __call__(self, step: int) -> float:
        return self.initial_learning_rate * math.pow(self.decay_rate, self.periods(step))


@SCHEDULES.register()
@dataclass(eq=False)
class InverseTimeDecay(_DecayByPeriods):
    """``initial_learning_rate / (1 + decay_rate * step / decay_steps)``.

    Source: ``keras.optimizers.schedules.InverseTimeDecay``.
    """

    name: str | None = "InverseTimeDecay"

    def __call__(self, step: int) -> float:
        return self.initial_learning_rate / (1 + self.decay_rate * self.periods(step))


@SCHEDULES.register()
@dataclass(eq=False)
class PiecewiseConstantDecay(LearningRateSchedule):
    """``values[i]`` up to and including step ``boundaries[i]``, after the last boundary the last value.

    Args:
        boundaries: steps, increasing.
        values: learning rates, one more than boundaries.
        name: for the record.

    Source: ``keras.optimizers.schedules.PiecewiseConstantDecay``.

    >>> halved_twice = PiecewiseConstantDecay([10, 20], [0.4, 0.2, 0.1])
    >>> [halved_twice(step) for step in (0, 10, 11, 20, 21)]
    [0.4, 0.4, 0.2, 0.2, 0.1]
    """

    boundaries: Sequence[float]
    values: Sequence[float]
    name: str | None = "PiecewiseConstant"

    def __post_init__(self) -> None:
        boundaries, values = list(self.boundaries), list(self.values)
        if len(values) != len(boundaries) + 1:
            raise ArgumentError(
                "PiecewiseConstantDecay: expected one more value than boundaries, "
                f"received {len(boundaries)} boundaries and {len(values)} values."
            )
        if boundaries != sorted(boundaries):
            raise ArgumentError(f"PiecewiseConstantDecay: expected increasing boundaries, received {boundaries}.")
        for value in values:
            check_number("PiecewiseConstantDecay.values", value, NOT_NEGATIVE)

    def __call__(self, step: int) -> float:
        return float(self.values[bisect.bisect_left(self.boundaries, step)])


@SCHEDULES.register()
@dataclass(eq=False)
class PolynomialDecay(LearningRateSchedule):
    """``(initial - end) * (1 - step / decay_steps) ** power + end``, constant after ``decay_steps``.

    Args:
        initial_learning_rate: at step 0.
        decay_steps: steps until ``end_learning_rate`` is reached.
        end_learning_rate: the last learning rate.
        power: 1 decays linearly.
        cycle: whether to decay anew, over the next multiple of ``decay_steps``, instead of staying constant.
        name: for the record.

    Source: ``keras.optimizers.schedules.PolynomialDecay``.
    """

    initial_learning_rate: float = required_number(NOT_NEGATIVE)
    decay_steps: float = required_number(POSITIVE)
    end_learning_rate: float = number(0.0001, NOT_NEGATIVE)
    power: float = number(1.0, NOT_NEGATIVE)
    cycle: bool = False
    name: str | None = "PolynomialDecay"

    def __call__(self, step: int) -> float:
        cycles = max(1, math.ceil(step / self.decay_steps)) if self.cycle else 1
        rest = 1 - min(step / (self.decay_steps * cycles), 1)
        return (self.initial_learning_rate - self.end_learning_rate) * math.pow(
            rest, self.power
        ) + self.end_learning_rate


@SCHEDULES.register()
@dataclass(eq=False)
class CosineDecay(LearningRateSchedule):
    """Half a cosine from the initial learning rate to ``alpha`` times it, after an optional linear warm-up.

    ``peak * ((1 - alpha) * (1 + cos(pi * step / decay_steps)) / 2 + alpha)``

    Args:
        initial_learning_rate: at step 0; the peak, unless there is a ``warmup_target``.
        decay_steps: steps of the cosine; they follow the warm-up.
        alpha: the last learning rate as a fraction of the peak.
        name: for the record.
        warmup_target: the peak, reached linearly from ``initial_learning_rate``.
        warmup_steps: steps until then.

    Source: Loshchilov & Hutter, "SGDR", ICLR 2017, equation 5; ``keras.optimizers.schedules.CosineDecay``.
    """

    initial_learning_rate: float = required_number(NOT_NEGATIVE)
    decay_steps: float = required_number(POSITIVE)
    alpha: float = number(0.0, ANY)
    name: str | None = "CosineDecay"
    warmup_target: float | None = number(None, NOT_NEGATIVE)
    warmup_steps: float = number(0, NOT_NEGATIVE)

    def __call__(self, step: int) -> float:
        if self.warmup_target is None:
            return self._decayed(self.initial_learning_rate, step)
        if step < self.warmup_steps:
            rise = self.warmup_target - self.initial_learning_rate
            return rise * (step / self.warmup_steps) + self.initial_learning_rate
        return self._decayed(self.warmup_target, step - self.warmup_steps)

    def _decayed(self, peak: float, step: float) -> float:
        cosine = math.cos(math.pi * min(step / self.decay_steps, 1))
        return peak * ((1 - self.alpha) * 0.5 * (1 + cosine) + self.alpha)


@SCHEDULES.register()
@dataclass(eq=False)
class CosineDecayRestarts(LearningRateSchedule):
    """Cosine decays one after the other.

    Args:
        initial_learning_rate: where the first decay starts.
        first_decay_steps: steps of the first decay.
        t_mul: each decay has this many times the steps of the last one; at least 1.
        m_mul: each decay starts from this many times the learning rate of the last one.
        alpha: the lowest learning rate as a fraction of the initial one.
        name: for the record.

    Source: Loshchilov & Hutter, "SGDR", ICLR 2017; ``keras.optimizers.schedules.CosineDecayRestarts``.
    """

    initial_learning_rate: float = required_number(NOT_NEGATIVE)
    first_decay_steps: float = required_number(POSITIVE)
    t_mul: float = number(2.0, AT_LEAST_ONE)
    m_mul: float = number(1.0, NOT_NEGATIVE)
    alpha: float = number(0.0, ANY)
    name: str | None = "SGDRDecay"

    def __call__(self, step: int) -> float:
        restarts, fraction = self._position(step / self.first_decay_steps)
        cosine = 0.5 * math.pow(self.m_mul, restarts) * (1 + math.cos(math.pi * fraction))
        return self.initial_learning_rate * ((1 - self.alpha) * cosine + self.alpha)

    def _position(self, periods: float) -> tuple[int, float]:
        """How many decays are over, and which fraction of the present one."""
        if self.t_mul == 1:
            restarts = math.floor(periods)
            return restarts, periods - restarts
        restarts = math.floor(math.log(1 - periods * (1 - self.t_mul)) / math.log(self.t_mul))
        over = (1 - self.t_mul**restarts) / (1 - self.t_mul)
        return restarts, (periods - over) / self.t_mul**restarts


_, serialize, deserialize = functions_of(SCHEDULES, __name__, SCHEDULES.optional)
