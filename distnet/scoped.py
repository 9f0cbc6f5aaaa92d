"""Values that hold within a block, in each thread by itself."""

from __future__ import annotations

from contextvars import ContextVar, Token
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Scoped(Generic[T]):
    """Within the block the variable has a value. Calls of users' layers open several, so that it is no generator.

    Args:
        variable: what code within the block reads.
        value: what it reads there.
    """

    __slots__ = ("_token", "_value", "_variable")

    def __init__(self, variable: ContextVar[Any], value: T) -> None:
        self._variable, self._value = variable, value
        self._token: Token[Any] | None = None

    def __enter__(self) -> T:
        self._token = self._variable.set(self._value)
        return self._value

    def __exit__(self, *error: object) -> None:
        if self._token is not None:
            self._variable.reset(self._token)
