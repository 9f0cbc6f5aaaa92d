"""What every schedule of learning rates is. Keras's schedules are imported when they are first named."""

from __future__ import annotations

import dataclasses
from typing import Any

from distnet.errors import ArgumentError
from distnet.late_rooms import homes
from distnet.registry import Configurable, Registry
from distnet.results import giving_results
from distnet.types import Json


class LearningRateSchedule(Configurable):
    """A learning rate for each step: derive from it and write ``__call__``.

    A schedule of your own also needs ``get_config``, unless it is a dataclass, and its class in
    ``custom_objects`` when it is loaded.

    >>> class Halved(LearningRateSchedule):
    ...     def __call__(self, step):
    ...         return 0.1 / 2**step
    >>> Halved()(2)
    0.025
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "__call__" in vars(cls):
            cls.__call__ = giving_results(cls.__call__)  # type: ignore[method-assign]

    def __call__(self, step: int) -> float:
        """The learning rate of a step; the first step is 0."""
        raise NotImplementedError(f"{type(self).__name__}: a learning rate schedule needs a __call__(self, step).")

    def get_config(self) -> dict[str, Json]:
        """The constructor's arguments.

        Raises:
            ArgumentError: the class is neither a dataclass nor has a ``get_config`` of its own.
        """
        if not dataclasses.is_dataclass(self):
            raise ArgumentError(
                f"{type(self).__name__}: a learning rate schedule needs a get_config method to be saved. "
                "Let it return the constructor's arguments as a dict."
            )
        return super().get_config()

    def as_json(self) -> Json:
        """Keras's ``{"class_name", "config"}``; with the module, without which Keras 3 finds no schedule in a file."""
        return SCHEDULES.with_module(super().as_json())


SCHEDULES: Registry[LearningRateSchedule] = Registry(
    "learning rate schedule", LearningRateSchedule, module="keras.optimizers.schedules"
)

_KERAS = "CosineDecay CosineDecayRestarts ExponentialDecay InverseTimeDecay PiecewiseConstantDecay PolynomialDecay"
SCHEDULES.expect(homes("distnet.optimizers", {"schedules": _KERAS}))
