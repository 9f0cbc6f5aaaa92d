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
        numbers: counts the calls within the one that is running now; each has random numbers and memory of its own.
        losses: what ``add_loss`` was given, with the layer.
        path: of the call that is running now; by default the outermost one.
    """

    ctx: Any
    training: bool | None
    numbers: Iterator[int] = field(default_factory=count)
    losses: list[tuple[Any, Any]] = field(default_factory=list)
    path: tuple[int, ...] | None = None

    def next_path(self) -> tuple[int, ...]:
        """A new path for what draws random numbers: the same on every rank, another one for each call of a step."""
        return (*(self.ctx.call if self.path is None else self.path), next(self.numbers))


_present: ContextVar[CallScope | None] = ContextVar("call_scope", default=None)


def present_call() -> CallScope | None:
    """The run of a layer's ``call`` that this is a part of; None outside."""
    return _present.get()


def calling(scope: CallScope) -> Scoped[CallScope]:
    """Within the block this is the present call."""
    return Scoped(_present, scope)


class in_call:  # noqa: N801 - a function's name
    """Within the block a layer within runs, whose own calls are counted from 0."""

    __slots__ = ("_before", "_scope")

    def __init__(self, scope: CallScope) -> None:
        self._scope = scope

    def __enter__(self) -> None:
        scope = self._scope
        self._before = scope.path, scope.numbers
        scope.path, scope.numbers = scope.next_path(), count()

    def __exit__(self, *error: object) -> None:
        self._scope.path, self._scope.numbers = self._before


class in_mode:  # noqa: N801 - a function's name
    """Within the block the layers within run in this mode, unless they say otherwise."""

    __slots__ = ("_before", "_mode", "_scope")

    def __init__(self, scope: CallScope, training: bool | None) -> None:
        self._scope, self._mode = scope, training

    def __enter__(self) -> None:
        self._before, self._scope.training = self._scope.training, self._mode

    def __exit__(self, *error: object) -> None:
        self._scope.training = self._before
