"""The step that users' code runs in: which rows are at hand, and where its random numbers have their addresses.

Within a layer's ``call``, a loss or a training step, the functions of ``keras.random`` draw numbers that depend on the
step, the layer and the row, not on the number of ranks.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeAlias

from distnet.ops.tensor import Rows
from distnet.scoped import Scoped

Address: TypeAlias = tuple[int | str, ...]
"""What random numbers are for."""


@dataclass
class Present:
    """One run of users' code.

    Args:
        rows: which rows of the global batch are at hand; None where all are.
        step: number of the training step.
        address: gives seed and place of the code, when the first number is drawn.
        draws: how many times numbers were drawn.
        kept: what the code's runs keep from one to the next; None where they keep nothing.
    """

    rows: Rows | None
    step: int
    address: Callable[[], Address]
    draws: int = 0
    kept: Any = None

    def next_draw(self) -> int:
        """A new number for each array that the code draws: 0, 1, 2 ... in every run."""
        self.draws += 1
        return self.draws - 1


_present: ContextVar[Present | None] = ContextVar("present", default=None)


def present() -> Present | None:
    """The run that the caller is part of; None outside of steps."""
    return _present.get()


def running(rows: Rows | None, step: int, address: Callable[[], Address], kept: Any = None) -> Scoped[Present]:
    """Within the block users' code runs. For the arguments see ``Present``."""
    return Scoped(_present, Present(rows, step, address, kept=kept))
