"""What layers called within a layer's ``call`` may know: the mode, and where they draw and keep what."""

from __future__ import annotations

from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from distnet.scoped import Scoped


@dataclass
class CallScope:
    """One run of a user's code: a call of the outermost layer, with all calls within it.

    Args:
        ctx: what the outermost layer is handed.
        training: the mode of the layer that is running now; None where nobody said.
        numbers: counts the calls within, each of which has random numbers and memory of its own.
        losses: what ``add_loss`` was given, with the layer.
    """

    ctx: Any
    training: bool | None
    numbers: Iterator[int] = field(default_factory=count)
    losses: list[tuple[Any, Any]] = field(default_factory=list)

    def next_path(self) -> tuple[int, ...]:
        """A new path for what draws random numbers: the same on every rank, another one for each call of a step."""
        return (*self.ctx.call, next(self.numbers))


_present: ContextVar[CallScope | None] = ContextVar("call_scope", default=None)


def present_call() -> CallScope | None:
    """The run of a layer's ``call`` that this is a part of; None outside."""
    return _present.get()


def calling(scope: CallScope) -> Scoped[CallScope]:
    """Within the block this is the present call."""
    return Scoped(_present, scope)


class in_mode:  # noqa: N801 - a function's name
    """Within the block the layers within run in this mode, unless they say otherwise."""

    __slots__ = ("_before", "_mode", "_scope")

    def __init__(self, scope: CallScope, training: bool | None) -> None:
        self._scope, self._mode = scope, training

    def __enter__(self) -> None:
        self._before, self._scope.training = self._scope.training, self._mode

    def __exit__(self, *error: object) -> None:
        self._scope.training = self._before
