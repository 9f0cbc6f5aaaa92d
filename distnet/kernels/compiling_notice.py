"""Who wants to know that loops are being compiled, which takes seconds the first time on a machine."""

from __future__ import annotations

from collections.abc import Callable


class _Notice:
    listener: Callable[[], None] | None = None


_notice = _Notice()


def listen(listener: Callable[[], None] | None) -> None:
    """From now on this function is called, once, when a loop is compiled or another process' compiling is awaited."""
    _notice.listener = listener


def tell() -> None:
    """Say that a loop is being compiled."""
    listener, _notice.listener = _notice.listener, None
    if listener is not None:
        listener()
