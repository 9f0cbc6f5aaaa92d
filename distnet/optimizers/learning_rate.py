"""The learning rate of an optimizer: a number, a schedule or a function, read as its present value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeAlias, overload

import numpy as np

from distnet.arguments import NOT_NEGATIVE, check_number
from distnet.errors import ArgumentError
from distnet.optimizers.learning_rate_schedule import SCHEDULES, LearningRateSchedule
from distnet.optimizers.owned_number import OwnedNumber
from distnet.types import Json

Schedule: TypeAlias = LearningRateSchedule | Callable[[], float]
"""What changes the learning rate by itself."""

LearningRateLike: TypeAlias = float | Schedule | str | Mapping[str, Json]
"""What is accepted as a learning rate: a number, a schedule or its config, a function without arguments or its name."""


class Scheduled(Protocol):
    """What has a learning rate."""

    scalars: dict[str, float]
    schedule: Schedule | None


class LearningRate(OwnedNumber[Scheduled, float], float):
    """The present learning rate: a number with the methods that Keras's users call on Keras's variable."""

    plain = float

    def assign(self, value: float) -> None:
        """Set the optimizer's learning rate."""
        set_rate(self.owner, value)


class LearningRateField:
    """The dataclass field ``learning_rate``: accepts what ``LearningRateLike`` lists, and gives the present number.

    A number is part of the optimizer's state, ``scalars``; a schedule is kept next to it.
    """

    def __init__(self, default: float) -> None:
        self.default = default

    @overload
    def __get__(self, instance: None, owner: type) -> float: ...

    @overload
    def __get__(self, instance: Scheduled, owner: type) -> LearningRate: ...

    def __get__(self, instance: Scheduled | None, owner: type) -> float:
        return self.default if instance is None else LearningRate(present_rate(instance), instance)

    def __set__(self, instance: Scheduled, value: LearningRateLike) -> None:
        set_rate(instance, value)


class LegacyLearningRate:
    """The dataclass field ``lr``, Keras 2's name for ``learning_rate``; None leaves that as it is."""

    @overload
    def __get__(self, instance: None, owner: type) -> None: ...

    @overload
    def __get__(self, instance: Scheduled, owner: type) -> LearningRate: ...

    def __get__(self, instance: Scheduled | None, owner: type) -> LearningRate | None:
        return None if instance is None else LearningRate(present_rate(instance), instance)

    def __set__(self, instance: Scheduled, value: LearningRateLike | None) -> None:
        if value is not None:
            set_rate(instance, value)


def present_rate(instance: Scheduled) -> float:
    """The learning rate now, as a plain number."""
    schedule = instance.schedule
    if schedule is None:
        return instance.scalars["learning_rate"]
    if isinstance(schedule, LearningRateSchedule):
        return float(schedule(int(instance.scalars["iteration"])))
    return float(schedule())


def set_rate(instance: Scheduled, value: LearningRateLike) -> None:
    """Give an optimizer another learning rate.

    Raises:
        ArgumentError: ``value`` is no learning rate, or is a number although a schedule determines it.
    """
    where = f"{type(instance).__name__}.learning_rate"
    schedule = _as_schedule(value)
    if schedule is not None:
        instance.scalars.pop("learning_rate", None)
    elif instance.schedule is not None:
        raise ArgumentError(
            f"{where}: cannot be set to {value!r}: the schedule {instance.schedule!r} determines it. Make the "
            "optimizer with a number, or call overwrite_learning_rate()."
        )
    else:
        number = value.item() if isinstance(value, np.ndarray) and value.size == 1 else value
        instance.scalars["learning_rate"] = check_number(where, number, NOT_NEGATIVE)
    instance.schedule = schedule


def _as_schedule(value: Any) -> Schedule | None:
    """The schedule or function that ``value`` stands for; None for a number."""
    if isinstance(value, str):
        value = SCHEDULES.find(value)
    elif isinstance(value, Mapping):
        name = value.get("config") if value.get("class_name") == "function" else None
        value = SCHEDULES.find(name) if isinstance(name, str) else SCHEDULES.get(value)
    if isinstance(value, LearningRateSchedule):
        return value
    if isinstance(value, type) or not callable(value):
        return None
    function: Callable[[], float] = value
    return function
