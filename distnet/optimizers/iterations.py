"""The number of updates that an optimizer has made, as Keras's users take it: a number, and a variable."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from distnet.arguments import check_integer
from distnet.assignments import is_noting
from distnet.errors import ArgumentError
from distnet.optimizers.owned_number import OwnedNumber


class Counts(Protocol):
    """What counts its steps."""

    name: str
    scalars: dict[str, float]
    gradient_accumulation_steps: int | None

    def set_iterations(self, updates: int) -> None: ...


class Iterations(OwnedNumber[Counts, int], int):
    """The present number of updates, with the methods of Keras's variable."""

    plain = int

    def assign(self, value: int) -> None:
        """Let the optimizer have made so many updates: schedules and moments go by this number.

        Raises:
            ArgumentError: it is no whole number of at least 0; or a callback sets it, unknown to the other ranks.
        """
        if is_noting():
            raise ArgumentError(
                f"{self.owner.name}.iterations: cannot be set by a callback on several ranks, which runs on one of "
                "them. Set it on every rank, between two calls of fit; or set the learning rate in the callback."
            )
        number = value.item() if isinstance(value, np.ndarray | np.generic) and value.size == 1 else value
        self.owner.set_iterations(check_integer(f"{self.owner.name}.iterations", number, 0))

    def assign_add(self, value: int) -> None:
        """Let it have made so many more."""
        self.assign(self + value)


class CountsIterations:
    """What an optimizer counts."""

    @property
    def iterations(self: Counts) -> Iterations:
        """Updates made so far: steps, divided by ``gradient_accumulation_steps``.

        Source: ``keras.optimizers.Optimizer.iterations``.
        """
        return Iterations(int(self.scalars["iteration"]) // (self.gradient_accumulation_steps or 1), self)

    def set_iterations(self: Counts, updates: int) -> None:
        """Have made so many updates."""
        self.scalars["iteration"] = updates * (self.gradient_accumulation_steps or 1)
